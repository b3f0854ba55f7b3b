#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"
#include "sink/internal/offset_runs.h"
#include "sink/object_name.h"

namespace pinflow::sink::internal {

// What will be one object of a plan: records of one encoded partition, with their offsets. A value type of one thread.
struct PlannedObject {
  std::string name;
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
  OffsetRuns offsets;
  std::int64_t records = 0;
  std::string lines;
  SteadyTime opened;
  WallTime first_time;                // Of its first record, as the partitioner sees it.
  WallTime put_at = WallTime::max();  // By rotate_schedule_interval.

  void add(const log::StoredRecord& record);
  std::size_t memory() const { return lines.size() + offsets.runs().size() * sizeof(OffsetRuns::Run) + sizeof(*this); }
  Result<std::string> bytes() const;  // As they are put.
};

}  // namespace pinflow::sink::internal
