#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "log/share.h"

namespace pinflow::log {

// A share that a test gives partitions to and takes them from. Safe from any thread.
class MovedShare final : public Share {
 public:
  void give(std::vector<TopicPartition> partitions) {
    std::ranges::sort(partitions);
    {
      const std::scoped_lock lock(mutex_);
      now_ = {now_.version + 1, std::move(partitions)};
    }
    changed_.notify_all();
  }
  // Waits until the lane has let go of all that it was not given last.
  void await_settled() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return settled_ == now_.version; });
  }
  bool is_settled() const {
    const std::scoped_lock lock(mutex_);
    return settled_ == now_.version;
  }
  std::vector<std::string> topics() const {
    const std::scoped_lock lock(mutex_);
    return topics_;
  }

  Assignment assignment() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  Assignment wait(std::uint64_t known, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return now_.version != known; });
    return now_;
  }
  Result<void> subscribe(const std::vector<std::string>& topics) override {
    const std::scoped_lock lock(mutex_);
    topics_ = topics;
    return {};
  }
  void settled(std::uint64_t version) override {
    {
      const std::scoped_lock lock(mutex_);
      settled_ = version;
    }
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // State below is protected by mutex_.
  Assignment now_;
  std::uint64_t settled_ = 0;
  std::vector<std::string> topics_;
};

}  // namespace pinflow::log
