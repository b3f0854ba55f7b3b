#pragma once

#include "base/result.h"
#include "batch/batch_job.h"
#include "schedule/history.h"

namespace pinflow::app {

// How a run of the batch ended, for its history: a check that stops it fails the run with 4, a question or check that could not run with 1.
// `report` is the job's, which has the steps that a failed run reached.
schedule::Outcome outcome_of(const Result<batch::BatchReport>& ended, const batch::BatchReport& report);

}  // namespace pinflow::app
