#include "sql/internal/parquet.h"

#include <fmt/format.h>

#include "sql/internal/cells.h"
#include "sql/internal/handles.h"
#include "sql/internal/statistics.h"

namespace pinflow::sql::internal {

namespace {

// The SELECT alone, fit to stand in parentheses.
std::string_view without_end(std::string_view select) {
  const std::size_t last = select.find_last_not_of(" \t\r\n;");
  return last == select.npos ? std::string_view() : select.substr(0, last + 1);
}

Result<std::vector<ColumnInfo>> describe(duckdb_connection connection, std::string_view select) {
  if (select.find('\0') != select.npos) return fail(ErrorCode::kInvalid, "a statement holds a NUL byte");
  const std::string text(select);
  Prepared prepared;
  if (duckdb_prepare(connection, text.c_str(), prepared.out()) != DuckDBSuccess) {
    return fail(statement_error(ErrorCode::kInvalid, duckdb_prepare_error(prepared.get()), select));
  }
  if (duckdb_prepared_statement_type(prepared.get()) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return fail(statement_error(ErrorCode::kInvalid, "only the rows of a SELECT can be written to Parquet", select));
  }
  std::vector<ColumnInfo> columns;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(prepared.get()); ++i) {
    const char* name = duckdb_prepared_statement_column_name(prepared.get(), i);
    const LogicalType type(duckdb_prepared_statement_column_logical_type(prepared.get(), i));
    columns.push_back({name, type_name(type.get())});
    duckdb_free(const_cast<char*>(name));
  }
  return columns;
}

// MAP(column, MAP(figure, text)) of RETURN_STATS, walked by its vectors. Keys are quoted dotted paths: "a",
// "tags"."list"."element".
std::map<std::string, StatisticsTexts> read_statistics(duckdb_vector columns, idx_t row) {
  std::map<std::string, StatisticsTexts> all;
  if (is_null(columns, row)) return all;
  const auto outer = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(columns))[row];
  const duckdb_vector pairs = duckdb_list_vector_get_child(columns);
  const duckdb_vector names = duckdb_struct_vector_get_child(pairs, 0);
  const duckdb_vector figures = duckdb_struct_vector_get_child(pairs, 1);
  const duckdb_vector inner_pairs = duckdb_list_vector_get_child(figures);
  const duckdb_vector keys = duckdb_struct_vector_get_child(inner_pairs, 0);
  const duckdb_vector values = duckdb_struct_vector_get_child(inner_pairs, 1);
  for (idx_t i = outer.offset; i < outer.offset + outer.length; ++i) {
    StatisticsTexts& texts = all[std::string(text_cell(names, i))];
    const auto inner = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(figures))[i];
    for (idx_t k = inner.offset; k < inner.offset + inner.length; ++k) {
      if (!is_null(values, k)) texts.emplace(text_cell(keys, k), text_cell(values, k));
    }
  }
  return all;
}

// Types without members, whose bounds mean something.
bool is_plain(std::string_view type) {
  return type.find_first_of("[(") == type.npos || type.starts_with("DECIMAL(");
}

}  // namespace

Result<ParquetFile> write_parquet(duckdb_connection connection, std::string_view select,
                                  const std::filesystem::path& path) {
  select = without_end(select);
  ParquetFile file;
  TRY_ASSIGN(file.schema, describe(connection, select));
  // The line break ends a comment that may close the SELECT. Level 1 costs about what snappy costs and packs
  // half as large. A column of more different values than the limit is not worth a dictionary: to look for one in columns that have none
  // took a sixth of the time.
  const std::string statement = fmt::format(
      "COPY ({}\n) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V1, "
      "DICTIONARY_SIZE_LIMIT 10000, RETURN_STATS)",
      select, quote_text(std::filesystem::absolute(path).string()));
  auto result = execute(connection, statement);
  if (!result) return fail(std::move(result).error());
  const DataChunk chunk(duckdb_fetch_chunk(result->get()));
  if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) != 1) {
    return fail(statement_error(ErrorCode::kCorrupt, "the SQL engine wrote a file but told nothing of it", statement));
  }
  std::map<std::string, StatisticsTexts> statistics;
  for (idx_t i = 0; i < duckdb_column_count(result->out()); ++i) {
    const std::string_view name = duckdb_column_name(result->out(), i);
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), i);
    if (name == "count") file.rows = static_cast<const std::uint64_t*>(duckdb_vector_get_data(vector))[0];
    if (name == "file_size_bytes") file.bytes = static_cast<const std::uint64_t*>(duckdb_vector_get_data(vector))[0];
    if (name == "column_statistics") statistics = read_statistics(vector, 0);
  }
  for (const ColumnInfo& column : file.schema) {
    const auto found = statistics.find(quote_name(column.name));
    if (found != statistics.end() && is_plain(column.type)) {
      file.columns.emplace(column.name, typed_statistics(found->second, column.type));
    }
  }
  return file;
}

}  // namespace pinflow::sql::internal
