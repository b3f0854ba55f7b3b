#include "batch/internal/stored_table.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "batch/internal/at_once.h"

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

Result<StoredTable> WrittenTable::commit() {
  TRY_ASSIGN(const auto files, files_->take());
  const auto version =
      write_.append ? table_->append(files, write_.transactions) : table_->replace(files, write_.transactions);
  // An unknown outcome may be a success: its files must stay.
  if (!version && version.error().code != ErrorCode::kUnknownOutcome) {
    for (const delta::DataFile& file : files) table_->discard(file);
  }
  if (!version) return fail(Error(version.error()).with_context(fmt::format("writing table {}", write_.name)));
  return StoredTable{.version = table_->snapshot().version, .rows = table_->snapshot().rows()};
}

std::vector<Result<WrittenTable>> write_tables(const delta::TableContext& context, sql::Session& session,
                                               const std::vector<TableWrite>& writes) {
  std::vector<Result<WrittenTable>> tables;
  std::vector<Work> opening;
  for (const TableWrite& write : writes) {
    auto spec = spec_of(session, write.name, write.description, write.select);
    if (!spec) {
      tables.emplace_back(fail(std::move(spec).error()));
      continue;
    }
    auto random = std::make_unique<Random>(context.random());
    const delta::TableContext own{context.store, context.engine, context.clock, *random, context.logger};
    WrittenTable& table = *tables.emplace_back(WrittenTable());
    table.random_ = std::move(random);
    table.write_ = write;
    opening.emplace_back([&tables, at = tables.size() - 1, own, spec = *std::move(spec)]() -> Result<void> {
      auto opened = delta::open_table(own, spec);
      if (opened) {
        tables[at]->table_ = *std::move(opened);
      } else {
        tables[at] = fail(std::move(opened).error());
      }
      return {};
    });
  }
  (void)at_once(std::move(opening));
  for (Result<WrittenTable>& table : tables) {
    if (!table) continue;
    auto files = table->table_->begin_files(session, table->write_.select);
    if (files) {
      table->files_ = *std::move(files);
    } else {
      table = fail(std::move(files).error());
    }
  }
  return tables;
}

}  // namespace pinflow::batch::internal
