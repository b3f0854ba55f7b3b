#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "log/internal/record_walk.h"
#include "log/record_batch.h"

namespace pinflow::log {

// What compaction did with one batch.
enum class BatchFate {
  kSame,       // It stays, byte for byte.
  kRewritten,  // Some records are gone, or it got a delete horizon.
  kEmptied,    // All are gone; its header stays, as it is the last word of an idempotent producer.
  kGone,
};

// How one batch is compacted.
struct BatchCompaction {
  // Whether a record stays. Of a record without value (a tombstone) it is asked as of any other.
  const std::function<bool(Offset offset, const RawRecord& record)>& keeps;
  bool keep_header = false;            // The batch is the last of its producer.
  std::int64_t delete_horizon_ms = 0;  // Until when tombstones stay that are met for the first time, since 1970.
};

// The delete horizon of a batch, where it has one: from then on its tombstones go.
std::optional<std::int64_t> delete_horizon(const BatchHeader& header);

// Appends to `out` what is left of a batch, exactly as check_batch accepted it. What is left keeps offsets, timestamps, the producer's
// id, epoch and sequence, and its codec; it counts as synced (run 0). The first time that a batch with tombstones is met, it gets the delete
// horizon, in the way of Kafka (KIP-534): a flag, and the base timestamp is the horizon. kCorrupt: the batch cannot be read; nothing
// was appended.
Result<BatchFate> compact_batch(std::string_view batch, const BatchHeader& header, const BatchCompaction& how,
                                std::string& out);

}  // namespace pinflow::log
