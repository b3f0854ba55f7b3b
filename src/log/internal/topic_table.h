#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "disk/disk.h"
#include "log/embedded_log.h"
#include "log/internal/live_settings.h"
#include "log/internal/partition_log.h"
#include "log/log.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// Who works on the files of a topic and who deletes it keep out of each other's way.
struct TopicUpkeep {
  std::mutex mutex;                   // Held while files of the topic are made or removed.
  std::atomic<bool> deleted = false;  // Set before its deletion waits for the mutex, so that long work ends early.
};

// A topic that lives: what it is and where its records lie. Never changed but for what the committer keeps here: a change of the topic
// is another OpenTopic, which shares partitions and live settings with this one.
struct OpenTopic {
  Topic topic;
  disk::Path folder;
  std::shared_ptr<LiveSettings> settings;  // Shared with all partitions and with later states of this topic.
  std::vector<std::shared_ptr<PartitionLog>> partitions;                  // Shared with later states of this topic.
  std::shared_ptr<TopicUpkeep> upkeep = std::make_shared<TopicUpkeep>();  // Shared likewise.
  std::int32_t next_keyless = 0;  // The committer's: where the next group of records without key goes.
};

// Shared among the table, requests that wait and readers, so that a topic deleted meanwhile lives until the
// last is done.
using OpenTopicPtr = std::shared_ptr<OpenTopic>;

// All topics under one folder. Safe from any thread; making, changing and deleting wait for each other and for the
// disk. What the options name must outlive it.
class TopicTable final {
 public:
  struct Options {
    disk::Disk& disk;
    Logger& logger;
    const Clock& clock;
    disk::Path folder;       // Holds one folder per topic.
    TopicDefaults defaults;  // Of topics that do not set their own.
    Durability durability = Durability::kPower;
    bool read_only = false;
    RequestTable* requests = nullptr;  // As PartitionOptions::requests.
  };
  explicit TopicTable(Options options) : options_(std::move(options)), random_(entropy_seed()) {}

  // Reads what is on disk, finishes deletions that were interrupted, and recovers each partition. A damaged
  // topic is noted in the report and does not stop the others. `new_epochs`: as PartitionLog::open.
  Result<void> load(bool new_epochs, RecoveryReport& report);

  // kInvalid: a name, count or setting that is not allowed. A failure to write the manifest may yet show after a restart.
  Result<OpenTopicPtr> create(const TopicSpec& spec);
  Result<Uuid> remove(const std::string& name);
  // `total` partitions from now on. kInvalid: not more than there are, or too many.
  Result<OpenTopicPtr> add_partitions(const std::string& name, std::int32_t total);
  // Replaces all settings, which count from the next append, read or cleaning on.
  Result<OpenTopicPtr> alter(const std::string& name, TopicConfigs configs);

  Result<OpenTopicPtr> find(const std::string& name) const;
  // The partition, kept alive by the topic in the answer.
  Result<std::pair<OpenTopicPtr, PartitionLog*>> find(const TopicPartition& partition) const;
  std::optional<std::string> name_of(const Uuid& id) const;
  std::vector<Topic> list() const;
  // All topics as they are now, sorted by name.
  std::vector<OpenTopicPtr> open_topics() const;

 private:
  Result<void> load_topic(const disk::Path& folder, bool new_epochs, RecoveryReport& report);
  Result<void> remove_files(const disk::Path& folder);
  PartitionOptions partition_options(const OpenTopic& topic, std::int32_t partition) const;
  TopicSettings stored_settings(const Topic& topic) const;
  // Makes the folders of the partitions that `topic` has beyond those that are open, and opens these.
  Result<void> make_partitions(OpenTopic& topic);
  // Writes the manifest of what follows an open topic, and puts it in its place.
  Result<OpenTopicPtr> replace(OpenTopicPtr next, std::string_view change);

  const Options options_;
  std::mutex change_mutex_;  // One change at a time.
  Random random_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, OpenTopicPtr> topics_;
  std::map<std::array<std::uint8_t, 16>, std::string> names_;  // By id.
};

}  // namespace pinflow::log
