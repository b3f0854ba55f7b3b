#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/logger.h"
#include "log/log.h"

namespace pinflow::log {

// Tells the log how far a reader of ours has come, as the positions of a consumer group, so that Kafka's tools show its lag.
// Nothing else depends on these positions: a commit that fails costs a line in the log, and the positions are committed with the
// next ones. A thread of its own commits, at most once an interval and when it is destroyed; it sleeps while nothing changes.
// note() never waits for the disk and is safe from any thread. The log and the logger must outlive it.
class PositionKeeper final {
 public:
  PositionKeeper(Log& log, std::string group, Logger& logger,
                 std::chrono::milliseconds interval = std::chrono::seconds(1));
  ~PositionKeeper();

  // All records of the partition below `next` are done.
  void note(const TopicPartition& partition, Offset next);

 private:
  using Places = std::map<TopicPartition, Offset>;

  void run(const std::stop_token& stop);
  void commit(Places changed);

  Log& log_;
  const std::string group_;
  Logger& logger_;
  const std::chrono::milliseconds interval_;
  bool failing_ = false;  // The thread's own.

  std::mutex mutex_;
  std::condition_variable_any noted_;
  // State below is protected by mutex_.
  Places places_;
  Places changed_;  // Not committed yet.
  bool fresh_ = false;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::log
