#include "schedule/cron_times.h"

#include <algorithm>

namespace pinflow::schedule {

using std::chrono::local_seconds;
using std::chrono::sys_seconds;

namespace {

local_seconds local(sys_seconds at, std::chrono::seconds offset) {
  return local_seconds(at.time_since_epoch() + offset);
}

// The first run within a stretch at or after `from`.
std::optional<sys_seconds> first_in(const Cron& cron, const TimeZone& zone, std::size_t number, sys_seconds from) {
  const Stretch now = zone.stretch(number);
  local_seconds begin = local(from, now.offset);
  if (number > 0 && !cron.every_hour()) {
    const std::chrono::seconds before = zone.stretch(number - 1).offset;
    const local_seconds reached = local(now.begin, before);  // What clocks showed when they were changed.
    if (from == now.begin && before < now.offset) {
      const auto left_out = cron.next_from(reached);
      if (left_out && *left_out < local(now.begin, now.offset)) return now.begin;
    }
    begin = std::max(begin, reached);  // What was shown before the change does not run again.
  }
  const auto found = cron.next_from(begin);
  if (!found) return std::nullopt;
  const sys_seconds at(found->time_since_epoch() - now.offset);
  return at < now.end ? std::optional(at) : std::nullopt;
}

}  // namespace

std::optional<WallTime> next_after(const Cron& cron, const TimeZone& zone, WallTime after) {
  sys_seconds from = std::chrono::floor<std::chrono::seconds>(after) + std::chrono::seconds(1);
  for (std::size_t number = zone.find(from); number < zone.stretches(); ++number) {
    from = std::max(from, zone.stretch(number).begin);
    if (const auto found = first_in(cron, zone, number, from)) return *found;
  }
  return std::nullopt;
}

std::optional<WallTime> last_before(const Cron& cron, const TimeZone& zone, WallTime before) {
  constexpr std::chrono::hours kLongest(24 * 366 * 40);
  for (std::chrono::hours back(1); back <= kLongest; back *= 2) {  // Wider and wider, so few runs are passed.
    auto found = next_after(cron, zone, before - back);
    if (!found || *found >= before) continue;
    for (auto next = found; next && *next < before; next = next_after(cron, zone, *found)) found = next;
    return found;
  }
  return std::nullopt;
}

}  // namespace pinflow::schedule
