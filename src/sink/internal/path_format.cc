#include "sink/internal/path_format.h"

#include <array>
#include <cctype>

#include <fmt/format.h>

namespace pinflow::sink::internal {

namespace {

namespace chrono = std::chrono;

constexpr std::array kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                "July",    "August",   "September", "October", "November", "December"};
constexpr std::array kDays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

struct Fields {
  int year, month, day, hour, minute, second, millisecond, day_of_year;
  unsigned weekday, iso_weekday;
  int week, week_year;
};

Fields fields_of(chrono::local_time<chrono::milliseconds> time) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  const chrono::weekday weekday(day);
  // A week belongs to the year of its Thursday.
  const auto thursday = day + chrono::days(4 - static_cast<int>(weekday.iso_encoding()));
  const chrono::year week_year = chrono::year_month_day(thursday).year();
  const auto since = [](auto d, chrono::year y) {
    return static_cast<int>((d - chrono::local_days(y / 1 / 1)).count());
  };
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count()),
          since(day, date.year()) + 1,
          weekday.c_encoding(),
          weekday.iso_encoding(),
          since(thursday, week_year) / 7 + 1,
          static_cast<int>(week_year)};
}

std::string year_text(int year, int count) {
  return count == 2 ? fmt::format("{:02}", year % 100) : fmt::format("{:0{}}", year, count);
}

std::string name_text(std::string_view name, int count) {
  return std::string(count > 3 ? name : name.substr(0, 3));
}

std::string field_text(const Fields& f, char letter, int count) {
  switch (letter) {
    case 'Y':
    case 'y':
      return year_text(f.year, count);
    case 'x':
      return year_text(f.week_year, count);
    case 'M':
      if (count > 2) return name_text(kMonths[static_cast<std::size_t>(f.month - 1)], count);
      return fmt::format("{:0{}}", f.month, count);
    case 'd':
      return fmt::format("{:0{}}", f.day, count);
    case 'D':
      return fmt::format("{:0{}}", f.day_of_year, count);
    case 'H':
      return fmt::format("{:0{}}", f.hour, count);
    case 'k':
      return fmt::format("{:0{}}", f.hour == 0 ? 24 : f.hour, count);
    case 'K':
      return fmt::format("{:0{}}", f.hour % 12, count);
    case 'h':
      return fmt::format("{:0{}}", f.hour % 12 == 0 ? 12 : f.hour % 12, count);
    case 'm':
      return fmt::format("{:0{}}", f.minute, count);
    case 's':
      return fmt::format("{:0{}}", f.second, count);
    case 'S': {
      std::string digits = fmt::format("{:03}", f.millisecond);
      digits.resize(static_cast<std::size_t>(count), '0');
      return digits;
    }
    case 'E':
      return name_text(kDays[f.weekday], count);
    case 'e':
      return fmt::format("{:0{}}", f.iso_weekday, count);
    case 'a':
      return f.hour < 12 ? "AM" : "PM";
    default:
      return fmt::format("{:0{}}", f.week, count);  // 'w': parse() lets no other letter pass.
  }
}

// Reads quoted text from behind its first quote; two quotes stand for one.
Result<std::string> quoted(std::string_view pattern, std::size_t& at) {
  std::string text;
  const std::size_t begin = at;
  while (at < pattern.size()) {
    if (pattern[at] != '\'') {
      text += pattern[at++];
    } else if (at + 1 < pattern.size() && pattern[at + 1] == '\'') {
      text += '\'';
      at += 2;
    } else {
      if (at++ == begin) text = "'";
      return text;
    }
  }
  return fail(ErrorCode::kInvalid, fmt::format("the path format {} has a quote without its end", pattern));
}

}  // namespace

Result<PathFormat> PathFormat::parse(std::string_view pattern) {
  PathFormat format;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '\'') {
      ++at;
      TRY_ASSIGN(auto text, quoted(pattern, at));
      format.pieces_.push_back({0, 0, std::move(text)});
    } else if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      if (!std::string_view("YyxMdDHkKhmsSEeaw").contains(c)) {
        return fail(
            ErrorCode::kInvalid,
            fmt::format("the path format {} has the letter {}, which stands for nothing known here; letters that "
                        "are text belong into single quotes",
                        pattern, c));
      }
      const std::size_t end = std::min(pattern.find_first_not_of(c, at), pattern.size());
      if (end - at > 9)
        return fail(ErrorCode::kInvalid, fmt::format("the path format {} repeats {} too often", pattern, c));
      format.pieces_.push_back({c, static_cast<int>(end - at), {}});
      at = end;
    } else {
      format.pieces_.push_back({0, 0, std::string(1, c)});
      ++at;
    }
  }
  if (format.pieces_.empty()) return fail(ErrorCode::kInvalid, "a time based partitioner needs a path format");
  return format;
}

std::string PathFormat::format(chrono::local_time<chrono::milliseconds> time) const {
  const Fields fields = fields_of(time);
  std::string text;
  for (const Piece& piece : pieces_)
    text += piece.letter == 0 ? piece.text : field_text(fields, piece.letter, piece.count);
  return text;
}

}  // namespace pinflow::sink::internal
