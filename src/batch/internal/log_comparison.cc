#include "batch/internal/log_comparison.h"

#include <algorithm>

#include <fmt/format.h>

#include "records/kind.h"

namespace pinflow::batch::internal {

Result<LogRanges> ranges_of(log::Log& log, const std::vector<std::string>& topics) {
  LogRanges ranges;
  for (const log::Topic& topic : log.topics()) {
    if (!records::kind_of(topic.name)) continue;
    if (!topics.empty() && std::ranges::find(topics, topic.name) == topics.end()) continue;
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
      const log::TopicPartition name{topic.name, log::PartitionId(partition)};
      const auto range = log.offsets(name);
      if (!range && range.error().code == ErrorCode::kNotFound) continue;  // Deleted meanwhile.
      if (!range) return fail(range.error());
      ranges.emplace(name, *range);
    }
  }
  return ranges;
}

LogComparison compare_with_log(const LogRanges& before, const LogRanges& after,
                               const std::map<log::TopicPartition, Taken>& taken) {
  LogComparison comparison;
  for (const auto& [partition, range] : before) {
    const auto found = taken.find(partition);
    const Taken objects = found == taken.end() ? Taken() : found->second;
    const std::string place = fmt::format("{}/{}", partition.topic, partition.partition);
    // Objects may have come since the range was read.
    const std::int64_t end =
        std::max(range.end, std::min(objects.next, after.contains(partition) ? after.at(partition).end : range.end))
            .value();
    const std::int64_t next = objects.next.value();
    const std::int64_t gone = std::max<std::int64_t>(0, range.begin.value() - next);
    const std::int64_t waiting = std::max<std::int64_t>(0, end - std::max(next, range.begin.value())) + objects.open;
    comparison.counts.offsets += static_cast<std::uint64_t>(end);
    comparison.counts.gone += static_cast<std::uint64_t>(gone);
    comparison.counts.waiting += static_cast<std::uint64_t>(waiting);
    if (gone > 0 && found != taken.end()) {
      comparison.odd.emplace_back(place, fmt::format("offsets {} to {} left the log before they were in an object",
                                                     next, range.begin.value() - 1));
    }
    if (next > end) {
      comparison.odd.emplace_back(place,
                                  fmt::format("objects reach to offset {}, the log only to {}: the log lost records, "
                                              "or the objects are another log's",
                                              next - 1, end - 1));
    }
  }
  comparison.counts.taken = comparison.counts.offsets -
                            std::min(comparison.counts.offsets, comparison.counts.gone + comparison.counts.waiting);
  return comparison;
}

}  // namespace pinflow::batch::internal
