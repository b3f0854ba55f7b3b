#include "app/schedule_parts.h"

#include <fmt/core.h>

#include "app/batch_engine.h"
#include "app/batch_run.h"
#include "app/run_report.h"
#include "base/timestamp.h"
#include "schedule/run_metrics.h"

namespace pinflow::app {

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
                        std::nullopt,
                        config.enabled};
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

schedule::Job batch_job(Environment& environment, Stores& stores, std::function<log::Log*()> log) {
  return [&environment, &stores, log = std::move(log)](const schedule::JobCall& call) {
    Random random(entropy_seed());
    const auto remote = open_batch_engine(environment, stores);
    if (!remote) return outcome_of(fail(remote.error()), {});
    batch::BatchJob job(batch_context(environment, stores, random, remote->get(), log ? log() : nullptr), {});
    const auto ended = job.run(nullptr, call.stop);
    return outcome_of(ended, job.report());
  };
}

Result<ScheduleParts> open_schedule(Environment& environment, Stores& stores, ScheduleUse use) {
  ScheduleParts parts;
  TRY_ASSIGN(auto rules, schedule_rules(environment));
  if (!use.retries) rules.retries = 0;
  TRY_ASSIGN(parts.store, open_runs(environment));
  if (!use.job) use.job = batch_job(environment, stores);
  Logger& logger = *environment.logger;
  parts.runner = std::make_unique<schedule::Runner>(*parts.store, environment.clock, logger, rules, std::move(use.job));
  parts.scheduler = std::make_unique<schedule::Scheduler>(*parts.runner, environment.clock, logger);
  parts.routes = std::make_unique<schedule::RunRoutes>(*parts.store, parts.runner->rules(), environment.clock, logger,
                                                       [to_wake = parts.scheduler.get()] { to_wake->wake(); });
  return parts;
}

void add_to_doors(Environment& environment, const ScheduleParts& parts, doors::DoorSet& doors) {
  parts.routes->add_to(doors.router());
  doors.metrics().add_source([&environment, &parts](doors::MetricsWriter& out) {
    write_run_metrics(out, parts.store->status(), parts.runner->rules(), environment.clock.now());
  });
}

Result<batch::BatchReport> run_batch_by_hand(Environment& environment, Stores& stores,
                                             const batch::BatchOptions& options) {
  std::optional<Result<batch::BatchReport>> ended;
  ScheduleUse use;
  use.retries = false;
  use.job = [&](const schedule::JobCall& call) {
    Random random(entropy_seed());
    const auto remote = open_batch_engine(environment, stores);
    if (!remote) {
      ended.emplace(fail(remote.error()));
      return outcome_of(*ended, {});
    }
    batch::BatchJob job(batch_context(environment, stores, random, remote->get()), options);
    ended.emplace(run_with_progress(environment, job, call.stop));
    return outcome_of(*ended, job.report());
  };
  TRY_ASSIGN(const auto parts, open_schedule(environment, stores, std::move(use)));
  TRY(parts.runner->clean_up());
  const auto run = parts.runner->start_manual(environment.stop);
  if (!ended) return fail(run.error());  // It never began.
  if (!run) {
    environment.logger->error("the batch ran, and its end is not in the history", {{"why", run.error().message}});
  }
  return *std::move(ended);
}

ExitCode exit_code_of(const schedule::Run& run) {
  if (run.state == schedule::RunState::kSuccess) return kOk;
  const int code = run.outcome.exit_code;
  return code == 0 ? kFailed : static_cast<ExitCode>(code);
}

}  // namespace pinflow::app
