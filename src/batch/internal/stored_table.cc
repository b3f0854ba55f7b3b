#include "batch/internal/stored_table.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace pinflow::batch::internal {

Result<std::string> delta_type(std::string_view engine_type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes = {{
      {"BIGINT", "long"},
      {"INTEGER", "integer"},
      {"DOUBLE", "double"},
      {"BOOLEAN", "boolean"},
      {"VARCHAR", "string"},
      {"BLOB", "binary"},
      {"DATE", "date"},
      {"TIMESTAMP WITH TIME ZONE", "timestamp"},
      {"NULL", "string"},  // A column that is NULL in each row says nothing of its type.
  }};
  for (const auto& [engine, delta] : kTypes) {
    if (engine == engine_type) return std::string(delta);
    if (engine_type == fmt::format("{}[]", engine)) return fmt::format("array<{}>", delta);
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("type {} has no place in a Delta table; cast the column to BIGINT, INTEGER, DOUBLE, BOOLEAN, "
                          "VARCHAR, BLOB, DATE, TIMESTAMPTZ or a list of one of these",
                          engine_type));
}

Result<delta::TableSpec> spec_of(sql::Session& session, const std::string& name, const std::string& description,
                                 const std::string& select) {
  delta::TableSpec spec{.name = name, .schema = {}, .description = description};
  TRY_ASSIGN(const sql::ResultTable columns,
             session.query(fmt::format("SELECT * FROM ({}) AS content LIMIT 0", select)));
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    auto type = delta_type(columns.types[i]);
    if (!type)
      return fail(std::move(type).error().with_context(fmt::format("table {}, column {}", name, columns.columns[i])));
    spec.schema.push_back({columns.columns[i], *std::move(type)});
  }
  return spec;
}

namespace {

template <class Commit>
Result<StoredTable> store(const delta::TableContext& context, sql::Session& session, const std::string& name,
                          const std::string& description, const std::string& select, Commit commit) {
  TRY_ASSIGN(const delta::TableSpec spec, spec_of(session, name, description, select));
  TRY_ASSIGN(const auto table, delta::open_table(context, spec));
  TRY_ASSIGN(const auto files, table->write_files(session, select));
  const Result<delta::Version> version = commit(*table, files);
  // An unknown outcome may be a success: its files must stay.
  if (!version && version.error().code != ErrorCode::kUnknownOutcome) {
    for (const delta::DataFile& file : files) table->discard(file);
  }
  if (!version) return fail(Error(version.error()).with_context(fmt::format("writing table {}", name)));
  return StoredTable{.version = table->snapshot().version, .rows = table->snapshot().rows()};
}

}  // namespace

Result<StoredTable> replace_table(const delta::TableContext& context, sql::Session& session, const std::string& name,
                                  const std::string& description, const std::string& select,
                                  const std::vector<delta::Transaction>& transactions) {
  return store(context, session, name, description, select,
               [&](delta::Table& table, const auto& files) { return table.replace(files, transactions); });
}

Result<StoredTable> append_to_table(const delta::TableContext& context, sql::Session& session, const std::string& name,
                                    const std::string& description, const std::string& select,
                                    const std::vector<delta::Transaction>& transactions) {
  return store(context, session, name, description, select,
               [&](delta::Table& table, const auto& files) { return table.append(files, transactions); });
}

}  // namespace pinflow::batch::internal
