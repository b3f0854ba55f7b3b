#include "base/timestamp.h"

#include <fmt/core.h>

namespace pinflow {

namespace {
std::string format(WallTime time, char between, bool millis) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), between,
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (millis) text += fmt::format(".{:03}Z", clock.subseconds().count());
  return text;
}
}  // namespace

std::string format_iso8601(WallTime time) {
  return format(time, 'T', true);
}
std::string format_seconds(WallTime time) {
  return format(time, ' ', false);
}

}  // namespace pinflow
