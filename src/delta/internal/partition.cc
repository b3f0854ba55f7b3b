#include "delta/internal/partition.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "delta/internal/schema.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

namespace {

constexpr std::array<std::string_view, 7> kWrittenTypes = {"string",  "date",  "boolean", "long",
                                                           "integer", "short", "byte"};
constexpr std::size_t kLongestShown = 64;  // Bytes of a value in a path.

std::string path_part(std::string_view text) {
  std::string part(text.substr(0, kLongestShown));
  std::ranges::replace_if(
      part,
      [](char c) {
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        return !plain && c != '.' && c != '-' && c != '_';
      },
      '_');
  return part;
}

}  // namespace

Result<void> check_partition_columns(const std::vector<Field>& schema, const std::vector<std::string>& columns) {
  std::set<std::string_view> seen;
  for (const std::string& column : columns) {
    const auto field = std::ranges::find(schema, column, &Field::name);
    if (field == schema.end()) {
      return fail(ErrorCode::kInvalid, fmt::format("partition column {} is no column of the table", column));
    }
    if (!seen.insert(column).second) {
      return fail(ErrorCode::kInvalid, fmt::format("partition column {} is named twice", column));
    }
    if (std::ranges::find(kWrittenTypes, field->type) == kWrittenTypes.end()) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("partition column {} is of type {}; partition by a date, a string, a boolean or a whole "
                              "number, whose text is the same for every reader",
                              column, field->type));
    }
  }
  if (!columns.empty() && seen.size() == schema.size()) {
    return fail(ErrorCode::kInvalid, "all columns are partition columns, so that nothing is left for the data files");
  }
  return {};
}

std::vector<Field> stored_fields(const std::vector<Field>& schema, const std::vector<std::string>& columns) {
  std::vector<Field> stored;
  std::ranges::copy_if(schema, std::back_inserter(stored),
                       [&](const Field& field) { return std::ranges::find(columns, field.name) == columns.end(); });
  return stored;
}

PartitionValues complete_values(const PartitionValues& values, const std::vector<std::string>& columns) {
  PartitionValues complete;
  for (const std::string& column : columns) {
    const auto value = values.find(column);
    complete.emplace(column, value == values.end() ? std::string() : value->second);
  }
  return complete;
}

std::string partition_folder(const std::vector<std::string>& columns, const PartitionValues& values) {
  std::string folder;
  for (const std::string& column : columns) {
    std::string name = path_part(column);
    // Names that begin so are hidden from readers.
    if (name.starts_with('_') || name.starts_with('.')) name.insert(0, 1, 'x');
    const std::string& value = values.at(column);
    folder += fmt::format("{}={}/", name, value.empty() ? "__HIVE_DEFAULT_PARTITION__" : path_part(value));
  }
  return folder;
}

std::string value_text_sql(std::string_view column) {
  return fmt::format("NULLIF(CAST({} AS VARCHAR), '')", sql::quote_name(column));
}

Result<std::string> typed_value_sql(const Field& field, const std::string& text_sql) {
  if (field.type.find('<') != field.type.npos) {
    return fail(ErrorCode::kInvalid,
                fmt::format("partition column {} is of the nested type {}", field.name, field.type));
  }
  if (field.type == "binary") return fmt::format("encode({})", text_sql);  // The text's own bytes.
  TRY_ASSIGN(const std::string type, engine_type(field.type));
  return fmt::format("CAST({} AS {})", text_sql, type);
}

std::string text_literal(const std::string& value) {
  return value.empty() ? "NULL::VARCHAR" : sql::quote_text(value);
}

std::string name_columns(const std::vector<std::string>& columns) {
  if (columns.empty()) return "nothing";
  return fmt::format("{}", fmt::join(columns, ", "));
}

}  // namespace pinflow::delta::internal
