#pragma once

#include <filesystem>
#include <string_view>

#include <duckdb.h>

#include "base/result.h"
#include "sql/engine.h"

namespace pinflow::sql::internal {

// Session::write_parquet over a connection.
Result<ParquetFile> write_parquet(duckdb_connection connection, std::string_view select,
                                  const std::filesystem::path& path);

}  // namespace pinflow::sql::internal
