#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pinflow::log {

// Runs the parts of one job on several threads at once: syncs of different files that are under way together share one flush of
// the disk's journal, so a commit over six partitions costs little more than one over a single partition.
// Owned by one thread, which calls run(). The helping threads start with the team and end with it.
class SyncTeam final {
 public:
  explicit SyncTeam(std::size_t threads);  // In all, with the caller; 1 runs everything on the caller.
  ~SyncTeam();
  SyncTeam(const SyncTeam&) = delete;
  SyncTeam& operator=(const SyncTeam&) = delete;

  // Calls part(0), ..., part(count - 1), each once, on any of the threads, and returns when all have returned.
  void run(std::size_t count, const std::function<void(std::size_t)>& part);

 private:
  void help();
  void take_parts(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  const std::function<void(std::size_t)>* part_ = nullptr;  // Of the job at work; borrowed from run().
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::size_t at_work_ = 0;  // Parts taken and not yet returned.
  bool stopped_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace pinflow::log
