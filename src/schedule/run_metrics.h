#pragma once

#include "doors/metrics.h"
#include "schedule/rules.h"
#include "schedule/run_store.h"

namespace pinflow::schedule {

// What GET /metrics tells of the schedule and its runs (docs/metrics.md). From memory: as of the last look at the history, which a Scheduler
// takes each minute at least.
void write_run_metrics(doors::MetricsWriter& out, const RunStatus& status, const Rules& rules, WallTime now);

}  // namespace pinflow::schedule
