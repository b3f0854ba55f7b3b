#include "sql/internal/statistics.h"

#include <charconv>
#include <chrono>
#include <cmath>

namespace pinflow::sql::internal {

namespace {

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads a fixed number of digits at the front of `text` and drops them.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Value> typed_bound(std::string_view text, std::string_view type) {
  if (type.ends_with("INT") || type == "INTEGER" || type == "UINTEGER") {
    if (const auto value = parse_number<std::int64_t>(text)) return Value{*value};
    return std::nullopt;
  }
  if (type == "DOUBLE" || type == "FLOAT") {
    if (const auto value = parse_number<double>(text); value && std::isfinite(*value)) return Value{*value};
    return std::nullopt;
  }
  if (type == "VARCHAR" || type == "DATE") return Value{std::string(text)};
  if (type == "TIMESTAMP WITH TIME ZONE" || type == "TIMESTAMP") {
    if (const auto value = parse_timestamp(text)) return Value{*value};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second) return std::nullopt;
  std::int64_t micros = 0;
  if (take(text, '.')) {
    std::int64_t unit = 100'000;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      if (unit == 0) return std::nullopt;  // Finer than a microsecond.
      micros += (text.front() - '0') * unit;
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  if (!text.empty() && text != "+00" && text != "Z") return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Timestamp{(((days * 24 + *hour) * 60 + *minute) * 60 + *second) * 1'000'000 + micros};
}

ColumnStatistics typed_statistics(const StatisticsTexts& texts, std::string_view type) {
  ColumnStatistics statistics;
  if (const auto found = texts.find("null_count"); found != texts.end()) {
    statistics.null_count = parse_number<std::int64_t>(found->second).value_or(0);
  }
  // The engine leaves NaN out of its bounds, so beside a NaN they bound nothing.
  if (const auto found = texts.find("has_nan");
      found != texts.end() && found->second != "false" && found->second != "0") {
    return statistics;
  }
  const auto minimum = texts.find("min");
  const auto maximum = texts.find("max");
  if (minimum == texts.end() || maximum == texts.end()) return statistics;
  statistics.minimum = typed_bound(minimum->second, type);
  statistics.maximum = typed_bound(maximum->second, type);
  return statistics;
}

}  // namespace pinflow::sql::internal
