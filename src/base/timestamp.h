#pragma once

#include <string>

#include "base/clock.h"

namespace pinflow {

// "2026-11-22T10:15:00.123Z": UTC with milliseconds, as the Delta log and our own logs spell it.
std::string format_iso8601(WallTime time);
// "2026-11-22 10:15:00", UTC, for people.
std::string format_seconds(WallTime time);

}  // namespace pinflow
