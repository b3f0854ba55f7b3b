#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <duckdb.h>

#include "base/columns.h"
#include "base/result.h"

namespace pinflow::sql::internal {

// The batches whose rows statements of an engine read where they lie, through the table function pinflow_batch(number). Safe from
// any thread; outlives the engine's database. A batch outlives its lending.
class LentBatches {
 public:
  // Makes the table function known to the database of the connection.
  Result<void> install(duckdb_connection connection);
  // A number, for a batch that follows.
  std::int64_t open();
  // What the number stands for from now on; null: nothing. The texts were checked. Columns are those of the batch before.
  void set(std::int64_t number, const ColumnBatch* batch);
  void close(std::int64_t number);

  // "pinflow_batch(7)".
  static std::string source(std::int64_t number);

 private:
  static void bind(duckdb_bind_info info);
  static void begin(duckdb_init_info info);
  static void read(duckdb_function_info info, duckdb_data_chunk output);
  const ColumnBatch* find(std::int64_t number);

  std::mutex mutex_;
  std::int64_t next_ = 0;
  std::map<std::int64_t, const ColumnBatch*> batches_;
};

}  // namespace pinflow::sql::internal
