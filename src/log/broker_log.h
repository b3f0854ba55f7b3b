#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/log.h"

namespace pinflow::log {

// A producer's batch as it came from the wire.
struct BatchAppend {
  TopicPartition partition;
  std::string_view batch;  // Exactly one record batch v2, compressed or not.
  std::shared_ptr<const void>
      keep_alive;  // Shared: holds the bytes, which other batches of one request lie beside, until the answer.
};

struct BatchAppended {
  Offset base_offset;
  Offset log_start;
  std::optional<WallTime> append_time;  // Where the topic stamps records with the time of arrival.
  bool duplicate = false;               // It was stored before; base_offset says where (idempotent producers).
};

// Why a batch was not stored. Each is one of Kafka's error codes, in the words of its protocol.
enum class BatchFault {
  kUnknownTopicOrPartition,
  kCorruptMessage,            // Checksum or length: the bytes changed on their way.
  kUnsupportedMessageFormat,  // Magic 0 or 1.
  kMessageTooLarge,           // Over max.message.bytes.
  kInvalidRecord,     // The producer's own mistake: a count, a body that cannot be decompressed, or records that
                      // break a rule of the topic, which `records` names.
  kInvalidTimestamp,  // Too far from now for the topic's settings.
  kOutOfOrderSequence,
  kInvalidProducerEpoch,
  kStorage,         // Fenced or disk full: nothing was stored.
  kOverloaded,      // Too much waits for the disk: try again.
  kUnknownOutcome,  // It may be there after a restart.
};

struct RecordFault {
  std::int32_t index = 0;  // Within the batch.
  std::string message;
};

struct BatchRefusal {
  BatchFault fault = BatchFault::kStorage;
  std::string message;
  std::vector<RecordFault> records;
};

using BatchResult = std::expected<BatchAppended, BatchRefusal>;
using BatchDone = std::move_only_function<void(BatchResult)>;  // As ProduceDone: called once, must not block.

struct BatchRead {
  std::string
      bytes;  // Whole batches, the first one holds or follows the offset asked for; with true offsets and leader epochs.
  OffsetRange range;  // Log start and high watermark at that moment.
};

struct EpochEnd {
  std::int32_t leader_epoch = -1;
  Offset end;  // One past the last record of that epoch.
};

using Done = std::move_only_function<void(Result<void>)>;  // Called once, from any thread; must not block.

// What a Kafka door needs of the log beyond Log: batches as producers sent them, epochs, producer ids and the state of consumer
// groups. Safe from any thread.
class BrokerLog : public Log {
 public:
  // As topic(): from memory, at once.
  virtual Result<Topic> topic_by_id(const Uuid& id) = 0;

  // Checks the batch on the caller's thread (which decompresses it), then stores it as it came but for its offset. Never
  // blocks on the disk. Batches of one thread for one partition are stored in the order of the calls. A success means what it
  // means for produce.
  virtual void append_batch(BatchAppend append, BatchDone done) = 0;

  // Reads what is durable: whole batches of at most max_bytes, but the first whatever its size when `first_whole` is set.
  // Waits for nothing; reads from the disk on the caller's thread. kNotFound, kInvalid (offset out of range), kCorrupt.
  virtual Result<BatchRead> read_batches(const TopicPartition& partition, Offset from, std::size_t max_bytes,
                                         bool first_whole) = 0;

  // The record with the greatest timestamp, the first of equals.
  virtual Result<std::optional<TimedOffset>> find_latest_time(const TopicPartition& partition) = 0;
  // The epoch that new batches get. It grows when a start after a crash may have lost records that readers had seen.
  virtual Result<std::int32_t> leader_epoch(const TopicPartition& partition) = 0;
  // Of the greatest epoch not above `epoch`.
  virtual Result<EpochEnd> epoch_end(const TopicPartition& partition, std::int32_t epoch) = 0;

  // A producer id that was never given out before, also across restarts. The first of each thousand waits for the disk.
  virtual Result<std::int64_t> new_producer_id() = 0;

  // Like Log::commit_offsets, without waiting.
  virtual void commit_offsets_later(std::string group, std::vector<GroupOffset> offsets, Done done) = 0;
  virtual void delete_offsets(std::string group, std::vector<TopicPartition> partitions, Done done) = 0;
  // Forgets the positions of a group that were last committed before `before`.
  virtual void delete_old_offsets(std::string group, WallTime before, Done done) = 0;
  // Forgets positions and state of a group.
  virtual void delete_group(std::string group, Done done) = 0;
  // All groups that have positions or state, sorted.
  virtual std::vector<std::string> groups() = 0;
  // What the coordinator wants to find again after a restart: bytes that mean nothing to the log. Empty: none.
  virtual void store_group_state(std::string group, std::string state, Done done) = 0;
  virtual std::vector<std::pair<std::string, std::string>> group_states() = 0;
};

}  // namespace pinflow::log
