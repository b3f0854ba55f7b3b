#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace pinflow::doors::kinesis {

// A few threads for what may not be done on the network loop: reading from the disk (several), changing topics (one, so that
// changes follow one another). At most `capacity` calls wait; what the pool's owner bounds by itself (one job of each live
// subscription, one of each pending change) is always taken. The destructor ends the waits of running jobs through the stop token,
// drops what waits, and joins. Safe from any thread.
class JobPool final {
 public:
  using Job = std::move_only_function<void(const std::stop_token&)>;

  JobPool(std::size_t threads, std::size_t capacity);
  ~JobPool();
  // Returns false, leaving `job` unmoved, when too many wait.
  [[nodiscard]] bool try_submit(Job& job);
  void submit(Job job);

 private:
  void work(const std::stop_token& stop);

  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Job> jobs_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace pinflow::doors::kinesis
