#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pinflow {

// "2026-11-22T10:15:00.123Z": UTC with milliseconds, as the Delta log and our own logs spell it.
std::string format_iso8601(WallTime time);
// Reads "2026-11-22T10:15:00.123Z": seconds and any number of digits behind them may be missing (what is below a millisecond is
// cut), the zone is Z or an offset such as +01:00 and must be there. Empty: anything else, a day that no calendar has too.
std::optional<WallTime> parse_iso8601(std::string_view text);
// "2026-11-22 10:15:00", UTC, for people.
std::string format_seconds(WallTime time);

}  // namespace pinflow
