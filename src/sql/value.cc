#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "sql/engine.h"

namespace pinflow::sql {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

// "2026-11-22T10:15:00", with six digits of a second where they are not all zero.
std::string format_timestamp(Timestamp time, char between) {
  if (time.micros == std::numeric_limits<std::int64_t>::max()) return "infinity";
  if (time.micros == -std::numeric_limits<std::int64_t>::max()) return "-infinity";
  std::int64_t day = time.micros / kMicrosPerDay;
  std::int64_t rest = time.micros % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --day;
  }
  // std::chrono's calendar ends at year 32767; the engine's does not, so the date is worked out here (days
  // from civil, reversed, in the proleptic Gregorian calendar).
  const std::int64_t shifted = day + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * of_year + 2) / 153;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", year, month, of_year - (153 * shifted_month + 2) / 5 + 1,
                  between, rest / 3'600'000'000, rest / 60'000'000 % 60, rest / 1'000'000 % 60);
  if (rest % 1'000'000 != 0) text += fmt::format(".{:06}", rest % 1'000'000);
  return text;
}

std::string list_text(const List& list) {
  std::string text = "[";
  for (const Value& value : list) {
    if (text.size() > 1) text += ", ";
    text += value.is_null() ? "NULL" : value.to_text();
  }
  return text + "]";
}

std::string quote(std::string_view text, char mark) {
  std::string quoted(1, mark);
  for (const char c : text) {
    if (c == mark) quoted += mark;
    quoted += c;
  }
  return quoted += mark;
}

}  // namespace

std::string Value::to_text() const {
  return std::visit(Overloaded{
                        [](std::monostate) { return std::string(); },
                        [](bool value) { return std::string(value ? "true" : "false"); },
                        [](std::int64_t value) { return fmt::to_string(value); },
                        [](double value) { return fmt::format("{}", value); },
                        [](const std::string& value) { return value; },
                        [](const Bytes& value) { return base64_encode(value.data); },
                        [](Timestamp value) { return format_timestamp(value, ' '); },
                        [](const List& value) { return list_text(value); },
                    },
                    data);
}

void Value::append_json(std::string& out) const {
  std::visit(Overloaded{
                 [&](std::monostate) { out += "null"; },
                 [&](bool value) { out += value ? "true" : "false"; },
                 [&](std::int64_t value) { out += fmt::to_string(value); },
                 [&](double value) { out += std::isfinite(value) ? fmt::format("{}", value) : "null"; },
                 [&](const std::string& value) { append_json_string(out, value); },
                 [&](const Bytes& value) { append_json_string(out, base64_encode(value.data)); },
                 [&](Timestamp value) {
                   const std::string text = format_timestamp(value, 'T');
                   append_json_string(out, text.ends_with('y') ? text : text + "Z");
                 },
                 [&](const List& value) {
                   out += '[';
                   for (std::size_t i = 0; i < value.size(); ++i) {
                     if (i > 0) out += ',';
                     value[i].append_json(out);
                   }
                   out += ']';
                 },
             },
             data);
}

std::string quote_text(std::string_view text) {
  return quote(text, '\'');
}
std::string quote_name(std::string_view name) {
  return quote(name, '"');
}

}  // namespace pinflow::sql
