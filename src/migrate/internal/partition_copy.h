#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "log/log.h"
#include "migrate/topic_copy.h"

namespace pinflow::migrate::internal {

// One partition on its way from a log to another. One thread's; logs and plan outlive it.
class PartitionCopy {
 public:
  // Told how many more offsets are done.
  using Done = std::function<void(std::int64_t)>;

  PartitionCopy(log::Log& from, log::Log& to, std::string topic, const PartitionPlan& plan,
                const TopicCopyOptions& options, Done done);

  // Copies what is missing. Errors as of copy_topic.
  Result<void> copy(std::stop_token stop);
  // Compares what both have.
  Result<void> compare(std::stop_token stop);
  const CopiedTopic& totals() const { return totals_; }

 private:
  Result<void> fill_to_begin(std::stop_token stop);
  Result<void> fill(log::Offset until, WallTime time, std::stop_token stop);
  // Appends records that must come to lie from next_ on.
  Result<void> append(std::vector<log::Record> records);
  std::string place(log::Offset offset) const;

  log::Log& from_;
  log::Log& to_;
  const log::TopicPartition partition_;
  const PartitionPlan& plan_;
  const TopicCopyOptions& options_;
  const Done done_;
  log::Offset next_;  // The next offset that the other log gives.
  CopiedTopic totals_;
};

}  // namespace pinflow::migrate::internal
