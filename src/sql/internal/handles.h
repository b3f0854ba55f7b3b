#pragma once

#include <string_view>
#include <utility>

#include <duckdb.h>

#include "base/result.h"

namespace pinflow::sql::internal {

// Owns one handle of the engine's C interface and destroys it through `Destroy`. Movable, not copyable.
template <class T, auto Destroy>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { Destroy(&handle_); }

  T get() const { return handle_; }
  T* out() { return &handle_; }  // For functions that fill a handle.

 private:
  T handle_{};
};

using Database = Handle<duckdb_database, duckdb_close>;
using Connection = Handle<duckdb_connection, duckdb_disconnect>;
using Config = Handle<duckdb_config, duckdb_destroy_config>;
using LogicalType = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using DataChunk = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using Appender = Handle<duckdb_appender, duckdb_appender_destroy>;
using Prepared = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Extracted = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using QueryResult = Handle<duckdb_result, duckdb_destroy_result>;

// What the caller should do about an error of the engine.
ErrorCode code_of(duckdb_error_type type);
// "<the engine's words> [in: <beginning of the statement>]".
Error statement_error(ErrorCode code, const char* words, std::string_view statement);
// Runs one or more statements; the result is the last one's.
Result<QueryResult> execute(duckdb_connection connection, std::string_view statements);

}  // namespace pinflow::sql::internal
