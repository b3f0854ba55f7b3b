#include "sink/internal/time_zone.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace pinflow::sink::internal {

namespace {

namespace chrono = std::chrono;

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kHeader = 44;

std::int64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

bool read_digits(std::string_view& text, int& value) {
  std::size_t used = 0;
  for (value = 0; used < text.size() && used < 4 && std::isdigit(static_cast<unsigned char>(text[used])); ++used)
    value = value * 10 + (text[used] - '0');
  text.remove_prefix(used);
  return used > 0;
}

}  // namespace

Result<TimeZone> TimeZone::load(std::string_view name) {
  TimeZone zone;
  if (name.empty() || name == "UTC" || name == "GMT" || name == "Z" || name == "Etc/UTC") return zone;
  if (name.front() == '+' || name.front() == '-') {
    std::string_view rest = name;
    int west = 0;
    if (read_offset(rest, west) && rest.empty()) {
      zone.standard_ = zone.first_offset_ = west;  // ISO 8601's sign, which is not POSIX's.
      return zone;
    }
  }
  const bool plain = std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' || c == '+';
  });
  if (plain && name.front() != '/') {
    std::ifstream file(fmt::format("/usr/share/zoneinfo/{}", name), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (zone.read_file(bytes)) return zone;
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("no time zone '{}': give a name of the machine's time zone database, such as "
                          "Europe/Berlin (package tzdata), or UTC",
                          name));
}

bool TimeZone::read_file(std::string_view bytes) {
  // The first block is of 32 bits, for old readers; the second, of 64 bits, has the same and more.
  const auto count = [&](std::size_t block, std::size_t index) {
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(read_big_endian(bytes.substr(block + 20 + 4 * index, 4)), 0, kMostBytes));
  };
  if (bytes.size() < kHeader || bytes.size() > kMostBytes || !bytes.starts_with("TZif") || bytes[4] < '2') return false;
  const std::size_t second =
      kHeader + count(0, 3) * 5 + count(0, 4) * 6 + count(0, 5) + count(0, 2) * 8 + count(0, 1) + count(0, 0);
  if (bytes.size() < second + kHeader || !bytes.substr(second).starts_with("TZif")) return false;
  const std::size_t times = count(second, 3), types = count(second, 4);
  const std::size_t type_at = second + kHeader + times * 9;
  const std::size_t footer =
      type_at + types * 6 + count(second, 5) + count(second, 2) * 12 + count(second, 1) + count(second, 0);
  if (types == 0 || bytes.size() < footer + 2 || bytes[footer] != '\n') return false;
  const auto offset_of = [&](std::size_t type) {
    return static_cast<std::int32_t>(read_big_endian(bytes.substr(type_at + type * 6, 4)));
  };
  first_offset_ = offset_of(0);
  for (std::size_t i = 0; i < times; ++i) {
    const auto type = static_cast<unsigned char>(bytes[second + kHeader + times * 8 + i]);
    if (type >= types) return false;
    transitions_.push_back({read_big_endian(bytes.substr(second + kHeader + i * 8, 8)), offset_of(type)});
  }
  standard_ = transitions_.empty() ? first_offset_ : transitions_.back().offset;
  const std::string_view rest = bytes.substr(footer + 1);
  const std::string_view rule = rest.substr(0, rest.find('\n'));
  return rule.empty() || read_footer(rule);
}

bool TimeZone::read_name(std::string_view& text) {
  std::size_t used = 0;
  if (text.starts_with('<')) {
    used = text.find('>');
    if (used == text.npos) return false;
    ++used;
  } else {
    while (used < text.size() && std::isalpha(static_cast<unsigned char>(text[used]))) ++used;
  }
  text.remove_prefix(used);
  return used > 0;
}

bool TimeZone::read_offset(std::string_view& text, int& seconds) {
  int sign = 1;
  if (text.starts_with('-') || text.starts_with('+')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  int total = 0;
  for (const int unit : {3'600, 60, 1}) {
    int part = 0;
    if (!read_digits(text, part)) return false;
    total += part * unit;
    if (!text.starts_with(':')) break;
    text.remove_prefix(1);
  }
  seconds = sign * total;
  return true;
}

bool TimeZone::read_rule(std::string_view& text, Rule& rule) {
  rule.kind = text.starts_with('M') ? 'M' : text.starts_with('J') ? 'J' : 'n';
  if (rule.kind != 'n') text.remove_prefix(1);
  if (rule.kind == 'M') {
    if (!read_digits(text, rule.month) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (!read_digits(text, rule.week) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
    if (rule.month < 1 || rule.month > 12 || rule.week < 1 || rule.week > 5) return false;
  }
  if (!read_digits(text, rule.day) || (rule.kind == 'M' && rule.day > 6)) return false;
  if (!text.starts_with('/')) return true;
  text.remove_prefix(1);
  return read_offset(text, rule.seconds);
}

bool TimeZone::read_footer(std::string_view text) {
  int west = 0;
  if (!read_name(text) || !read_offset(text, west)) return false;
  has_rule_ = true;
  standard_ = -west;
  if (text.empty()) return true;
  has_daylight_ = true;
  daylight_ = standard_ + 3'600;
  if (!read_name(text)) return false;
  if (!text.starts_with(',')) {
    if (!read_offset(text, west)) return false;
    daylight_ = -west;
  }
  if (!text.starts_with(',')) return false;
  text.remove_prefix(1);
  if (!read_rule(text, begin_) || !text.starts_with(',')) return false;
  text.remove_prefix(1);
  return read_rule(text, end_) && text.empty();
}

std::int64_t TimeZone::change(const Rule& rule, int year) {
  const chrono::year y(year);
  chrono::sys_days day = chrono::sys_days(y / 1 / 1);
  if (rule.kind == 'M') {
    const chrono::month m(static_cast<unsigned>(rule.month));
    const chrono::weekday w(static_cast<unsigned>(rule.day));
    day = rule.week == 5 ? chrono::sys_days(y / m / w[chrono::last])
                         : chrono::sys_days(y / m / w[static_cast<unsigned>(rule.week)]);
  } else {
    // 'J' counts from 1 and never counts the leap day.
    const bool skips = rule.kind == 'J' && y.is_leap() && rule.day >= 60;
    day += chrono::days(rule.kind == 'J' ? rule.day - 1 + (skips ? 1 : 0) : rule.day);
  }
  return chrono::sys_seconds(day).time_since_epoch().count() + rule.seconds;
}

int TimeZone::rule_offset(std::int64_t seconds) const {
  if (!has_rule_ || !has_daylight_) return standard_;
  const chrono::sys_seconds standard{chrono::seconds(seconds + standard_)};
  const int year = static_cast<int>(chrono::year_month_day(chrono::floor<chrono::days>(standard)).year());
  const std::int64_t begin = change(begin_, year) - standard_;
  const std::int64_t end = change(end_, year) - daylight_;
  const bool daylight = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
  return daylight ? daylight_ : standard_;
}

chrono::seconds TimeZone::offset_at(WallTime time) const {
  const std::int64_t seconds = chrono::floor<chrono::seconds>(time).time_since_epoch().count();
  if (transitions_.empty()) return chrono::seconds(rule_offset(seconds));
  const auto after = std::ranges::upper_bound(transitions_, seconds, {}, &Transition::at);
  if (after == transitions_.begin()) return chrono::seconds(first_offset_);
  if (after == transitions_.end()) return chrono::seconds(rule_offset(seconds));
  return chrono::seconds(std::prev(after)->offset);
}

chrono::local_time<chrono::milliseconds> TimeZone::local(WallTime time) const {
  return chrono::local_time<chrono::milliseconds>(time.time_since_epoch() + offset_at(time));
}

WallTime TimeZone::from_local(chrono::local_time<chrono::milliseconds> local) const {
  const WallTime as_utc(local.time_since_epoch());
  // The offsets on either side of any change near this time.
  const chrono::seconds before = offset_at(as_utc - chrono::hours(24));
  const chrono::seconds behind = offset_at(as_utc + chrono::hours(24));
  for (const chrono::seconds offset : {std::max(before, behind), std::min(before, behind)}) {
    if (offset_at(as_utc - offset) == offset) return as_utc - offset;
  }
  return as_utc - before;
}

}  // namespace pinflow::sink::internal
