#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/queue.h"

namespace pinflow::doors {

// A few threads for jobs that read from the disk, so that a long one does not hold up all others. Jobs begin in order; at most
// `capacity` wait. Destroying it finishes the jobs at work, drops those that wait and joins.
class WorkerPool final {
 public:
  using Job = std::move_only_function<void()>;

  WorkerPool(std::size_t threads, std::size_t capacity) : jobs_(capacity) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) {
        while (auto job = jobs_.pop(stop)) (*job)();
      });
    }
  }
  ~WorkerPool() {
    for (auto& thread : threads_) thread.request_stop();
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and the job stays with the caller, when too many wait. From any thread.
  [[nodiscard]] bool try_run(Job& job) { return jobs_.try_push(job); }

 private:
  BoundedQueue<Job> jobs_;
  std::vector<std::jthread> threads_;  // Last, so that they end before the queue.
};

}  // namespace pinflow::doors
