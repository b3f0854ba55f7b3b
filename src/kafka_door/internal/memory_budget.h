#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace pinflow::kafka_door::internal {

// What all connections together hold of requests and responses. Over the limit nobody fails: reading pauses. Safe from any thread.
class MemoryBudget final {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}
  // Called, from any thread, when what is held falls below the limit. To be set before use.
  void on_relief(std::function<void()> relieved) { relieved_ = std::move(relieved); }

  // A connection holds `now` bytes where it held `before`.
  void change(std::uint64_t before, std::uint64_t now) {
    const std::uint64_t old = held_.fetch_add(now - before, std::memory_order_relaxed);
    if (old >= limit_ && old + (now - before) < limit_) relieved_();
  }
  bool exhausted() const { return held_.load(std::memory_order_relaxed) >= limit_; }
  std::uint64_t left() const {
    const std::uint64_t held = held_.load(std::memory_order_relaxed);
    return held >= limit_ ? 0 : limit_ - held;
  }
  std::uint64_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> held_ = 0;
  std::function<void()> relieved_ = [] {};
};

}  // namespace pinflow::kafka_door::internal
