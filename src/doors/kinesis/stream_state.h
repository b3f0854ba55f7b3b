#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "doors/kinesis/shard_map.h"

namespace pinflow::doors::kinesis {

// The topic setting that holds a StreamState (docs/formats/kinesis-stream.md).
inline constexpr std::string_view kStateSetting = "pinflow.kinesis";

using Tags = std::map<std::string, std::string>;

// A shard; its index in the stream is the partition of the topic.
struct Shard {
  HashRange range;
  std::int32_t parent = -1;  // -1: none.
  std::int32_t adjacent_parent = -1;
  std::chrono::sys_seconds created;  // As its sequence numbers say.
  std::optional<WallTime> closed{};  // Written to until then.
  bool is_open() const { return !closed; }
  friend bool operator==(const Shard&, const Shard&) = default;
};

struct Consumer {
  std::string name;
  WallTime created;
  Tags tags{};
  std::string policy{};
  friend bool operator==(const Consumer&, const Consumer&) = default;
};

// A change that was promised and is not made yet. It is written down first, so that a crash cannot break the promise.
struct PendingChange {
  enum class Kind { kNone, kCreate, kDelete, kSplit, kMerge, kScale };
  Kind kind = Kind::kNone;
  std::int32_t shard = 0;     // Split, merge.
  std::int32_t adjacent = 0;  // Merge.
  HashKey at = 0;             // Split: where the second child begins.
  std::int32_t target = 0;    // Scale: open shards.
  friend bool operator==(const PendingChange&, const PendingChange&) = default;
};

// What Kinesis knows of a stream beyond its topic. A value; the retention is the topic's own setting.
struct StreamState {
  std::int32_t even = 1;      // So many shards it began with, evenly wide.
  std::vector<Shard> shards;  // All that ever were, in order of index.
  bool on_demand = false;
  std::int32_t max_record_kib = 1024;
  std::int32_t warm_mib = 0;  // Write throughput asked to be kept warm; 0: none.
  Tags tags{};
  std::vector<Consumer> consumers{};
  std::string key_id{};  // Not empty: the stream says that it is encrypted by this key.
  std::string policy{};
  std::vector<std::string> metrics{};
  std::vector<WallTime> scaled{};  // When UpdateShardCount was called in the last day.
  PendingChange pending{};
  friend bool operator==(const StreamState&, const StreamState&) = default;
};

// The shards of a stream that was never split, merged or scaled.
StreamState fresh_state(std::int32_t shards, std::chrono::sys_seconds created);

std::string encode_state(const StreamState& state);
// `created` is that of the first shards, which the text does not repeat. kCorrupt: not what encode_state writes; kInvalid: a
// newer version of it.
Result<StreamState> decode_state(std::string_view text, std::chrono::sys_seconds created);

}  // namespace pinflow::doors::kinesis
