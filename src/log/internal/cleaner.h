#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/wakeup.h"
#include "disk/disk.h"
#include "log/internal/committer.h"
#include "log/internal/segment_facts.h"
#include "log/internal/topic_table.h"

namespace pinflow::log {

// Ends the life of records: closes segments that are due, moves log starts as retention asks, drops files, compacts. One round over all
// partitions every `period`, or as soon as notify() is called; a thread of its own, which a period of zero leaves out. All
// references must outlive it. A partition that cannot be cleaned is told of once, and tried again in each round; the others go on.
class Cleaner final {
 public:
  struct Options {
    disk::Disk& disk;
    const Clock& clock;
    Logger& logger;
    TopicTable& topics;
    Committer& committer;
    std::chrono::milliseconds period{0};
    std::size_t most_keys = 1 << 20;  // Of one pass of compaction: up to 64 bytes of memory each.
  };
  explicit Cleaner(Options options);
  ~Cleaner() { stop(); }

  // Goes through all partitions now, on the caller's thread; waits for a round that is under way.
  void clean_now();
  // Has the thread do its round at once, as settings or a log start have changed.
  void notify() { wakeup_.notify(); }
  void stop();

 private:
  void run(const std::stop_token& stop);
  void clean_topic(const OpenTopicPtr& topic);
  Result<void> clean_partition(const OpenTopic& topic, PartitionLog& partition, const std::string& name);
  Result<void> compact(const OpenTopic& topic, PartitionLog& partition, const disk::Path& folder,
                       const TopicSettings& settings);
  // All segments, the open one last. `with_times`: asks the disk when each closed file was last written.
  Result<std::vector<SegmentFacts>> facts_of(const PartitionLog& partition, bool with_times) const;
  void tell(const std::string& name, const Result<void>& result);

  const Options options_;
  std::mutex round_mutex_;  // One round at a time; guards what follows.
  Random random_;
  std::map<std::string, std::string> told_;  // By partition, what was last wrong with it.
  std::stop_source stopping_;
  Wakeup wakeup_;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::log
