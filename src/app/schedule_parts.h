#pragma once

#include <memory>
#include <string>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "batch/batch_job.h"
#include "schedule/runner.h"

namespace pinflow::app {

// The rules as [schedule] of the configuration has them. kInvalid names the setting.
Result<schedule::Rules> schedule_rules(Environment& environment);

// Opens the history of runs of the data folder. kNotFound: there is no data folder.
Result<std::unique_ptr<schedule::RunStore>> open_runs(Environment& environment);

// The job of the schedule: the batch over the data folder. Both must outlive it.
schedule::Job batch_job(Environment& environment, Stores& stores, log::Log* log = nullptr);
// How a run of the batch ended, for its history: a check that stops it fails the run with 4, a question or check that could not run with 1.
schedule::Outcome outcome_of(const Result<batch::BatchReport>& report);

// All that runs the schedule, in the order of use; `environment` and `stores` must outlive it.
struct ScheduleParts {
  std::unique_ptr<schedule::RunStore> store;
  std::unique_ptr<schedule::Runner> runner;
  std::unique_ptr<schedule::Scheduler> scheduler;  // Null: nothing is run by itself.
};
// With the job, or else that of batch_job().
Result<ScheduleParts> open_schedule(Environment& environment, Stores& stores, schedule::Job job = {});

// A run as JSON; on a terminal, as lines.
std::string run_json(const schedule::Run& run);
void print_run(const schedule::Run& run);

// The exit code of a command that waited for the run.
ExitCode exit_code_of(const schedule::Run& run);

}  // namespace pinflow::app
