#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pinflow::sink::internal {

// A time zone of the machine's database (TZif files, RFC 8536), or UTC, or a fixed offset such as "+01:00". A value type.
class TimeZone {
 public:
  // kInvalid: no such zone; the message names it.
  static Result<TimeZone> load(std::string_view name);

  std::chrono::seconds offset_at(WallTime time) const;  // East of Greenwich.
  std::chrono::local_time<std::chrono::milliseconds> local(WallTime time) const;
  // The earlier of two where the clocks were set back; a time that they skipped counts as if they had not yet been set.
  WallTime from_local(std::chrono::local_time<std::chrono::milliseconds> local) const;

 private:
  struct Rule {  // "M3.2.0/2", "J60" or "59": the day of a change, and the local time on it.
    char kind = 'M';
    int month = 0, week = 0, day = 0;
    int seconds = 7'200;
  };
  struct Transition {
    std::int64_t at = 0;
    std::int32_t offset = 0;
  };
  bool read_file(std::string_view bytes);
  bool read_footer(std::string_view text);
  static bool read_name(std::string_view& text);
  static bool read_offset(std::string_view& text, int& seconds);
  static bool read_rule(std::string_view& text, Rule& rule);
  static std::int64_t change(const Rule& rule, int year);  // Local seconds since 1970.
  int rule_offset(std::int64_t seconds) const;

  std::vector<Transition> transitions_;
  std::int32_t first_offset_ = 0;
  int standard_ = 0, daylight_ = 0;
  bool has_rule_ = false;  // Else standard_ holds behind the last transition.
  bool has_daylight_ = false;
  Rule begin_, end_;
};

}  // namespace pinflow::sink::internal
