#include "delta/fingerprint.h"

#include <fmt/format.h>

#include "base/json.h"
#include "delta/table.h"

namespace pinflow::delta {

namespace {

// The canonical text (or bytes) of a value, as SQL over the expression `value`.
Result<std::string> canonical(std::string_view type, const std::string& value) {
  if (type == "string" || type == "binary") return value;
  if (type == "double" || type == "float") return fmt::format("printf('%.17g', {})", value);
  if (type == "timestamp") return fmt::format("epoch_us({})::VARCHAR", value);
  if (type.starts_with("array<") && type.find('<', 6) == type.npos) {
    TRY_ASSIGN(const std::string element, canonical(type.substr(6, type.size() - 7), "e"));
    // array_to_string gives null for an empty list.
    return fmt::format(
        "CASE WHEN {0} IS NOT NULL THEN '[' || coalesce(array_to_string(list_transform({0}, lambda e: "
        "coalesce({1}, 'null')), ','), '') || ']' END",
        value, element);
  }
  if (type.find_first_of("<(") == type.npos) return fmt::format("{}::VARCHAR", value);
  return fail(ErrorCode::kInvalid, fmt::format("a column of type {} has no checksum", type));
}

}  // namespace

Result<std::string> fingerprint(objects::ObjectStore& store, sql::Engine& engine, const std::string& name) {
  TRY_ASSIGN(const Snapshot snapshot, read_snapshot(store, engine, name));
  TRY_ASSIGN(const std::string all, select_all(store, name, snapshot));
  std::string statement = "SELECT count(*)";
  for (const Field& field : snapshot.schema) {
    const std::string column = sql::quote_name(field.name);
    TRY_ASSIGN(const std::string text, canonical(field.type, column));
    // 60 bits of each hash fit the engine's integers; the sum does not depend on the order.
    statement += fmt::format(
        ", count(*) - count({}), coalesce(sum(('0x' || substr(md5({}), 1, 15))::BIGINT), 0) % "
        "18446744073709551616::HUGEINT",
        column, text);
  }
  TRY_ASSIGN(const auto session, engine.connect());
  TRY_ASSIGN(const sql::ResultTable table, session->query(statement + " FROM (" + all + ")"));
  const std::vector<sql::Value>& row = table.rows.at(0);
  JsonWriter json;
  json.begin_object().key("table").string(name).key("version").integer(snapshot.version.value());
  json.key("rows").raw(row.at(0).to_text()).key("columns").begin_object();
  for (std::size_t i = 0; i < snapshot.schema.size(); ++i) {
    json.key(snapshot.schema[i].name).begin_object();
    json.key("nulls").raw(row.at(2 * i + 1).to_text()).key("checksum").string(row.at(2 * i + 2).to_text()).end_object();
  }
  json.end_object().end_object();
  return std::move(json).take();
}

}  // namespace pinflow::delta
