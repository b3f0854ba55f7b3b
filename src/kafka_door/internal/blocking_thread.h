#pragma once

#include <functional>
#include <thread>

#include "base/queue.h"

namespace pinflow::kafka_door::internal {

// One thread for what network loops may not do: wait for the disk. Jobs run in order, at most `capacity` wait. Destroying it finishes
// the running job and drops the waiting ones.
class BlockingThread final {
 public:
  using Job = std::move_only_function<void()>;

  explicit BlockingThread(std::size_t capacity)
      : jobs_(capacity), thread_([this](const std::stop_token& stop) {
          while (auto job = jobs_.pop(stop)) (*job)();
        }) {}

  // Finishes the running job and drops the waiting ones, and all that come later.
  void stop() {
    jobs_.close();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  // False, with `job` untouched: too many wait. From any thread.
  [[nodiscard]] bool try_run(Job& job) { return jobs_.try_push(job); }

 private:
  BoundedQueue<Job> jobs_;
  std::jthread thread_;  // Last, so that it ends before the queue.
};

}  // namespace pinflow::kafka_door::internal
