#pragma once

#include <string>
#include <vector>

#include <duckdb.h>

#include "base/columns.h"
#include "base/result.h"
#include "sql/engine.h"

namespace pinflow::sql::internal {

// The engine's name of a type: BIGINT, DECIMAL(18,3), DOUBLE[], STRUCT(a INTEGER, b VARCHAR).
std::string type_name(duckdb_logical_type type);

// Reads the cell at `row` of a vector of any type; `type` is the vector's.
Value read_cell(duckdb_vector vector, duckdb_logical_type type, idx_t row);

// Bytes of a VARCHAR or BLOB cell that is not null; borrowed from the vector.
std::string_view text_cell(duckdb_vector vector, idx_t row);
bool is_null(duckdb_vector vector, idx_t row);

// The type of a table column that holds `type`, in SQL and as the engine's id.
std::string_view sql_type(ColumnType type);
duckdb_type engine_type(ColumnType type);

// kInvalid where a text column holds bytes that are not UTF-8, which the engine trusts its users never to
// give it.
Result<void> check_text(const Column& column);

// Copies rows [begin, begin + count) of a checked column into a fresh vector of its engine type.
void fill_vector(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector);
// The same without a copy of long texts: the vector points into the column, which must outlive its use.
void lend_vector(const Column& column, std::size_t begin, std::size_t count, duckdb_vector vector);

}  // namespace pinflow::sql::internal
