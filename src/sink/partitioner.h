#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"

namespace pinflow::sink {

enum class PartitionerKind : std::uint8_t { kDefault, kTimeBased, kDaily, kHourly, kField };
enum class TimestampExtractor : std::uint8_t { kWallclock, kRecord, kRecordField };

// The connector's settings of the same meaning (docs/sink.md).
struct PartitionerOptions {
  PartitionerKind kind = PartitionerKind::kDefault;
  std::string path_format = {};  // kTimeBased: "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH".
  std::chrono::milliseconds partition_duration{std::chrono::hours(1)};  // kTimeBased.
  std::string timezone = "UTC";
  TimestampExtractor extractor = TimestampExtractor::kRecord;
  std::string timestamp_field = "timestamp";
  std::vector<std::string> fields = {};  // kField: one folder for each, one below the other.
};

// Which folder a record belongs to. Not safe from several threads at once.
class Partitioner {
 public:
  // kInvalid: a zone, pattern or field name that cannot be obeyed; says which.
  static Result<std::unique_ptr<Partitioner>> make(const PartitionerOptions& options);
  virtual ~Partitioner() = default;

  struct Place {
    std::string path;  // Parts of [A-Za-z0-9._=+,:@ -] and percent codes, joined by '/'.
    WallTime time;     // As the extractor sees it; the record's own where the field is missing or no time.
  };
  // The same for the same record and settings, but under kWallclock.
  virtual Place place(log::PartitionId partition, const log::StoredRecord& record, WallTime now) = 0;
};

}  // namespace pinflow::sink
