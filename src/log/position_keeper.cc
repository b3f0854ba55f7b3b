#include "log/position_keeper.h"

#include <vector>

namespace pinflow::log {

PositionKeeper::PositionKeeper(Log& log, std::string group, Logger& logger, std::chrono::milliseconds interval)
    : log_(log),
      group_(std::move(group)),
      logger_(logger),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PositionKeeper::~PositionKeeper() {
  thread_.request_stop();
  thread_.join();
}

void PositionKeeper::note(const TopicPartition& partition, Offset next) {
  {
    const std::scoped_lock lock(mutex_);
    const auto [at, is_new] = places_.try_emplace(partition, next);
    if (!is_new && at->second == next) return;
    at->second = next;
    changed_[partition] = next;
    fresh_ = true;
  }
  noted_.notify_one();
}

void PositionKeeper::run(const std::stop_token& stop) {
  while (true) {
    Places changed;
    {
      std::unique_lock lock(mutex_);
      noted_.wait(lock, stop, [&] { return fresh_; });
      fresh_ = false;
      changed = std::exchange(changed_, {});
    }
    commit(std::move(changed));
    std::unique_lock lock(mutex_);
    if (stop.stop_requested() && !fresh_) return;
    noted_.wait_for(lock, stop, interval_, [] { return false; });
  }
}

void PositionKeeper::commit(Places changed) {
  std::vector<GroupOffset> offsets;
  for (const auto& [partition, next] : changed) {
    const auto topic = log_.topic(partition.topic);
    // What was deleted since has no positions any more.
    if (topic && partition.partition.value() < topic->partitions) offsets.push_back({partition, next, -1, {}});
  }
  if (offsets.empty()) return;
  const auto stored = log_.commit_offsets(group_, offsets);
  if (!stored && !failing_)
    logger_.warning("the positions of a lane cannot be committed; its lag is shown too large until they can",
                    {{"group", group_}, {"error", stored.error().message}});
  failing_ = !stored;
  if (stored) return;
  const std::scoped_lock lock(mutex_);
  changed_.merge(changed);  // What was noted meanwhile is newer and stays.
}

}  // namespace pinflow::log
