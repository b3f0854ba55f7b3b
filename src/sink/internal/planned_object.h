#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "sink/internal/parquet_rows.h"
#include "sink/object_name.h"
#include "sink/offset_runs.h"

namespace pinflow::sink::internal {

// What will be one object of a plan: records of one encoded partition, with their offsets. A value type of one thread.
struct PlannedObject {
  std::string name;
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
  OffsetRuns offsets;
  std::int64_t records = 0;
  std::string lines;                     // Of JSON.
  std::optional<ColumnBatch> rows = {};  // Of Parquet.
  SteadyTime opened;
  WallTime first_time;                // Of its first record, as the partitioner sees it.
  WallTime put_at = WallTime::max();  // By rotate_schedule_interval.

  void add(const log::StoredRecord& record);
  std::size_t payload() const { return rows ? rows->memory() : lines.size(); }
  std::size_t memory() const { return payload() + offsets.runs().size() * sizeof(OffsetRuns::Run) + sizeof(*this); }
  Result<std::string> bytes(ParquetPacker* packer) const;  // As they are put. Parquet needs the packer.
};

}  // namespace pinflow::sink::internal
