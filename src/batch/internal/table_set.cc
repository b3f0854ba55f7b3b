#include "batch/internal/table_set.h"

#include <array>
#include <optional>
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

TableSet::~TableSet() {
  for (auto& [name, pending] : pending_) {
    if (pending.committed) continue;
    for (const delta::DataFile& file : pending.files) pending.table->discard(file);
  }
}

Result<std::optional<disk::Path>> TableSet::write(const std::string& name, const std::string& description,
                                                  const std::string& select) {
  delta::TableSpec spec{.name = name, .schema = {}, .description = description};
  TRY_ASSIGN(const sql::ResultTable columns,
             session_.query(fmt::format("SELECT * FROM ({}) AS content LIMIT 0", select)));
  for (std::size_t i = 0; i < columns.columns.size(); ++i) {
    auto type = delta_type(columns.types[i]);
    if (!type)
      return fail(std::move(type).error().with_context(fmt::format("table {}, column {}", name, columns.columns[i])));
    spec.schema.push_back({columns.columns[i], *std::move(type)});
  }
  auto table = delta::open_table(context_, spec);
  if (!table) return fail(std::move(table).error().with_context(fmt::format("table {}", name)));
  Pending& pending = pending_[name];
  pending.table = *std::move(table);
  TRY_ASSIGN(pending.files, pending.table->write_files(session_, select));
  if (pending.files.empty()) return std::nullopt;
  TRY_ASSIGN(disk::Path path, context_.store.local_copy(fmt::format("{}/{}", name, pending.files.front().path)));
  return path;
}

Result<void> TableSet::commit() {
  for (auto& [name, pending] : pending_) {
    // An unknown outcome may be a success: its files must stay.
    const auto version = pending.table->replace(pending.files, {});
    pending.committed = version.has_value() || version.error().code == ErrorCode::kUnknownOutcome;
    if (!version) {
      return fail(Error(version.error())
                      .with_context(
                          fmt::format("replacing table {}; run the batch again to bring all tables up to date", name)));
    }
  }
  return {};
}

std::map<std::string, std::uint64_t> TableSet::rows() const {
  std::map<std::string, std::uint64_t> rows;
  for (const auto& [name, pending] : pending_) {
    std::uint64_t& sum = rows[name];
    for (const delta::DataFile& file : pending.files) sum += static_cast<std::uint64_t>(file.rows);
  }
  return rows;
}

}  // namespace pinflow::batch::internal
