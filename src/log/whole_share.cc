#include "log/whole_share.h"

#include <algorithm>
#include <optional>

namespace pinflow::log {

class WholeShares::Whole final : public Share {
 public:
  Whole(WholeShares& all, std::vector<std::string> topics) : all_(all), topics_(std::move(topics)) {}

  Assignment assignment() const override {
    const std::scoped_lock lock(mutex_);
    return look();
  }

  Assignment wait(std::uint64_t known, std::stop_token stop) override {
    while (true) {
      const std::uint64_t seen = all_.changes();
      Assignment now = assignment();
      if (now.version != known || stop.stop_requested()) return now;
      all_.wait(seen, stop);
    }
  }

  Result<void> subscribe(const std::vector<std::string>& topics) override {
    {
      const std::scoped_lock lock(mutex_);
      topics_ = topics;
    }
    all_.changed();  // For whoever waits for this share.
    return {};
  }

  void settled(std::uint64_t) override {}  // Nobody waits for what is let go of.

 private:
  // Under mutex_.
  const Assignment& look() const {
    std::vector<TopicPartition> partitions;
    for (const Topic& topic : all_.topics_()) {
      if (std::ranges::find(topics_, topic.name) == topics_.end()) continue;
      for (std::int32_t id = 0; id < topic.partitions; ++id) partitions.push_back({topic.name, PartitionId(id)});
    }
    std::ranges::sort(partitions);
    if (last_.version == 0 || partitions != last_.partitions) last_ = {last_.version + 1, std::move(partitions)};
    return last_;
  }

  WholeShares& all_;
  mutable std::mutex mutex_;
  // State below is protected by mutex_.
  std::vector<std::string> topics_;
  mutable Assignment last_;  // As it was last told.
};

std::unique_ptr<Share> WholeShares::join(std::vector<std::string> topics) {
  return std::make_unique<Whole>(*this, std::move(topics));
}

void WholeShares::changed() {
  {
    const std::scoped_lock lock(mutex_);
    ++changes_;
  }
  changed_.notify_all();
}

std::uint64_t WholeShares::changes() const {
  const std::scoped_lock lock(mutex_);
  return changes_;
}

void WholeShares::wait(std::uint64_t seen, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return changes_ != seen; });
}

}  // namespace pinflow::log
