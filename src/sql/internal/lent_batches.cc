#include "sql/internal/lent_batches.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "sql/internal/cells.h"
#include "sql/internal/handles.h"

namespace pinflow::sql::internal {

namespace {

constexpr const char* kFunction = "pinflow_batch";

using TableFunction = Handle<duckdb_table_function, duckdb_destroy_table_function>;
using EngineValue = Handle<duckdb_value, duckdb_destroy_value>;

// What one statement's scan of a batch knows.
struct Scan {
  const ColumnBatch* batch = nullptr;
  std::vector<idx_t> columns;  // Of the batch, in the order of the output.
  std::size_t next = 0;
};

template <class T>
void destroy(void* object) {
  delete static_cast<T*>(object);
}

}  // namespace

Result<void> LentBatches::install(duckdb_connection connection) {
  const TableFunction function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), kFunction);
  const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_set_extra_info(function.get(), this, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), begin);
  duckdb_table_function_set_function(function.get(), read);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(connection, function.get()) != DuckDBSuccess) {
    return fail(ErrorCode::kUnavailable, fmt::format("the SQL engine does not take the function {}", kFunction));
  }
  return {};
}

std::int64_t LentBatches::open() {
  const std::scoped_lock lock(mutex_);
  batches_.emplace(next_, nullptr);
  return next_++;
}

void LentBatches::set(std::int64_t number, const ColumnBatch* batch) {
  const std::scoped_lock lock(mutex_);
  batches_.at(number) = batch;
}

void LentBatches::close(std::int64_t number) {
  const std::scoped_lock lock(mutex_);
  batches_.erase(number);
}

std::string LentBatches::source(std::int64_t number) {
  return fmt::format("{}({})", kFunction, number);
}

const ColumnBatch* LentBatches::find(std::int64_t number) {
  const std::scoped_lock lock(mutex_);
  const auto found = batches_.find(number);
  return found == batches_.end() ? nullptr : found->second;
}

void LentBatches::bind(duckdb_bind_info info) {
  const EngineValue number(duckdb_bind_get_parameter(info, 0));
  auto& batches = *static_cast<LentBatches*>(duckdb_bind_get_extra_info(info));
  const ColumnBatch* const batch = batches.find(duckdb_get_int64(number.get()));
  if (batch == nullptr) {
    duckdb_bind_set_error(info, "pinflow_batch: no rows are lent under this number");
    return;
  }
  for (const Column& column : batch->columns()) {
    const LogicalType type(duckdb_create_logical_type(engine_type(column.type())));
    duckdb_bind_add_result_column(info, std::string(column.name()).c_str(), type.get());
  }
  duckdb_bind_set_cardinality(info, batch->rows(), true);
  auto scan = std::make_unique<Scan>();
  scan->batch = batch;
  duckdb_bind_set_bind_data(info, scan.release(), destroy<Scan>);
}

void LentBatches::begin(duckdb_init_info info) {
  auto scan = std::make_unique<Scan>(*static_cast<const Scan*>(duckdb_init_get_bind_data(info)));
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    scan->columns.push_back(duckdb_init_get_column_index(info, i));
  }
  duckdb_init_set_init_data(info, scan.release(), destroy<Scan>);
}

// One thread of a statement at a time, so that rows come in their order.
void LentBatches::read(duckdb_function_info info, duckdb_data_chunk output) {
  auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
  const std::size_t count = std::min<std::size_t>(duckdb_vector_size(), scan.batch->rows() - scan.next);
  for (std::size_t i = 0; i < scan.columns.size(); ++i) {
    // Where a statement counts rows it asks for a column that no batch has.
    if (scan.columns[i] >= scan.batch->columns().size()) continue;
    lend_vector(scan.batch->columns()[scan.columns[i]], scan.next, count, duckdb_data_chunk_get_vector(output, i));
  }
  scan.next += count;
  duckdb_data_chunk_set_size(output, count);
}

}  // namespace pinflow::sql::internal
