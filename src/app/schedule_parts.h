#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "batch/batch_job.h"
#include "doors/door_set.h"
#include "schedule/run_routes.h"
#include "schedule/runner.h"

namespace pinflow::app {

// The rules as [schedule] of the configuration has them. kInvalid names the setting.
Result<schedule::Rules> schedule_rules(Environment& environment);

// Opens the history of runs of the data folder. kNotFound: there is no data folder.
Result<std::unique_ptr<schedule::RunStore>> open_runs(Environment& environment);

// The job of the schedule: the batch over the data folder. Both must outlive it. `log` gives the open log of this process, with which a
// run compares what it took in; without, there is none.
schedule::Job batch_job(Environment& environment, Stores& stores, std::function<log::Log*()> log = {});

// All that runs the schedule, in the order of use; `environment` and `stores` must outlive it.
struct ScheduleParts {
  std::unique_ptr<schedule::RunStore> store;
  std::unique_ptr<schedule::Runner> runner;
  std::unique_ptr<schedule::Scheduler> scheduler;  // Not started.
  std::unique_ptr<schedule::RunRoutes> routes;     // Ask the scheduler.
};
struct ScheduleUse {
  schedule::Job job = {};  // Empty: batch_job().
  bool retries = true;     // False: who asked sees a failure and asks again.
};
Result<ScheduleParts> open_schedule(Environment& environment, Stores& stores, ScheduleUse use = {});

// Routes and metrics of the schedule; both must outlive the doors.
void add_to_doors(Environment& environment, const ScheduleParts& parts, doors::DoorSet& doors);

// Runs the batch here and now, with a progress line, as a manual run of the history. An error: there was none, or the batch failed; its
// history tells in both cases.
Result<batch::BatchReport> run_batch_by_hand(Environment& environment, Stores& stores,
                                             const batch::BatchOptions& options = {});

// For people, with its report.
void print_run(const schedule::Run& run);

// The exit code of a command that waited for the run.
ExitCode exit_code_of(const schedule::Run& run);

}  // namespace pinflow::app
