#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/columns.h"
#include "base/result.h"
#include "records/kind.h"

namespace pinflow::emulator::internal {

std::string_view table_of(records::Kind kind);  // pinterest_data, geolocation_data, user_data.

// A data base that holds the three tables, in its own dialect. Used by one thread at a time.
class TableStore {
 public:
  virtual ~TableStore() = default;

  virtual std::string quote(std::string_view name) const = 0;
  // An expression that gives a column as an answer should have it: times as 'YYYY-MM-DD HH:MM:SS'.
  virtual std::string select_expression(const Column& column, bool is_time) const = 0;
  virtual Result<bool> has_table(records::Kind kind) = 0;

  // Makes the three tables, empty; drops what was there under their names when `replace` is set.
  virtual Result<void> create_tables(bool replace) = 0;
  // Adds rows with raw_columns(kind) at the front. Times must be text that check_time took, or null.
  virtual Result<void> insert(records::Kind kind, const ColumnBatch& batch) = 0;
  virtual Result<void> commit() = 0;  // Makes all since create_tables last, where the data base can.

  // Runs one SELECT and appends its rows to `into`, whose columns it has in number and kind. kCorrupt: a value that does not fit.
  virtual Result<void> select(const std::string& statement, ColumnBatch& into) = 0;
};

Result<std::unique_ptr<TableStore>> open_duckdb_store(const std::string& path, bool for_writing);
Result<std::unique_ptr<TableStore>> open_mysql_store(const std::string& url);
// The one or the other, by the form of `location`.
Result<std::unique_ptr<TableStore>> open_store(const std::string& location, bool for_writing);
// Opens a store and makes its three tables, empty. kConflict: one is there already and nobody gave it up.
Result<std::unique_ptr<TableStore>> open_empty_store(const std::string& location, bool replace);

// For messages: a location without what may hold a password.
std::string shown(const std::string& location);

// True for the columns that are times: their text becomes a TIMESTAMP or DATETIME column.
bool is_time_column(std::string_view name);

}  // namespace pinflow::emulator::internal
