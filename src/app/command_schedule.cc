#include <condition_variable>
#include <memory>
#include <mutex>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/commands.h"
#include "app/schedule_parts.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "schedule/requests.h"
#include "schedule/run_json.h"

namespace pinflow::app {

namespace {

struct ScheduleOptions {
  int count = 5;
  std::string output = "table";
};

Result<ExitCode> show(Environment& environment, const ScheduleOptions& options) {
  TRY_ASSIGN(const auto rules, schedule_rules(environment));
  TRY_ASSIGN(const auto store, open_runs(environment));
  TRY_ASSIGN(const auto history, store->read());
  const WallTime now = environment.clock.now();
  if (options.output == "json") {
    fmt::print("{}\n", schedule::schedule_json(rules, history, now, options.count));
    return kOk;
  }
  const auto times = schedule::next_times(rules, now, options.count);
  const schedule::Run* const last = history.runs().empty() ? nullptr : &history.runs().rbegin()->second;
  fmt::print("schedule  {} in {}{}\n", rules.cron.text(), rules.zone.name(), history.paused() ? ", PAUSED" : "");
  if (!rules.by_itself) fmt::print("next      nothing runs by itself (schedule.enabled = false)\n");
  for (const WallTime at : times) fmt::print("next      {} UTC\n", format_seconds(at));
  if (last == nullptr) {
    fmt::print("No run yet: `pinflow up` or `pinflow schedule run` runs it, `pinflow schedule start` does so now.\n");
  } else {
    fmt::print("last      run {}, {}, {}\n", last->id, to_string(last->kind), to_string(last->state));
  }
  return kOk;
}

Result<ExitCode> next(Environment& environment, const ScheduleOptions& options) {
  TRY_ASSIGN(auto rules, schedule_rules(environment));
  rules.by_itself = true;  // It may be asked of a schedule that is off, too.
  const auto times = schedule::next_times(rules, environment.clock.now(), options.count);
  if (options.output == "json") {
    JsonWriter json;
    json.begin_array();
    for (const WallTime at : times) json.string(format_iso8601(at));
    json.end_array();
    fmt::print("{}\n", std::move(json).take());
  } else {
    for (const WallTime at : times) fmt::print("{} UTC\n", format_seconds(at));
  }
  return kOk;
}

Result<ExitCode> set_paused(Environment& environment, bool paused) {
  TRY_ASSIGN(const auto store, open_runs(environment));
  TRY_ASSIGN(const bool changed, schedule::set_paused(*store, paused));
  if (!changed) {
    fmt::print("The schedule {}.\n", paused ? "is paused already" : "is not paused");
    return kOk;
  }
  fmt::print("The schedule {}.\n", paused ? "is paused; runs by hand still go" : "goes on");
  return kOk;
}

Result<ExitCode> start(Environment& environment, const ScheduleOptions& options) {
  TRY_ASSIGN(const auto stores, open_stores(environment));
  TRY_ASSIGN(const auto parts, open_schedule(environment, *stores));
  TRY(parts.runner->clean_up());
  TRY_ASSIGN(const schedule::Run run, parts.runner->start_manual(environment.stop));
  if (options.output == "json") {
    fmt::print("{}\n", schedule::run_json(run, schedule::RunDetail::kWhole));
  } else {
    print_run(run);
  }
  return exit_code_of(run);
}

Result<ExitCode> run(Environment& environment) {
  TRY_ASSIGN(const auto stores, open_stores(environment, true));
  environment.settings.config.schedule.enabled = true;  // That is what the command asks for.
  TRY_ASSIGN(const auto parts, open_schedule(environment, *stores));
  parts.scheduler->start();
  fmt::print("pinflow schedule runs the batch at '{}' in {}. Ctrl-C stops it.\n", parts.runner->rules().cron.text(),
             parts.runner->rules().zone.name());
  std::fflush(stdout);
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, environment.stop, [] { return false; });
  return kOk;
}

}  // namespace

void add_schedule(CLI::App& root, Action& selected) {
  CLI::App* command = root.add_subcommand("schedule", "When the batch runs by itself, and by hand");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  pinflow schedule show\n  pinflow schedule next --count 10 --set schedule.cron='30 6 * * mon-fri'");
  const auto options = std::make_shared<ScheduleOptions>();
  const auto add = [&](const char* name, const char* about, auto action) {
    CLI::App* sub = command->add_subcommand(name, about);
    sub->callback([&selected, options, action] {
      selected = [options, action](Environment& environment) { return action(environment, *options); };
    });
    return sub;
  };
  const auto output = [&](CLI::App* sub) {
    sub->add_option("--output", options->output, "table or json")->check(CLI::IsMember({"table", "json"}));
  };
  CLI::App* shown = add("show", "Shows the schedule, what comes next, and the last run", show);
  CLI::App* nexts = add("next", "Shows the next times", next);
  for (CLI::App* sub : {shown, nexts}) {
    sub->add_option("--count", options->count, "How many times")->check(CLI::Range(1, 1000));
    output(sub);
  }
  add("pause", "Runs nothing by itself until resumed", [](Environment& e, const auto&) { return set_paused(e, true); });
  add("resume", "Goes on after a pause", [](Environment& e, const auto&) { return set_paused(e, false); });
  output(add("start", "Runs the batch now, as a manual run", start));
  add("run", "Runs the schedule in this process until Ctrl-C", [](Environment& e, const auto&) { return run(e); });
}

}  // namespace pinflow::app
