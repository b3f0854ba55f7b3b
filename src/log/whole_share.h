#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "log/log.h"
#include "log/share.h"

namespace pinflow::log {

// The shares of a log that is one process's: each gets all partitions of its topics. It must outlive them. Safe from any thread.
class WholeShares final {
 public:
  // `topics` gives the log's topics; it may be asked from any thread, never under a lock of the log's.
  explicit WholeShares(std::function<std::vector<Topic>()> topics) : topics_(std::move(topics)) {}

  std::unique_ptr<Share> join(std::vector<std::string> topics);

  // A topic was made, got partitions, or is gone. Not under a lock that `topics` takes.
  void changed();

 private:
  class Whole;
  std::uint64_t changes() const;
  // Blocks until there are more changes than those, or stop is requested.
  void wait(std::uint64_t seen, const std::stop_token& stop);

  const std::function<std::vector<Topic>()> topics_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t changes_ = 0;  // Protected by mutex_.
};

}  // namespace pinflow::log
