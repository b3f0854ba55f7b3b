#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "schedule/history.h"
#include "schedule/rules.h"

namespace pinflow::schedule {

// A run as the command line and GET /runs tell it (docs/schedule.md). kWhole has its report too.
enum class RunDetail { kBrief, kWhole };
std::string run_json(const Run& run, RunDetail detail);

// The schedule as GET /schedule tells it, with the next `count` times after `now`.
std::string schedule_json(const Rules& rules, const History& history, WallTime now, int count);

// The moments after `after` at which the schedule runs something; none where it runs nothing by itself.
std::vector<WallTime> next_times(const Rules& rules, WallTime after, int count);

}  // namespace pinflow::schedule
