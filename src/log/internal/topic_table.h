#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/internal/partition_log.h"

namespace pinflow::log {

// A topic that lives: what it is and where its records lie.
struct OpenTopic {
  Topic topic;
  disk::Path folder;
  std::vector<std::unique_ptr<PartitionLog>> partitions;
  std::int32_t next_keyless = 0;  // The committer's: where the next group of records without key goes.
};

// Shared among the table, requests that wait and readers, so that a topic deleted meanwhile lives until the
// last is done.
using OpenTopicPtr = std::shared_ptr<OpenTopic>;

// All topics under one folder. Safe from any thread; making and deleting wait for each other and for the
// disk. What the options name must outlive it.
class TopicTable final {
 public:
  struct Options {
    disk::Disk& disk;
    Logger& logger;
    disk::Path folder;  // Holds one folder per topic.
    std::uint64_t segment_size = 0;
    Durability durability = Durability::kPower;
    bool read_only = false;
  };
  explicit TopicTable(Options options) : options_(std::move(options)), random_(entropy_seed()) {}

  // Reads what is on disk, finishes deletions that were interrupted, and recovers each partition. A damaged
  // topic is noted in the report and does not stop the others.
  Result<void> load(RecoveryReport& report);

  Result<OpenTopicPtr> create(const TopicSpec& spec);
  Result<Uuid> remove(const std::string& name);

  Result<OpenTopicPtr> find(const std::string& name) const;
  // The partition, kept alive by the topic in the answer.
  Result<std::pair<OpenTopicPtr, PartitionLog*>> find(const TopicPartition& partition) const;
  std::optional<std::string> name_of(const Uuid& id) const;
  std::vector<Topic> list() const;

 private:
  Result<void> load_topic(const disk::Path& folder, RecoveryReport& report);
  Result<void> remove_files(const disk::Path& folder);
  PartitionOptions partition_options(const OpenTopic& topic, std::int32_t partition) const;

  const Options options_;
  std::mutex change_mutex_;  // One create or remove at a time.
  Random random_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, OpenTopicPtr> topics_;
  std::map<std::array<std::uint8_t, 16>, std::string> names_;  // By id.
};

}  // namespace pinflow::log
