#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/result.h"

namespace pinflow::bench {

// A commit of a Delta table, as one who is not its writer saw it.
struct SeenCommit {
  std::int64_t version = 0;
  std::chrono::steady_clock::time_point seen;  // When its bytes were read.
  std::map<std::int32_t, std::int64_t>
      through;  // By source partition: the last offset that it contains. Empty: no append.
  int added_files = 0;
  int removed_files = 0;
};

// Watches the log folder of one Delta table from a thread of its own: the kernel tells of each new file, so a commit is seen when any
// reader could see it, and nothing is asked for meanwhile. Public calls are safe from any thread.
class CommitWatch {
 public:
  // Begins behind the commits that are there. kUnavailable: the folder cannot be watched.
  static Result<std::unique_ptr<CommitWatch>> start(const std::filesystem::path& log_folder);
  ~CommitWatch();

  // Waits until the table holds a partition through an offset. False: not within this time.
  bool wait_for(std::int32_t partition, std::int64_t offset, std::chrono::seconds longest);
  // Stops watching; gives what was seen, in order.
  std::vector<SeenCommit> stop();

 private:
  CommitWatch(std::filesystem::path folder, int events, int wake);
  void run();
  void take_new();

  const std::filesystem::path folder_;
  const int events_;
  const int wake_;
  std::int64_t next_version_ = 0;
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<SeenCommit> commits_;
  std::map<std::int32_t, std::int64_t> through_;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::bench
