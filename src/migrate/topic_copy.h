#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/log.h"
#include "log/topic_settings.h"

namespace pinflow::migrate {

// What stands at an offset that has no record where it is copied from (compaction took it), since a log that counts by itself has no
// other way to get past it: a record with this key and no value, which compaction takes in turn.
inline constexpr std::string_view kFillerKey = "pinflow.migrate.filler";

struct PartitionPlan {
  log::PartitionId partition;
  log::OffsetRange from;  // In the log that is copied.
  log::OffsetRange to;    // In the log that it is copied to; both 0 where nothing is there yet.
};

// How far a topic is copied.
struct TopicPlan {
  log::Topic topic;                 // As it is in the log that is copied.
  std::optional<log::Topic> there;  // As it is in the other one, if it is there.
  std::vector<PartitionPlan> partitions;

  std::int64_t records() const;  // Offsets that it has, also those that compaction left empty.
  std::int64_t left() const;     // Of these, those still to be copied.
};

// Looks at a topic in both logs and changes nothing. kConflict: the other log has a topic of this name that is no beginning of this one: more
// partitions, more records, or another record at the last offset that it has.
Result<TopicPlan> plan_topic(log::Log& from, log::Log& to, const std::string& topic);

struct CopiedTopic {
  std::int64_t records = 0;   // Copied by this call.
  std::int64_t fillers = 0;   // Of all offsets, those that no record of the topic has.
  std::int64_t compared = 0;  // Records that are equal on both sides.
};

// Told now and then, from several threads but never at the same time: records done and in all.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t total)>;

struct TopicCopyOptions {
  log::TopicDefaults defaults;  // Of the log that is copied: what a topic has that sets nothing.
  unsigned partitions_at_once = 4;
  std::size_t bytes_at_once = 4 << 20;    // Of one partition.
  std::int64_t fillers_at_once = 50'000;  // In one call.
};

// Makes the topic where it is missing, with as many partitions and with settings under which nothing of it is removed or changed while it is
// copied. A topic that is there keeps its other settings. Gives it as it is then.
Result<log::Topic> prepare_topic(log::Log& to, const TopicPlan& plan, const TopicCopyOptions& options);

// Copies the records of a topic, each to the partition and the offset that it has, with key, value, headers and time; then reads both topics and
// compares record by record; then gives the topic its own settings (retention as the log that is copied has it, also by default). The
// topic must be prepared. Nobody else may write to either topic meanwhile. May be called again after any error or a stop, and goes on with what is there.
// kConflict: a record is another, or went elsewhere, with the place. kCancelled: stopped. Other errors as of the logs. Blocks; `from` and `to` are
// used from several threads.
Result<CopiedTopic> copy_topic(log::Log& from, log::Log& to, const TopicPlan& plan, const TopicCopyOptions& options,
                               const CopyProgress& progress, std::stop_token stop);

}  // namespace pinflow::migrate
