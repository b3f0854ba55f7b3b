#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doors/kinesis/sequence_number.h"
#include "doors/kinesis/stream_state.h"
#include "log/log.h"

namespace pinflow::doors::kinesis {

enum class StreamStatus { kCreating, kDeleting, kActive, kUpdating };
std::string_view to_string(StreamStatus status);

// A topic seen as a stream, at one moment. Never changes; shared by the calls that began while it was the newest.
class Stream final {
 public:
  // kCorrupt, kInvalid: the topic's setting cannot be read.
  static Result<std::shared_ptr<const Stream>> of(const log::Topic& topic);
  // Is it what the topic says now?
  bool is_of(const log::Topic& topic) const;

  const std::string& name() const { return topic_.name; }
  const Uuid& id() const { return topic_.id; }
  const log::Topic& topic() const { return topic_; }
  const StreamState& state() const { return state_; }
  WallTime created() const { return topic_.created; }
  StreamStatus status() const;
  // Records are put only into, and read only from, streams whose shards are there.
  bool has_shards() const { return status() == StreamStatus::kActive || status() == StreamStatus::kUpdating; }
  // Was it made or changed through Kinesis?
  bool is_own() const { return own_; }
  std::int64_t retention_hours() const;

  // Those that records of the retention period may lie in, in order of index: a shard that was closed before is told no more.
  const std::vector<Shard>& shards() const { return state_.shards; }
  bool is_told(std::int32_t index, WallTime now) const;
  // Empty: no such shard, or not told any more.
  const Shard* find_shard(std::int32_t index, WallTime now) const;
  std::int32_t open_shards() const { return static_cast<std::int32_t>(open_.size()); }
  // Indices of the open shards in order of their ranges.
  std::vector<std::int32_t> open_in_order() const;
  // The open shard that a key belongs to.
  std::int32_t shard_of(HashKey key) const;
  std::vector<std::int32_t> children_of(std::int32_t index) const;

  log::TopicPartition partition(std::int32_t shard) const { return {topic_.name, log::PartitionId(shard)}; }
  SequenceText number(std::int32_t shard, std::int64_t counter, WallTime arrived) const;
  SequenceText record_number(std::int32_t shard, log::Offset offset, WallTime arrived) const {
    return number(shard, offset.value() + 1, arrived);
  }
  SequenceText starting_number(std::int32_t shard) const;
  SequenceText ending_number(std::int32_t shard) const;  // Of a closed shard.

 private:
  struct Open {
    HashKey last;
    std::int32_t index;
  };
  Stream(const log::Topic& topic, StreamState state);

  log::Topic topic_;
  StreamState state_;
  std::vector<Open> open_;  // In order of their ranges, which cover the ring.
  bool own_ = false;
};
using StreamPtr = std::shared_ptr<const Stream>;  // Shared: a call keeps the stream that it began with.

// When the first shards of a topic were made, as their sequence numbers say: AWS tells two seconds before the call.
std::chrono::sys_seconds first_creation(const log::Topic& topic);
// The settings of a topic with this state in them.
std::vector<std::pair<std::string, std::string>> with_setting(std::vector<std::pair<std::string, std::string>> configs,
                                                              std::string_view name, std::string value);

}  // namespace pinflow::doors::kinesis
