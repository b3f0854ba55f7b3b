#include "base/internal/posix_rule.h"

#include <algorithm>
#include <charconv>

namespace pinflow::internal {

namespace {

using std::chrono::seconds;

// "M3.5.0/2": the fifth (last) Sunday of March at 2:00. "J60": day 60 of years without 29 February. "59": day 59, from 0.
struct Day {
  char form = 'M';
  int month = 0, week = 0, weekday = 0, day = 0;
  seconds time = std::chrono::hours(2);
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool name() {
    const std::size_t begin = at_;
    if (take('<')) {
      at_ = std::min(text_.find('>', at_), text_.size());
      return take('>');
    }
    while (!at_end() && ((text_[at_] | 0x20) >= 'a' && (text_[at_] | 0x20) <= 'z')) ++at_;
    return at_ - begin >= 3;
  }
  std::optional<int> number() {
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0 || value > 1000) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  // [+-]h[:m[:s]]
  std::optional<seconds> time() {
    const int sign = take('-') ? -1 : 1;
    if (sign == 1) take('+');
    int total = 0;
    for (int unit = 3600; unit > 0; unit /= 60) {
      const auto part = number();
      if (!part) return std::nullopt;
      total += *part * unit;
      if (!take(':')) break;
    }
    return seconds(sign * total);
  }
  std::optional<Day> day() {
    Day day;
    if (take('M')) {
      const auto month = number();
      const auto week = take('.') ? number() : std::nullopt;
      const auto weekday = take('.') ? number() : std::nullopt;
      if (!month || !week || !weekday || *month < 1 || *month > 12 || *week < 1 || *week > 5 || *weekday > 6)
        return std::nullopt;
      day = {'M', *month, *week, *weekday, 0};
    } else {
      day.form = take('J') ? 'J' : 'N';
      const auto number_of_day = number();
      if (!number_of_day || *number_of_day > 365) return std::nullopt;
      day.day = *number_of_day;
    }
    if (take('/')) {
      const auto at = time();
      if (!at) return std::nullopt;
      day.time = *at;
    }
    return day;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::chrono::sys_seconds resolve(const Day& day, int year, seconds offset) {
  using namespace std::chrono;
  sys_days date;
  if (day.form == 'M') {
    const auto first = std::chrono::year(year) / day.month;
    const weekday wanted(static_cast<unsigned>(day.weekday));
    date = day.week == 5 ? sys_days(first / wanted[last]) : sys_days(first / wanted[static_cast<unsigned>(day.week)]);
  } else {
    date = sys_days(std::chrono::year(year) / 1 / 1) + days(day.form == 'J' ? day.day - 1 : day.day);
    if (day.form == 'J' && std::chrono::year(year).is_leap() && day.day >= 60) date += days(1);
  }
  return date + day.time - offset;
}

}  // namespace

std::optional<seconds> parse_offset(std::string_view text) {
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  Reader reader(text);
  const auto offset = reader.time();
  return reader.at_end() ? offset : std::nullopt;
}

std::optional<std::vector<std::pair<std::chrono::sys_seconds, seconds>>> changes_by_rule(std::string_view rule,
                                                                                         int first, int last) {
  std::vector<std::pair<std::chrono::sys_seconds, seconds>> changes;
  Reader reader(rule);
  if (!reader.name()) return std::nullopt;
  const auto west = reader.time();
  if (!west) return std::nullopt;
  if (reader.at_end()) return changes;
  const seconds standard = -*west;
  seconds summer = standard + std::chrono::hours(1);
  if (!reader.name()) return std::nullopt;
  if (!reader.take(',')) {
    const auto summer_west = reader.time();
    if (!summer_west || !reader.take(',')) return std::nullopt;
    summer = -*summer_west;
  }
  const auto begins = reader.day();
  const auto ends = begins && reader.take(',') ? reader.day() : std::nullopt;
  if (!ends || !reader.at_end()) return std::nullopt;
  for (int year = first; year <= last; ++year) {
    changes.emplace_back(resolve(*begins, year, standard), summer);
    changes.emplace_back(resolve(*ends, year, summer), standard);
  }
  std::ranges::sort(changes);
  return changes;
}

}  // namespace pinflow::internal
