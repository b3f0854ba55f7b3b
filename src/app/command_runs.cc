#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/schedule_parts.h"
#include "base/timestamp.h"
#include "schedule/requests.h"
#include "schedule/run_json.h"

namespace pinflow::app {

namespace {

struct RunsOptions {
  std::string output = "table";
  std::string state;
  std::size_t limit = 20;
  std::uint64_t id = 0;
  std::string from;
  std::string until;
  std::string policy = "missing";
  std::string order = "oldest";
  bool dry_run = false;
};

void print_table(const std::vector<schedule::Run>& runs) {
  fmt::print("{:>6}  {:<9}  {:<11}  {:<19}  {:<19}  {:>8}  {}\n", "run", "kind", "state", "interval from", "started",
             "attempts", "message");
  for (const schedule::Run& run : runs) {
    fmt::print("{:>6}  {:<9}  {:<11}  {:<19}  {:<19}  {:>8}  {:.60}\n", run.id, to_string(run.kind),
               to_string(run.state), format_seconds(run.interval.start),
               run.started ? format_seconds(*run.started) : "-", run.attempts, run.outcome.message);
  }
}

void print_runs(const std::vector<schedule::Run>& runs, const std::string& output) {
  if (output != "json") return print_table(runs);
  std::string out = "[";
  for (const schedule::Run& run : runs)
    out += (out.size() > 1 ? ",\n " : "") + schedule::run_json(run, schedule::RunDetail::kWhole);
  fmt::print("{}]\n", out);
}

Result<ExitCode> list(Environment& environment, const RunsOptions& options) {
  const auto wanted = schedule::parse_state(options.state);
  if (!options.state.empty() && !wanted) {
    return fail(ErrorCode::kInvalid, fmt::format("--state {}: there are queued, running, retrying, success, failed, "
                                                 "interrupted and skipped",
                                                 options.state));
  }
  TRY_ASSIGN(const auto store, open_runs(environment));
  TRY_ASSIGN(const auto history, store->read());
  std::vector<schedule::Run> runs;
  for (auto run = history.runs().rbegin(); run != history.runs().rend() && runs.size() < options.limit; ++run) {
    if (!wanted || run->second.state == *wanted) runs.push_back(run->second);
  }
  print_runs(runs, options.output);
  return kOk;
}

Result<ExitCode> show(Environment& environment, const RunsOptions& options) {
  TRY_ASSIGN(const auto store, open_runs(environment));
  TRY_ASSIGN(const auto history, store->read());
  const schedule::Run* const run = history.find(options.id);
  if (run == nullptr)
    return fail(ErrorCode::kNotFound, fmt::format("there is no run {}: `pinflow runs list` has them", options.id));
  if (options.output == "json") {
    fmt::print("{}\n", schedule::run_json(*run, schedule::RunDetail::kWhole));
  } else {
    print_run(*run);
  }
  return kOk;
}

Result<ExitCode> retry(Environment& environment, const RunsOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto parts, open_schedule(environment, *stores));
  TRY(parts.runner->clean_up());
  TRY_ASSIGN(const auto run, parts.runner->execute(options.id, environment.stop, true));
  print_runs({run}, options.output);
  return exit_code_of(run);
}

Result<ExitCode> backfill(Environment& environment, const RunsOptions& options) {
  TRY_ASSIGN(const WallTime from, schedule::parse_moment("--from", options.from));
  TRY_ASSIGN(const WallTime until, schedule::parse_moment("--until", options.until));
  TRY_ASSIGN(const auto policy, schedule::parse_policy(options.policy));
  TRY_ASSIGN(const auto order, schedule::parse_order(options.order));
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto parts, open_schedule(environment, *stores));
  TRY(parts.runner->clean_up());
  TRY_ASSIGN(const auto history, parts.store->read());
  TRY_ASSIGN(const auto plan,
             plan_backfill(parts.runner->rules(), history, from, until, environment.clock.now(), policy, order));
  if (options.output != "json") {
    fmt::print("{} of {} intervals {} run (policy {}), the {} first.\n", plan.to_run.size(), plan.intervals,
               options.dry_run ? "would be" : "are", options.policy, options.order);
  }
  if (options.dry_run) {
    for (const schedule::Interval& interval : plan.to_run)
      fmt::print("{} to {}\n", format_seconds(interval.start), format_seconds(interval.end));
    return kOk;
  }
  std::vector<schedule::Run> runs;
  for (const schedule::Interval& interval : plan.to_run) {
    if (environment.stop.stop_requested()) break;
    TRY_ASSIGN(runs.emplace_back(), parts.runner->start(schedule::RunKind::kBackfill, interval, environment.stop));
  }
  print_runs(runs, options.output);
  for (const schedule::Run& run : runs)
    if (run.state != schedule::RunState::kSuccess) return exit_code_of(run);
  return environment.stop.stop_requested() ? kInterrupted : kOk;
}

}  // namespace

void add_runs(CLI::App& root, Action& selected) {
  CLI::App* command = root.add_subcommand("runs", "The history of the batch's runs, by schedule and by hand");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  pinflow runs list --state failed\n"
      "  pinflow runs show 17 --output json\n"
      "  pinflow runs backfill --from 2026-11-01 --until 2026-11-08 --policy missing --dry-run\n"
      "All work while pinflow is up.");
  const auto options = std::make_shared<RunsOptions>();
  const auto add = [&](const char* name, const char* about, auto action) {
    CLI::App* sub = command->add_subcommand(name, about);
    sub->add_option("--output", options->output, "table or json")->check(CLI::IsMember({"table", "json"}));
    sub->callback([&selected, options, action] {
      selected = [options, action](Environment& environment) { return action(environment, *options); };
    });
    return sub;
  };
  CLI::App* lists = add("list", "Lists runs, the latest first", list);
  lists->add_option("--state", options->state, "Only runs in this state");
  lists->add_option("--limit", options->limit, "How many at most (20)");
  add("show", "Shows one run: what it read, dropped, merged and wrote, its checks and steps", show)
      ->add_option("run", options->id, "Number of the run")
      ->required();
  add("retry", "Runs one again, here and now", retry)->add_option("run", options->id, "Number of the run")->required();
  CLI::App* fills = add("backfill", "Runs the intervals of a range, here and now", backfill);
  fills->add_option("--from", options->from, "Intervals that begin at or after this day or time")->required();
  fills->add_option("--until", options->until, "And before this one")->required();
  fills->add_option("--policy", options->policy, "Which of them: missing, failed (and missing), all")
      ->check(CLI::IsMember({"missing", "failed", "all"}));
  fills->add_option("--order", options->order, "Which of them first: oldest, newest")
      ->check(CLI::IsMember({"oldest", "newest"}));
  fills->add_flag("--dry-run", options->dry_run, "Only says what it would do");
}

}  // namespace pinflow::app
