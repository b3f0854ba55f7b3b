#pragma once

#include <array>
#include <expected>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "log/broker_log.h"
#include "log/record_batch.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// A batch that may be stored: `front`, with the true offset stamped into it, and then `records` as they came.
struct ValidBatch {
  BatchHeader header;  // What `front` says.
  std::array<char, kBatchHeaderSize>
      front;                 // As sent, but for a greatest timestamp that was wrong or is the time of arrival.
  std::string_view records;  // Points into the batch.
  std::optional<WallTime> append_time;  // Where the topic stamps records with the time of arrival.
};

// Holds a producer's batch to all that a Kafka broker checks before it stores one: form, checksum, counts, one offset after the other,
// what clients may not send, and the rules of its topic. One pass over the records and no allocation; records that are compressed
// are decompressed into storage that the thread keeps. A batch whose checksum is right but whose content is nonsense is
// kInvalidRecord, which clients do not send again; kCorruptMessage is for bytes that changed on their way. Safe from any thread.
std::expected<ValidBatch, BatchRefusal> validate_batch(std::string_view batch, const TopicSettings& settings,
                                                       WallTime now);

// Holds a record, which the log itself will put into a batch, to the same rules of its topic. kInvalid says which it breaks.
Result<void> check_record(const Record& record, const TopicSettings& settings, WallTime now);

}  // namespace pinflow::log
