#include "log/internal/partition_watch.h"

namespace pinflow::log {

PartitionWatch::PartitionWatch(const TopicTable& topics, std::span<const FetchPosition> positions,
                               std::move_only_function<void()> ready) {
  entries_.reserve(positions.size());
  for (const FetchPosition& position : positions) {
    const auto found = topics.find(position.partition);
    const auto id = found ? found->second->wait_for(position.offset, source_) : std::nullopt;
    if (id) {
      entries_.push_back({found->first, found->second, *id});
    } else {
      source_.request_stop();
      break;
    }
  }
  callback_.emplace(source_.get_token(), Call{std::move(ready)});
}

PartitionWatch::~PartitionWatch() {
  callback_.reset();
  for (const Entry& entry : entries_) entry.partition->stop_waiting(entry.id);
}

}  // namespace pinflow::log
