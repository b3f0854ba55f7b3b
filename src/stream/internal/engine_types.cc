#include "stream/internal/engine_types.h"

#include <map>

#include <fmt/format.h>

namespace pinflow::stream::internal {

namespace {

std::optional<std::string> delta_word(std::string_view type) {
  static const std::map<std::string_view, std::string_view> words = {
      {"BIGINT", "long"},    {"INTEGER", "integer"}, {"DOUBLE", "double"},
      {"VARCHAR", "string"}, {"BOOLEAN", "boolean"}, {"TIMESTAMP WITH TIME ZONE", "timestamp"},
      {"BLOB", "binary"},    {"DATE", "date"},
  };
  if (type.ends_with("[]")) {
    const auto element = delta_word(type.substr(0, type.size() - 2));
    return element && !element->starts_with("array") ? std::optional(fmt::format("array<{}>", *element)) : std::nullopt;
  }
  const auto word = words.find(type);
  return word == words.end() ? std::nullopt : std::optional(std::string(word->second));
}

}  // namespace

Result<std::vector<delta::Field>> table_fields(const sql::ResultTable& columns) {
  std::vector<delta::Field> fields;
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    auto word = delta_word(columns.types[i]);
    if (!word) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("column {} has the type {}, which the tables cannot hold; cast it in the "
                              "cleaning SQL",
                              columns.columns[i], columns.types[i]));
    }
    fields.push_back({columns.columns[i], std::move(*word)});
  }
  return fields;
}

}  // namespace pinflow::stream::internal
