#pragma once

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "batch/batch_job.h"

namespace pinflow::app {

// What a batch over the data folder stands on; all three must outlive the job.
batch::BatchContext batch_context(Environment& environment, Stores& stores, Random& random, batch::RemoteEngine* remote,
                                  log::Log* log = nullptr);
// Runs it once, with a progress line.
Result<batch::BatchReport> run_with_progress(Environment& environment, batch::BatchJob& job, std::stop_token stop);

// Prints what a run read, dropped, merged and wrote, and what its checks found.
void print_report(const batch::BatchReport& report);

// kDataQuality where a check stopped the run, kFailed where a question or check could not run.
ExitCode exit_code_of(const batch::BatchReport& report);

}  // namespace pinflow::app
