#include "delta/internal/statistics.h"

#include <chrono>
#include <optional>

#include <simdjson.h>

#include "base/json.h"
#include "base/timestamp.h"

namespace pinflow::delta::internal {

namespace {

constexpr std::size_t kTextBound = 32;       // Characters.
constexpr std::size_t kIndexedColumns = 32;  // The protocol's default: the first 32 leaves.
constexpr std::string_view kDelete = "\x7f";
constexpr std::string_view kLastCodePoint = "\xf4\x8f\xbf\xbf";

// Bytes of the first `count` characters of UTF-8 text.
std::size_t prefix_bytes(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (count > 0 && at < text.size()) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) ++at;
    --count;
  }
  return at;
}

// Years outside 1 to 9999 have no spelling that all readers share.
std::optional<std::string> millisecond_text(std::int64_t millis) {
  constexpr std::int64_t kYearOne = -62'135'596'800'000;
  constexpr std::int64_t kYearTenThousand = 253'402'300'800'000;
  if (millis < kYearOne || millis >= kYearTenThousand) return std::nullopt;
  return format_iso8601(WallTime(std::chrono::milliseconds(millis)));
}

// A bound as one JSON value; nothing where there is none that is safe.
std::optional<std::string> bound_json(const Field& field, const sql::Value& value, bool is_minimum) {
  JsonWriter json;
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    json.integer(*integer);
  } else if (const auto* number = std::get_if<double>(&value.data)) {
    // Both zeros are equal, but not to every reader's order.
    if (*number == 0) return is_minimum ? "-0.0" : "0.0";
    json.number(*number);
  } else if (const auto* time = std::get_if<sql::Timestamp>(&value.data)) {
    // Readers see milliseconds: the bound must stay outside the microseconds it stands for.
    const std::chrono::microseconds micros(time->micros);
    const auto millis = is_minimum ? std::chrono::floor<std::chrono::milliseconds>(micros)
                                   : std::chrono::ceil<std::chrono::milliseconds>(micros);
    const auto text = millisecond_text(millis.count());
    if (!text) return std::nullopt;
    json.string(*text);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    if (field.type == "date") {
      if (text->size() != std::string_view("2026-11-22").size()) return std::nullopt;
      json.string(*text);
    } else {
      const auto cut = is_minimum ? std::optional(truncate_minimum(*text)) : truncate_maximum(*text);
      if (!cut) return std::nullopt;
      json.string(*cut);
    }
  } else {
    return std::nullopt;
  }
  return std::move(json).take();
}

}  // namespace

std::string truncate_minimum(std::string_view text) {
  return std::string(text.substr(0, prefix_bytes(text, kTextBound)));
}

std::optional<std::string> truncate_maximum(std::string_view text) {
  const std::size_t bytes = prefix_bytes(text, kTextBound);
  if (bytes == text.size()) return std::string(text);
  std::string cut(text.substr(0, bytes));
  const std::string_view next = text.substr(bytes);
  // The tie is broken by a character above the one that was cut off.
  if (static_cast<unsigned char>(next.front()) < 0x7f) return cut.append(kDelete);
  if (!next.starts_with(kLastCodePoint)) return cut.append(kLastCodePoint);
  return std::nullopt;
}

std::string format_statistics(const std::vector<Field>& schema, const sql::ParquetFile& file) {
  JsonWriter minimum;
  JsonWriter maximum;
  JsonWriter nulls;
  minimum.begin_object();
  maximum.begin_object();
  nulls.begin_object();
  for (std::size_t i = 0; i < std::min(schema.size(), kIndexedColumns); ++i) {
    const Field& field = schema[i];
    const auto found = file.columns.find(field.name);
    if (found == file.columns.end()) continue;
    const sql::ColumnStatistics& column = found->second;
    nulls.key(field.name).integer(column.null_count);
    if (field.type == "boolean" || field.type == "binary") continue;
    const auto low = column.minimum ? bound_json(field, *column.minimum, true) : std::nullopt;
    const auto high = column.maximum ? bound_json(field, *column.maximum, false) : std::nullopt;
    if (low) minimum.key(field.name).raw(*low);
    if (high) maximum.key(field.name).raw(*high);
  }
  JsonWriter json;
  json.begin_object().key("numRecords").integer(static_cast<std::int64_t>(file.rows));
  json.key("minValues").raw(std::move(minimum.end_object()).take());
  json.key("maxValues").raw(std::move(maximum.end_object()).take());
  json.key("nullCount").raw(std::move(nulls.end_object()).take());
  json.end_object();
  return std::move(json).take();
}

namespace {
namespace dom = simdjson::dom;

// A number or text of the statistics as text; other kinds carry no bounds of plain columns.
std::optional<std::string> bound_text(dom::element value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  if (value.is_number()) return simdjson::minify(value);
  return std::nullopt;
}

template <class Each>
void for_each_member(dom::object object, std::string_view name, Each each) {
  dom::object members;
  if (object[name].get(members) != simdjson::SUCCESS) return;
  for (const auto& [key, value] : members) each(std::string(key), value);
}
}  // namespace

std::optional<FileStatistics> parse_statistics(const std::string& statistics) {
  FileStatistics read;
  if (statistics.empty()) return read;
  dom::parser parser;
  dom::object object;
  if (parser.parse(statistics).get(object) != simdjson::SUCCESS) return std::nullopt;
  std::int64_t rows = 0;
  if (object["numRecords"].get(rows) == simdjson::SUCCESS) read.rows = rows;
  for_each_member(object, "minValues", [&](const std::string& column, dom::element value) {
    read.columns[column].minimum = bound_text(value);
  });
  for_each_member(object, "maxValues", [&](const std::string& column, dom::element value) {
    read.columns[column].maximum = bound_text(value);
  });
  for_each_member(object, "nullCount", [&](const std::string& column, dom::element value) {
    std::int64_t nulls = 0;
    if (value.get(nulls) == simdjson::SUCCESS) read.columns[column].nulls = nulls;
  });
  return read;
}

}  // namespace pinflow::delta::internal
