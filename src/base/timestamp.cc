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

// Takes text apart from its front; once something is not as expected, nothing fits any more.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool good() const { return good_; }
  bool at_end() const { return text_.empty(); }
  bool at(char c) const { return !text_.empty() && text_.front() == c; }
  bool take(char c) {
    const bool there = at(c);
    if (there) text_.remove_prefix(1);
    return there;
  }
  void expect(char c) { good_ = take(c) && good_; }
  // A number of exactly so many digits.
  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) number = number * 10 + digit();
    return number;
  }
  bool at_digit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

 private:
  int digit() {
    good_ = good_ && at_digit();
    if (!good_) return 0;
    const int value = text_.front() - '0';
    text_.remove_prefix(1);
    return value;
  }
  std::string_view text_;
  bool good_ = true;
};

int read_milliseconds(Reader& reader) {
  int milliseconds = 0;
  if (!reader.take('.') && !reader.take(',')) return 0;
  int unit = 100;
  do {
    milliseconds += reader.digits(1) * unit;
    unit /= 10;
  } while (reader.good() && reader.at_digit());
  return milliseconds;
}

// How far the clock of the place is ahead of UTC.
std::chrono::minutes read_zone(Reader& reader) {
  if (reader.take('Z') || reader.take('z')) return {};
  const bool ahead = reader.take('+');
  if (!ahead) reader.expect('-');
  const int hours = reader.digits(2);
  if (!reader.at_end()) reader.take(':');
  const int minutes = reader.at_end() ? 0 : reader.digits(2);
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return ahead ? offset : -offset;
}
}  // namespace

std::optional<WallTime> parse_iso8601(std::string_view text) {
  Reader reader(text);
  const std::chrono::year year(reader.digits(4));
  reader.expect('-');
  const std::chrono::month month(static_cast<unsigned>(reader.digits(2)));
  reader.expect('-');
  const std::chrono::day day(static_cast<unsigned>(reader.digits(2)));
  if (!reader.take('t')) reader.expect('T');
  const int hours = reader.digits(2);
  reader.expect(':');
  const int minutes = reader.digits(2);
  const bool has_seconds = reader.take(':');
  const int seconds = has_seconds ? reader.digits(2) : 0;
  const int milliseconds = has_seconds ? read_milliseconds(reader) : 0;
  const auto zone = read_zone(reader);
  const std::chrono::year_month_day date(year, month, day);
  const bool sensible = date.ok() && hours < 24 && minutes < 60 && seconds < 60 && zone > -std::chrono::hours(24) &&
                        zone < std::chrono::hours(24);
  if (!reader.good() || !reader.at_end() || !sensible) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hours) + std::chrono::minutes(minutes) +
         std::chrono::seconds(seconds) + std::chrono::milliseconds(milliseconds) - zone;
}

std::string format_iso8601(WallTime time) {
  return format(time, 'T', true);
}
std::string format_seconds(WallTime time) {
  return format(time, ' ', false);
}

}  // namespace pinflow
