#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace pinflow::migrate::internal {

// Reads the records of one partition in order, from an offset up to another. One thread's; the log outlives it.
class RecordReader {
 public:
  RecordReader(log::Log& log, log::TopicPartition partition, log::Offset begin, log::Offset end, std::size_t max_bytes)
      : log_(log), partition_(std::move(partition)), next_(begin), end_(end), max_bytes_(max_bytes) {}

  // The next records below the end; none once the end is reached. kUnavailable: the log gives none although it has some; kCancelled: stopped.
  Result<std::vector<log::StoredRecord>> read(std::stop_token stop);
  // Where the next read begins: behind the records that were given and any gap behind them, at most the end.
  log::Offset next() const { return next_; }

 private:
  log::Log& log_;
  const log::TopicPartition partition_;
  log::Offset next_;
  const log::Offset end_;
  const std::size_t max_bytes_;
};

// The record at an offset, empty where there is none.
Result<std::optional<log::StoredRecord>> read_record(log::Log& log, const log::TopicPartition& partition,
                                                     log::Offset offset);

bool is_filler(const log::StoredRecord& record);
// Key, value, headers, time and offset.
bool same_record(const log::StoredRecord& one, const log::StoredRecord& other);

}  // namespace pinflow::migrate::internal
