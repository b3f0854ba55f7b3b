#include "app/schedule_parts.h"

#include <fmt/core.h>

#include "app/batch_engine.h"
#include "app/batch_run.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "batch/batch_job.h"
#include "schedule/cron_times.h"

namespace pinflow::app {

namespace {

void write_time(JsonWriter& json, std::string_view key, const std::optional<WallTime>& at) {
  json.key(key);
  if (at) {
    json.string(format_iso8601(*at));
  } else {
    json.null();
  }
}

// Another attempt with the same program, configuration, statements and objects would end the same.
bool would_repeat(ExitCode code) {
  return code == kUsage || code == kConfiguration || code == kDataQuality || code == kStorage;
}

schedule::Outcome outcome_of_report(const batch::BatchReport& report) {
  schedule::Outcome outcome;
  std::uint64_t records = 0;
  std::uint64_t dead_letters = 0;
  for (const auto& [kind, counts] : report.kinds) {
    records += counts.records;
    dead_letters += counts.dead_letters;
  }
  std::uint64_t findings = 0;
  outcome.message = fmt::format("batch run {}", report.run_id);
  for (const batch::CheckResult& check : report.checks) {
    findings += check.findings;
    if (!report.published && check.stops && check.findings > 0)
      outcome.message += fmt::format("; stopped by check {}: {} findings", check.check, check.findings);
  }
  for (const batch::StatementFailure& failure : report.failures)
    outcome.message += fmt::format("; {}: {}", failure.statement, failure.error.message);
  outcome.exit_code = exit_code_of(report);
  outcome.success = outcome.exit_code == kOk;
  outcome.retry = false;  // The statements and the data stay as they are.
  const auto add = [&](std::string_view name, std::uint64_t value) {
    outcome.counters.emplace_back(name, static_cast<std::int64_t>(value));
  };
  add("objects", report.objects);
  add("bytes", report.bytes);
  add("records", records);
  add("dead_letters", dead_letters);
  add("findings", findings);
  outcome.steps = report.steps;
  return outcome;
}

}  // namespace

Result<schedule::Rules> schedule_rules(Environment& environment) {
  const auto& config = environment.config().schedule;
  auto cron = schedule::Cron::parse(config.cron);
  if (!cron) return fail(std::move(cron).error().with_context("schedule.cron"));
  auto zone = TimeZone::load(config.timezone);
  if (!zone) return fail(std::move(zone).error().with_context("schedule.timezone"));
  schedule::Rules rules{*cron,
                        *zone,
                        schedule::CatchUp::kLatest,
                        config.retries,
                        config.retry_delay,
                        config.max_retry_delay,
                        config.timeout,
                        std::nullopt};
  if (config.catch_up == "none") {
    rules.catch_up = schedule::CatchUp::kNone;
  } else if (config.catch_up == "all") {
    rules.catch_up = schedule::CatchUp::kAll;
  } else if (config.catch_up != "latest") {
    return fail(ErrorCode::kInvalid,
                fmt::format("schedule.catch_up: '{}' is none of none, latest and all", config.catch_up));
  }
  if (!config.start.empty()) {
    rules.start = parse_iso8601(config.start);
    if (!rules.start) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("schedule.start: '{}' is no time such as 2026-11-01T00:00:00Z", config.start));
    }
  }
  return rules;
}

Result<std::unique_ptr<schedule::RunStore>> open_runs(Environment& environment) {
  if (const auto there = environment.disk->describe(environment.folder("")); !there) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no data folder {}: `pinflow up` makes one",
                                                  environment.config().data.folder.string()));
  }
  Random random(entropy_seed());
  return schedule::RunStore::open(environment.folder("state") / "schedule", *environment.disk, environment.clock,
                                  random);
}

schedule::Job batch_job(Environment& environment, Stores& stores) {
  return [&environment, &stores](const schedule::JobCall& call) {
    Random random(entropy_seed());
    auto opened = open_batch_engine(environment, stores);
    if (!opened) return outcome_of(fail(std::move(opened).error()));
    const std::unique_ptr<batch::RemoteEngine> remote = *std::move(opened);
    const batch::BatchContext context{
        *stores.objects,   {*stores.tables, *stores.engine, environment.clock, random, *environment.logger},
        *environment.disk, environment.folder("state"),
        stores.statements, remote.get()};
    batch::BatchOptions options;
    options.label = format_iso8601(call.interval.start);
    return outcome_of(batch::BatchJob(context, options).run(nullptr, call.stop));
  };
}

schedule::Outcome outcome_of(const Result<batch::BatchReport>& report) {
  if (report) return outcome_of_report(*report);
  const ExitCode code = exit_code_of(report.error());
  schedule::Outcome outcome;
  outcome.success = false;
  outcome.exit_code = code;
  outcome.message = report.error().message;
  outcome.retry = !would_repeat(code);
  return outcome;
}

Result<ScheduleParts> open_schedule(Environment& environment, Stores& stores, schedule::Job job) {
  ScheduleParts parts;
  TRY_ASSIGN(const auto rules, schedule_rules(environment));
  TRY_ASSIGN(parts.store, open_runs(environment));
  if (!job) job = batch_job(environment, stores);
  parts.runner =
      std::make_unique<schedule::Runner>(*parts.store, environment.clock, *environment.logger, rules, std::move(job));
  return parts;
}

std::string run_json(const schedule::Run& run) {
  JsonWriter json;
  json.begin_object();
  json.key("id").integer(static_cast<std::int64_t>(run.id));
  json.key("kind").string(to_string(run.kind));
  json.key("state").string(to_string(run.state));
  write_time(json, "interval_start", run.interval.start);
  write_time(json, "interval_end", run.interval.end);
  json.key("attempts").integer(run.attempts);
  write_time(json, "queued", run.queued);
  write_time(json, "started", run.started);
  write_time(json, "ended", run.ended);
  write_time(json, "retry_at", run.retry_at);
  json.key("exit_code").integer(run.outcome.exit_code);
  json.key("message").string(run.outcome.message);
  json.key("counters").begin_object();
  for (const auto& [name, value] : run.outcome.counters) json.key(name).integer(value);
  json.end_object().key("steps_ms").begin_object();
  for (const auto& [name, took] : run.outcome.steps) json.key(name).integer(took.count());
  json.end_object().end_object();
  return std::move(json).take();
}

void print_run(const schedule::Run& run) {
  const auto time = [](const std::optional<WallTime>& at) { return at ? format_seconds(*at) : "-"; };
  fmt::print(
      "run       {}\nkind      {}\nstate     {}\ninterval  {} to {} (UTC)\nattempts  {}\nstarted   {}\nended     {}\n",
      run.id, to_string(run.kind), to_string(run.state), time(run.interval.start), time(run.interval.end), run.attempts,
      time(run.started), time(run.ended));
  if (run.retry_at) fmt::print("retry     {}\n", time(run.retry_at));
  if (!run.outcome.message.empty()) fmt::print("message   {}\n", run.outcome.message);
  for (const auto& [name, value] : run.outcome.counters) fmt::print("  {:<20} {:>14}\n", name, value);
  for (const auto& [name, took] : run.outcome.steps) fmt::print("  step {:<15} {:>11} ms\n", name, took.count());
}

ExitCode exit_code_of(const schedule::Run& run) {
  if (run.state == schedule::RunState::kSuccess) return kOk;
  const int code = run.outcome.exit_code;
  return code == 0 ? kFailed : static_cast<ExitCode>(code);
}

}  // namespace pinflow::app
