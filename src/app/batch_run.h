#pragma once

#include "app/environment.h"
#include "app/stores.h"
#include "base/result.h"
#include "batch/batch_job.h"

namespace pinflow::app {

// Runs the batch once over the data folder, with a progress line.
Result<batch::BatchReport> run_batch(Environment& environment, Stores& stores, const batch::BatchOptions& options = {});

// Prints what a run read, dropped, merged and wrote, and what its checks found.
void print_report(const batch::BatchReport& report);

// kDataQuality where a check stopped the run, kFailed where a question or check could not run.
ExitCode exit_code_of(const batch::BatchReport& report);

}  // namespace pinflow::app
