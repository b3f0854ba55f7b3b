#include "schedule/cron.h"

#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace pinflow::schedule {

using std::chrono::local_days;
using std::chrono::local_seconds;

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> names;  // The first stands for `least`.
};
const std::array<Field, 5> kFields = {{{"minute", 0, 59, {}},
                                       {"hour", 0, 23, {}},
                                       {"day of month", 1, 31, {}},
                                       {"month", 1, 12, kMonths},
                                       {"day of week", 0, 7, kWeekdays}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNicknames = {{{"@hourly", "0 * * * *"},
                                                                                      {"@daily", "0 0 * * *"},
                                                                                      {"@midnight", "0 0 * * *"},
                                                                                      {"@weekly", "0 0 * * 0"},
                                                                                      {"@monthly", "0 0 1 * *"},
                                                                                      {"@yearly", "0 0 1 1 *"},
                                                                                      {"@annually", "0 0 1 1 *"}}};

// Bits least..most.
constexpr std::uint64_t mask(int least, int most) {
  std::uint64_t bits = 0;
  for (int value = least; value <= most; ++value) bits |= std::uint64_t{1} << value;
  return bits;
}
constexpr std::uint32_t kAllDays = static_cast<std::uint32_t>(mask(1, 31));
constexpr std::uint32_t kAllWeekdays = static_cast<std::uint32_t>(mask(0, 6));

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Reads one field; knows where in the whole text it stands.
class FieldReader {
 public:
  FieldReader(const Field& field, std::string_view text, std::size_t column)
      : field_(field), text_(text), column_(column) {}

  Result<std::uint64_t> read() {
    std::uint64_t bits = 0;
    do {
      TRY_ASSIGN(const std::uint64_t more, item());
      bits |= more;
    } while (take(','));
    if (at_ != text_.size()) return wrong("expected ',', '-' or '/' or the end of the field");
    return bits;
  }

 private:
  Result<std::uint64_t> item() {
    int first = field_.least;
    int last = field_.most;
    bool open = true;  // Ends where the field ends.
    if (!take('*')) {
      TRY_ASSIGN(first, value());
      last = first;
      open = false;
      if (take('-')) {
        const std::size_t end_of_range = at_;
        TRY_ASSIGN(last, value());
        if (field_.most == 7 && last == 0 && first > 0) last = 7;  // fri-sun
        if (last < first) {
          at_ = end_of_range;
          return wrong(fmt::format("a range goes upwards, and {} comes before {}", last, first));
        }
        open = true;
      }
    } else if (field_.most == 7) {
      last = 6;  // Else */2 would be even days up to 7, which is Sunday again.
    }
    int step = 1;
    if (take('/')) {
      const std::size_t at_step = at_;
      TRY_ASSIGN(step, number());
      if (step < 1) {
        at_ = at_step;
        return wrong("a step is 1 or more");
      }
      if (!open) last = field_.most == 7 ? 6 : field_.most;
    }
    std::uint64_t bits = 0;
    for (int at = first; at <= last; at += step) bits |= std::uint64_t{1} << at;
    return bits;
  }

  Result<int> value() {
    const std::string rest = lower(text_.substr(at_));
    for (std::size_t i = 0; i < field_.names.size(); ++i) {
      if (!rest.starts_with(field_.names[i])) continue;
      at_ += field_.names[i].size();
      return field_.least + static_cast<int>(i);
    }
    const std::size_t begin = at_;
    TRY_ASSIGN(const int found, number());
    if (found < field_.least || found > field_.most) {
      at_ = begin;
      return wrong(fmt::format("{} is not within {}-{}", found, field_.least, field_.most));
    }
    return found;
  }

  Result<int> number() {
    int found = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), found);
    if (error != std::errc() || *begin == '-')
      return wrong(fmt::format("expected *, or a number of {}-{}{}", field_.least, field_.most,
                               field_.names.empty() ? "" : fmt::format(", or a name such as {}", field_.names[1])));
    at_ += static_cast<std::size_t>(end - begin);
    return found;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::unexpected<Error> wrong(const std::string& why) const {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} field '{}', column {}: {}", field_.name, text_, column_ + at_ + 1, why));
  }

  const Field& field_;
  std::string_view text_;
  std::size_t column_;
  std::size_t at_ = 0;
};

// The parts between blanks, each with where it begins.
std::vector<std::pair<std::string_view, std::size_t>> words(std::string_view text) {
  std::vector<std::pair<std::string_view, std::size_t>> found;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    found.emplace_back(text.substr(at, end - at), at);
    at = end;
  }
  return found;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  Cron cron;
  cron.text_ = text;
  auto parts = words(text);
  if (parts.size() == 1 && parts[0].first.starts_with('@')) {
    const std::string wanted = lower(parts[0].first);
    parts.clear();
    for (const auto& [name, meaning] : kNicknames)
      if (name == wanted) parts = words(meaning);
    if (parts.empty()) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("cron '{}': there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly", text));
    }
  }
  if (parts.size() != kFields.size()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("cron '{}': it has {} fields, and five are needed: minute, hour, day of "
                            "month, month, day of week, such as '30 6 * * mon-fri'",
                            text, parts.size()));
  }
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto read = FieldReader(kFields[i], parts[i].first, parts[i].second).read();
    if (!read) return fail(std::move(read).error().with_context(fmt::format("cron '{}'", text)));
    bits[i] = *read;
  }
  cron.minutes_ = bits[0];
  cron.hours_ = static_cast<std::uint32_t>(bits[1]);
  cron.days_ = static_cast<std::uint32_t>(bits[2]);
  cron.months_ = static_cast<std::uint32_t>(bits[3]);
  cron.weekdays_ = static_cast<std::uint32_t>((bits[4] | bits[4] >> 7) & kAllWeekdays);
  if (!cron.next_from(local_days(std::chrono::year(2000) / 1 / 1)))
    return fail(ErrorCode::kInvalid, fmt::format("cron '{}': no year has that day of month", text));
  return cron;
}

bool Cron::fits_day(local_days day) const {
  const std::chrono::year_month_day date(day);
  if ((months_ >> static_cast<unsigned>(date.month()) & 1) == 0) return false;
  const bool of_month = (days_ >> static_cast<unsigned>(date.day()) & 1) != 0;
  const bool of_week = (weekdays_ >> std::chrono::weekday(day).c_encoding() & 1) != 0;
  return days_ == kAllDays || weekdays_ == kAllWeekdays ? of_month && of_week : of_month || of_week;
}

bool Cron::matches(local_seconds minute) const {
  const auto day = std::chrono::floor<std::chrono::days>(minute);
  const auto of_day = std::chrono::floor<std::chrono::minutes>(minute - day).count();
  return fits_day(day) && (hours_ >> (of_day / 60) & 1) != 0 && (minutes_ >> (of_day % 60) & 1) != 0;
}

std::optional<local_seconds> Cron::next_from(local_seconds from) const {
  const auto first = std::chrono::ceil<std::chrono::minutes>(from);
  auto day = std::chrono::floor<std::chrono::days>(first);
  int begin = static_cast<int>((first - day).count());  // Minute of the first day.
  for (const auto last = day + std::chrono::years(40); day < last; day += std::chrono::days(1), begin = 0) {
    if (!fits_day(day)) continue;
    for (int hour = begin / 60; hour < 24; ++hour) {
      if ((hours_ >> hour & 1) == 0) continue;
      for (int minute = hour == begin / 60 ? begin % 60 : 0; minute < 60; ++minute) {
        if ((minutes_ >> minute & 1) != 0) return day + std::chrono::hours(hour) + std::chrono::minutes(minute);
      }
    }
  }
  return std::nullopt;
}

}  // namespace pinflow::schedule
