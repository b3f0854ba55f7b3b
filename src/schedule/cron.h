#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::schedule {

// When a job runs, as a cron expression of five fields (minute, hour, day of month, month, day of week) or one of @hourly, @daily,
// @midnight, @weekly, @monthly, @yearly, @annually. Read as Airflow reads it: lists, ranges, steps (`5/15` counts to the end of the
// field), names of months and days in any case, 0 and 7 for Sunday. Where both days are restricted a day that fits either will do; a
// field that has all its values restricts nothing. A value type.
class Cron final {
 public:
  // kInvalid names the field, the column (from 1) and what may stand there. Also for a day that no year has, such as 30 February.
  static Result<Cron> parse(std::string_view text);

  bool matches(std::chrono::local_seconds minute) const;
  // The first minute at or after `from` that fits. Empty: none within 40 years, which parse() rules out.
  std::optional<std::chrono::local_seconds> next_from(std::chrono::local_seconds from) const;
  // Runs in each hour, so that a change of the clock adds or takes away runs.
  bool every_hour() const { return hours_ == (std::uint32_t{1} << 24) - 1; }
  const std::string& text() const { return text_; }

 private:
  bool fits_day(std::chrono::local_days day) const;

  std::string text_;
  std::uint64_t minutes_ = 0;  // A bit for each value.
  std::uint32_t hours_ = 0;
  std::uint32_t days_ = 0;  // Of the month; bit 1 is the first.
  std::uint32_t months_ = 0;
  std::uint32_t weekdays_ = 0;  // Bit 0 is Sunday.
};

}  // namespace pinflow::schedule
