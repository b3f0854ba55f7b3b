#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "batch/batch_job.h"
#include "batch/internal/loaded.h"
#include "log/log.h"

namespace pinflow::batch::internal {

using LogRanges = std::map<log::TopicPartition, log::OffsetRange>;

// Of the partitions whose topics tell a kind; of `topics` alone where there are any.
Result<LogRanges> ranges_of(log::Log& log, const std::vector<std::string>& topics);

// Holds what a run took in against the log: `before` as it was before the objects were listed, `after` as it is then. Offsets that wait to be
// sunk are counted; what can never come, or must not be, is a finding: "topic/partition" and a sentence.
struct LogComparison {
  LogCounts counts;
  std::vector<std::pair<std::string, std::string>> odd;
};
LogComparison compare_with_log(const LogRanges& before, const LogRanges& after,
                               const std::map<log::TopicPartition, Taken>& taken);

}  // namespace pinflow::batch::internal
