#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

#include "base/columns.h"
#include "base/result.h"
#include "disk/disk.h"
#include "log/log.h"
#include "sink/object_name.h"
#include "sql/engine.h"

namespace pinflow::sink::internal {

// The columns of a Parquet object (docs/formats/objects.md), empty.
ColumnBatch parquet_rows();
// `line` is the record's line without its newline.
void append_row(ColumnBatch& rows, const log::StoredRecord& record, std::string_view line);

// Makes Parquet objects out of rows, and lines out of Parquet objects. Safe from any thread.
class ParquetPacker {
 public:
  static Result<std::unique_ptr<ParquetPacker>> open();
  ~ParquetPacker();
  ParquetPacker(const ParquetPacker&) = delete;
  ParquetPacker& operator=(const ParquetPacker&) = delete;

  Result<std::string> pack(Compression compression, const ColumnBatch& rows);
  Result<std::string> lines(const std::string& bytes);

 private:
  ParquetPacker(std::filesystem::path folder, std::unique_ptr<sql::Engine> engine);
  std::filesystem::path fresh_path();

  const std::filesystem::path folder_;  // Its own, removed at the end.
  const std::unique_ptr<sql::Engine> engine_;
  std::atomic<std::uint64_t> made_{0};
};

}  // namespace pinflow::sink::internal
