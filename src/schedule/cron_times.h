#pragma once

#include <optional>

#include "base/clock.h"
#include "base/time_zone.h"
#include "schedule/cron.h"

namespace pinflow::schedule {

// The first moment after `after` at which the expression runs in the zone. Where clocks change:
// - A time that the clock leaves out (2:30 in spring) runs at the first moment after the gap, once for all times in the gap.
// - A time that comes twice (2:30 in autumn) runs the first time only.
// - An expression that runs in each hour follows the hours that there are: 23 or 25 runs of `0 * * * *` on such a day.
std::optional<WallTime> next_after(const Cron& cron, const TimeZone& zone, WallTime after);

// The last such moment before `before`. Empty: none in the 40 years before it.
std::optional<WallTime> last_before(const Cron& cron, const TimeZone& zone, WallTime before);

}  // namespace pinflow::schedule
