#include "delta/internal/schema.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"
#include "delta/internal/partition.h"

namespace pinflow::delta::internal {

namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTypes = {
    {{"long", "BIGINT"},
     {"integer", "INTEGER"},
     {"short", "SMALLINT"},
     {"byte", "TINYINT"},
     {"double", "DOUBLE"},
     {"float", "FLOAT"},
     {"boolean", "BOOLEAN"},
     {"string", "VARCHAR"},
     {"binary", "BLOB"},
     {"date", "DATE"},
     {"timestamp", "TIMESTAMP WITH TIME ZONE"},
     {"timestamp_ntz", "TIMESTAMP"}}};

// The words inside "array<...>", or nothing.
std::optional<std::string_view> inside(std::string_view type, std::string_view word) {
  if (!type.starts_with(word) || !type.substr(word.size()).starts_with('<') || !type.ends_with('>'))
    return std::nullopt;
  return type.substr(word.size() + 1, type.size() - word.size() - 2);
}

// Splits "a:long,b:map<string,long>" at the commas outside brackets.
std::vector<std::string_view> split(std::string_view words) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == '<' || words[i] == '(') ++depth;
    if (words[i] == '>' || words[i] == ')') --depth;
    if (words[i] == ',' && depth == 0) {
      parts.push_back(words.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(words.substr(begin));
  return parts;
}

bool is_written(std::string_view type) {
  if (const auto element = inside(type, "array")) return is_written(*element);
  return type != "timestamp_ntz" && std::ranges::any_of(kTypes, [&](const auto& known) { return known.first == type; });
}

// As schemaString spells a type that we write.
std::string type_json(std::string_view type) {
  JsonWriter json;
  if (const auto element = inside(type, "array")) {
    json.begin_object().key("type").string("array").key("elementType").raw(type_json(*element));
    json.key("containsNull").boolean(true).end_object();
  } else {
    json.string(type);
  }
  return std::move(json).take();
}

Result<std::string> type_words(dom::element type, bool& has_invariants);

Result<std::vector<Field>> read_fields(dom::object structure, bool& has_invariants) {
  dom::array array;
  if (structure["fields"].get(array) != simdjson::SUCCESS) return fail(ErrorCode::kCorrupt, "a schema without fields");
  std::vector<Field> fields;
  for (const dom::element element : array) {
    std::string_view name;
    dom::element type;
    if (element["name"].get(name) != simdjson::SUCCESS || element["type"].get(type) != simdjson::SUCCESS) {
      return fail(ErrorCode::kCorrupt, "a schema field without name or type");
    }
    dom::element invariants;
    if (element["metadata"]["delta.invariants"].get(invariants) == simdjson::SUCCESS) has_invariants = true;
    TRY_ASSIGN(std::string words, type_words(type, has_invariants));
    fields.push_back({std::string(name), std::move(words)});
  }
  return fields;
}

Result<std::string> nested_words(dom::object type, bool& has_invariants) {
  std::string_view kind;
  if (type["type"].get(kind) != simdjson::SUCCESS) return fail(ErrorCode::kCorrupt, "a nested type without its name");
  const auto member = [&](std::string_view key) -> Result<std::string> {
    dom::element element;
    if (type[key].get(element) != simdjson::SUCCESS) {
      return fail(ErrorCode::kCorrupt, fmt::format("a type {} without {}", kind, key));
    }
    return type_words(element, has_invariants);
  };
  if (kind == "array") {
    TRY_ASSIGN(const std::string element, member("elementType"));
    return fmt::format("array<{}>", element);
  }
  if (kind == "map") {
    TRY_ASSIGN(const std::string key, member("keyType"));
    TRY_ASSIGN(const std::string value, member("valueType"));
    return fmt::format("map<{},{}>", key, value);
  }
  if (kind == "struct") {
    TRY_ASSIGN(const std::vector<Field> fields, read_fields(type, has_invariants));
    std::string words = "struct<";
    for (const Field& field : fields) words += (words.ends_with('<') ? "" : ",") + field.name + ":" + field.type;
    return words + ">";
  }
  return fail(ErrorCode::kInvalid, fmt::format("the schema has a type {}, which is not known here", kind));
}

Result<std::string> type_words(dom::element type, bool& has_invariants) {
  std::string_view word;
  if (type.get(word) == simdjson::SUCCESS) return std::string(word);
  dom::object object;
  if (type.get(object) != simdjson::SUCCESS) return fail(ErrorCode::kCorrupt, "a schema type that is no type");
  return nested_words(object, has_invariants);
}

std::string setting(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.configuration.find(key);
  return found == metadata.configuration.end() ? std::string() : found->second;
}

bool maps_columns(const Metadata& metadata) {
  const std::string mode = setting(metadata, "delta.columnMapping.mode");
  return !mode.empty() && mode != "none";
}

Error refusal(std::string_view what, std::string_view deed) {
  return {ErrorCode::kInvalid,
          fmt::format("the table uses {}, which pinflow cannot {}; {}", what, deed,
                      "drop the feature from the table with the tool that set it, or use another table")};
}

// What writer versions 3 to 6 add; we obey the duties of 2 alone.
std::string_view writer_duties(std::int64_t version) {
  switch (version) {
    case 3:
      return "check constraints (writer version 3)";
    case 4:
      return "change data feed or generated columns (writer version 4)";
    case 5:
      return "column mapping (writer version 5)";
    case 6:
      return "identity columns (writer version 6)";
    default:
      return "a writer version that is not known here";
  }
}

}  // namespace

Result<std::string> format_schema(const std::vector<Field>& fields) {
  if (fields.empty()) return fail(ErrorCode::kInvalid, "a table without columns");
  JsonWriter json;
  json.begin_object().key("type").string("struct").key("fields").begin_array();
  for (const Field& field : fields) {
    if (field.name.empty() || field.name.find_first_of(" ,;{}()\n\t=") != field.name.npos) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("column name '{}': Delta readers refuse empty names and those with space , ; {{ }} ( ) = "
                              "tab or line break",
                              field.name));
    }
    if (!is_written(field.type)) {
      return fail(ErrorCode::kInvalid, fmt::format("column {}: type {} is not written here", field.name, field.type));
    }
    json.begin_object().key("name").string(field.name).key("type").raw(type_json(field.type));
    json.key("nullable").boolean(true).key("metadata").begin_object().end_object().end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

Result<std::vector<Field>> parse_schema(std::string_view schema, bool& has_invariants) {
  dom::parser parser;
  dom::object object;
  if (const auto error = parser.parse(schema.data(), schema.size()).get(object)) {
    return fail(ErrorCode::kCorrupt, fmt::format("the schema is damaged: {}", simdjson::error_message(error)));
  }
  return read_fields(object, has_invariants);
}

Result<std::string> engine_type(std::string_view delta_type) {
  for (const auto& [word, type] : kTypes) {
    if (word == delta_type) return std::string(type);
  }
  if (delta_type.starts_with("decimal(")) return "DECIMAL" + std::string(delta_type.substr(7));
  if (const auto element = inside(delta_type, "array")) {
    TRY_ASSIGN(std::string type, engine_type(*element));
    return type + "[]";
  }
  if (const auto pair = inside(delta_type, "map")) {
    const auto parts = split(*pair);
    if (parts.size() == 2) {
      TRY_ASSIGN(const std::string key, engine_type(parts[0]));
      TRY_ASSIGN(const std::string value, engine_type(parts[1]));
      return fmt::format("MAP({}, {})", key, value);
    }
  }
  if (const auto members = inside(delta_type, "struct")) {
    std::string type = "STRUCT(";
    for (const std::string_view member : split(*members)) {
      const std::size_t colon = member.find(':');
      if (colon == member.npos) return fail(ErrorCode::kInvalid, fmt::format("type {} cannot be read", delta_type));
      TRY_ASSIGN(const std::string inner, engine_type(member.substr(colon + 1)));
      type += (type.ends_with('(') ? "" : ", ") + sql::quote_name(member.substr(0, colon)) + " " + inner;
    }
    return type + ")";
  }
  return fail(ErrorCode::kInvalid, fmt::format("type {} is not known to the SQL engine", delta_type));
}

Result<void> check_columns(const std::vector<Field>& schema, const std::vector<sql::ColumnInfo>& columns) {
  for (std::size_t i = 0; i < std::max(schema.size(), columns.size()); ++i) {
    sql::ColumnInfo expected{"nothing", ""};
    if (i < schema.size()) {
      TRY_ASSIGN(std::string type, engine_type(schema[i].type));
      expected = {schema[i].name, std::move(type)};
    }
    const sql::ColumnInfo given = i < columns.size() ? columns[i] : sql::ColumnInfo{"nothing", ""};
    if (given == expected) continue;
    return fail(ErrorCode::kInvalid,
                fmt::format("column {} is to be {} {}, the SELECT gives {} {}; name and cast it in the SELECT", i + 1,
                            expected.name, expected.type, given.name, given.type));
  }
  return {};
}

Result<void> check_readable(const Protocol& protocol, const Metadata& metadata) {
  if (protocol.reader > 3) {
    return fail(refusal(fmt::format("protocol reader version {}", protocol.reader), "read"));
  }
  if (protocol.reader >= 2 && maps_columns(metadata)) return fail(refusal("the feature columnMapping", "read"));
  for (const std::string& feature : protocol.reader_features) {
    // Harmless to a reader: what they promise concerns writers, or a type that the SQL engine knows.
    if (feature == "columnMapping" || feature == "timestampNtz" || feature == "vacuumProtocolCheck") continue;
    return fail(refusal("the feature " + feature, "read"));
  }
  if (metadata.provider != "parquet") return fail(refusal("data files of " + metadata.provider, "read"));
  return {};
}

Result<void> check_writable(const Protocol& protocol, const Metadata& metadata) {
  TRY(check_readable(protocol, metadata));
  if (protocol.writer == 7) {
    for (const std::string& feature : protocol.writer_features) {
      if (feature != "appendOnly" && feature != "invariants") return fail(refusal("the feature " + feature, "write"));
    }
  }
  if (protocol.writer > 2) return fail(refusal(writer_duties(protocol.writer), "write"));
  bool has_invariants = false;
  TRY_ASSIGN(const auto fields, parse_schema(metadata.schema, has_invariants));
  TRY(check_partition_columns(fields, metadata.partition_columns));
  if (has_invariants) return fail(refusal("column invariants", "write"));
  return {};
}

}  // namespace pinflow::delta::internal
