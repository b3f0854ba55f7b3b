#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/uuid.h"

namespace pinflow::log {

using Offset = Strong<struct OffsetTag, std::int64_t>;
using PartitionId = Strong<struct PartitionTag, std::int32_t>;

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct Header {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const Header&, const Header&) = default;
};

// A record to be stored. No key or no value is Kafka's null, which is not the empty text.
struct Record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  std::optional<WallTime> timestamp;  // Absent: the time of arrival.
  friend bool operator==(const Record&, const Record&) = default;
};

// A record as it lies in the log.
struct StoredRecord {
  Offset offset;
  WallTime timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
};

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  std::vector<std::pair<std::string, std::string>> configs;  // Kafka's topic settings.
};

struct Topic {
  std::string name;
  Uuid id;  // A topic made again under the same name has another id.
  std::int32_t partitions = 0;
  std::vector<std::pair<std::string, std::string>> configs;
  WallTime created{};
};

// Where one record went: its partition and offset.
struct Appended {
  PartitionId partition;
  Offset offset;
  bool repeated = false;  // It was there already (Log::produce_once).
};

// By what a request is known when it comes again (Log::produce_once): numbers that are spread like random ones, such as parts of a hash.
struct RequestMark {
  std::uint64_t request = 0;  // Of who asks, of the topic, and of their name for this request. 62 bits count.
  std::uint32_t content = 0;  // Of all that the request says. 31 bits count.
};

struct OffsetRange {
  Offset begin;  // First offset still there.
  Offset end;    // One past the last durable record (the high watermark).
};

// What to read: each partition from its position.
struct FetchPosition {
  TopicPartition partition;
  Offset offset;
};

struct FetchRequest {
  std::vector<FetchPosition> positions;
  std::size_t max_bytes = 4 << 20;        // In all; a first record larger than this is given all the same.
  std::size_t max_records = SIZE_MAX;     // In all.
  std::size_t min_bytes = 1;              // Wait until so many bytes are there ...
  std::chrono::milliseconds max_wait{0};  // ... or so long.
};

struct FetchedPartition {
  TopicPartition partition;
  Offset high_watermark;
  std::vector<StoredRecord> records;  // In order of offset. Offsets may have gaps (compaction).
  Offset next;                        // Where to read on: past the last record and any gap behind it.
  std::optional<Error> error;         // kNotFound: no such partition. kInvalid: offset out of range. kCorrupt: damage.
};

struct GroupOffset {
  TopicPartition partition;
  Offset offset;                   // The next one to read.
  std::int32_t leader_epoch = -1;  // Of the last record read, as the consumer tells it; -1 unknown.
  std::string metadata = {};       // The consumer's own note.
};

struct TimedOffset {
  Offset offset;
  WallTime timestamp;
  std::int32_t leader_epoch = 0;
};

// Withdraws its watch when destroyed: after that, the callback neither runs nor will.
class Watch {
 public:
  virtual ~Watch() = default;
};

// Called once, from a thread of the log's, or within produce() when refused at once; must not block. One entry per record in the order they were
// given; a success means that the record is as durable as the log's level says (docs/acknowledgement.md).
using ProduceDone = std::move_only_function<void(std::vector<Result<Appended>>)>;

// Where a record without explicit partition goes: by murmur2 of its key as Kafka's Java client does, or,
// without a key, to one partition for a while and then the next.
inline constexpr PartitionId kAnyPartition{-1};

class Share;  // log/share.h

// Topics of ordered, durable records. The embedded log and a Kafka cluster both fulfil it, so nothing here
// assumes a local disk, one writer, or gapless offsets. Safe from any thread. Errors of all calls: kNotFound
// (topic, partition), kInvalid, kConflict (topic exists), kOverloaded (a queue is full), kUnavailable
// (fenced, disk full, broker away), kUnknownOutcome (produce that may have happened), kCorrupt.
class Log {
 public:
  virtual ~Log() = default;

  // May block for a round trip: not for network loops. kInvalid names the setting or count and what is allowed.
  virtual Result<Topic> create_topic(const TopicSpec& spec) = 0;
  virtual Result<void> delete_topic(const std::string& name) = 0;
  virtual Result<Topic> add_partitions(const std::string& topic, std::int32_t total) = 0;
  // Replaces all settings of the topic (log/topic_settings.h has the known ones).
  virtual Result<Topic> alter_topic(const std::string& topic,
                                    std::vector<std::pair<std::string, std::string>> configs) = 0;
  // Moves the log start; records before it are gone for readers at once, their files later. Gives the new log start.
  virtual Result<Offset> delete_records(const TopicPartition& partition, Offset before) = 0;

  // Answer from memory, at once.
  virtual Result<Topic> topic(const std::string& name) = 0;
  virtual std::vector<Topic> topics() = 0;  // Sorted by name.

  // Stores records in one topic, all to `partition` or each by its key (kAnyPartition). Never blocks: over
  // the bound `done` gets kOverloaded. Records of one call that share a partition lie next to each other.
  virtual void produce(const std::string& topic, PartitionId partition, std::vector<Record> records,
                       ProduceDone done) = 0;

  // Stores the records of one request at most once, however often it comes: one that is known by its mark, within the window and number
  // that the log remembers (EmbeddedLogOptions::request_window), is answered with the offsets of the first time, also after a restart;
  // what failed the first time is stored now. kConflict: the mark stands for other content; nothing is stored. `partitions` says
  // where each record goes and is as long as `records`, or empty: all kAnyPartition. Records without key or partition go together where
  // the mark says. What one partition gets is stored whole or not at all. Otherwise as produce().
  virtual void produce_once(const std::string& topic, RequestMark mark, std::vector<Record> records,
                            std::vector<PartitionId> partitions, ProduceDone done) = 0;

  // Reads what is durable. Blocks as the request says, and returns early with what it has when `stop` is
  // requested. A partition with nothing new has no entry;
  // one with a gap and nothing behind it has an entry without records.
  virtual Result<std::vector<FetchedPartition>> fetch(const FetchRequest& request, std::stop_token stop) = 0;
  virtual Result<OffsetRange> offsets(const TopicPartition& partition) = 0;
  // The first record (by offset) whose timestamp is not before `time`; none when all are older. Exact also inside compressed
  // batches. Reads from the disk on the caller's thread.
  virtual Result<std::optional<TimedOffset>> find_time(const TopicPartition& partition, WallTime time) = 0;
  // Calls `ready` once, from a thread of the log's or within the call, as soon as one of the partitions has a durable record at or behind
  // its position, or is gone.
  virtual std::unique_ptr<Watch> watch(std::span<const FetchPosition> positions,
                                       std::move_only_function<void()> ready) = 0;

  // Consumer positions by group; durable like records. A group or partition without a commit is absent from
  // the answer.
  virtual Result<void> commit_offsets(const std::string& group, const std::vector<GroupOffset>& offsets) = 0;
  virtual Result<std::vector<GroupOffset>> committed_offsets(const std::string& group) = 0;

  // Joins those who share the partitions of these topics under this group's name (log/share.h). Who commits positions of the group may
  // be a member or not. The log must outlive the share.
  virtual Result<std::unique_ptr<Share>> join(const std::string& group, const std::vector<std::string>& topics) = 0;
};

}  // namespace pinflow::log
