#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "log/broker_log.h"
#include "log/internal/topic_table.h"

namespace pinflow::log {

// Waits with several partitions at once for the first record of any. The callback belongs to a stop_callback, whose rules are
// the ones that a Watch promises: it runs once, within the constructor where a record is there already; the destructor waits
// for it when it runs on another thread. Costs nothing while no record comes.
class PartitionWatch final : public Watch {
 public:
  PartitionWatch(const TopicTable& topics, std::span<const FetchPosition> positions,
                 std::move_only_function<void()> ready);
  ~PartitionWatch() override;

 private:
  struct Entry {
    OpenTopicPtr topic;  // Keeps the partition alive.
    PartitionLog* partition;
    Waiters::Id id;
  };
  // Moves the function out before the call, which may destroy the watch.
  struct Call {
    std::move_only_function<void()> ready;
    void operator()() {
      auto call = std::move(ready);
      call();
    }
  };
  std::stop_source source_;
  std::vector<Entry> entries_;
  std::optional<std::stop_callback<Call>> callback_;
};

}  // namespace pinflow::log
