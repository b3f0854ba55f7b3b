#include "log/batch_validation.h"

#include <algorithm>
#include <limits>
#include <string>

#include "log/compression.h"
#include "log/internal/record_walk.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kMostFaults = 10'000;    // Records that a refusal names.
constexpr std::size_t kKeepScratch = 4 << 20;  // A thread gives larger storage back.
constexpr std::size_t kMagicPlace = 16;
constexpr std::int64_t kNoTimestamp = -1;  // A record that a client gave no time.

using Refused = std::unexpected<BatchRefusal>;

Refused refuse(BatchFault fault, std::string message) {
  return Refused(BatchRefusal{fault, std::move(message), {}});
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

bool fits(std::size_t batch, const TopicSettings& settings) {
  return settings.max_message_bytes >= 0 && batch <= static_cast<std::uint64_t>(settings.max_message_bytes);
}

// What message.timestamp.before.max.ms and message.timestamp.after.max.ms allow now.
struct TimeRange {
  std::int64_t earliest = 0;
  std::int64_t latest = 0;
  TimeRange(const TopicSettings& settings, WallTime now)
      : earliest(saturating_add(now.time_since_epoch().count(), -settings.timestamp_before_max_ms)),
        latest(saturating_add(now.time_since_epoch().count(), settings.timestamp_after_max_ms)) {}
  bool allows(std::int64_t time) const { return time >= earliest && time <= latest; }
  std::string refusal(std::int64_t time) const {
    return fmt::format(
        "the timestamp {} lies outside of {} to {}, which the topic's settings "
        "message.timestamp.before.max.ms and message.timestamp.after.max.ms allow now",
        time, earliest, latest);
  }
};

constexpr std::string_view kNeedsKey = "a record of a compacted topic needs a key";

// Storage for decompressed records, kept from batch to batch.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() {
    if (text_.capacity() > kKeepScratch) text_ = std::string();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string& text() { return text_; }

 private:
  static thread_local std::string text_;
};
thread_local std::string Scratch::text_;

// What the header alone tells.
std::expected<BatchHeader, BatchRefusal> check_header(std::string_view batch, const TopicSettings& settings) {
  // The formats before this one have their number at the same place, but shorter headers.
  if (batch.size() > kMagicPlace && (batch[kMagicPlace] == 0 || batch[kMagicPlace] == 1))
    return refuse(BatchFault::kUnsupportedMessageFormat,
                  fmt::format("message format {} is older than Kafka 0.11 and not supported; use a newer client",
                              static_cast<int>(batch[kMagicPlace])));
  const auto header = read_batch_header(batch);
  if (!header)
    return refuse(header.error().code == ErrorCode::kInvalid ? BatchFault::kUnsupportedMessageFormat
                                                             : BatchFault::kCorruptMessage,
                  header.error().message);
  if (header->size > batch.size())
    return refuse(BatchFault::kCorruptMessage,
                  fmt::format("record batch: {} of {} bytes are there", batch.size(), header->size));
  if (header->size < batch.size())
    return refuse(BatchFault::kInvalidRecord,
                  fmt::format("a produce request carries one record batch a partition, but {} bytes follow it",
                              batch.size() - header->size));
  if (!fits(header->size, settings))
    return refuse(BatchFault::kMessageTooLarge,
                  fmt::format("the batch has {} bytes, but max.message.bytes of the topic is {}", header->size,
                              settings.max_message_bytes));
  if (const auto whole = check_batch(batch); !whole) return refuse(BatchFault::kCorruptMessage, whole.error().message);
  return *header;
}

// What only makes sense once the checksum says that these are the producer's own words.
std::optional<Refused> find_forbidden(const BatchHeader& header) {
  const auto invalid = [](std::string message) {
    return std::optional(refuse(BatchFault::kInvalidRecord, std::move(message)));
  };
  if (header.record_count < 1 || header.record_count - 1 != header.last_offset_delta)
    return invalid(fmt::format("the batch counts {} records, but its last offset delta is {}", header.record_count,
                               header.last_offset_delta));
  if (header.is_control()) return invalid("control batches are the broker's own");
  if (header.is_transactional()) return invalid("transactions are not offered; produce without a transactional.id");
  if (header.has_delete_horizon()) return invalid("a delete horizon is the broker's own");
  if (header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0))
    return invalid(
        fmt::format("the batch of producer {} has the epoch {} and the sequence {}, which must not be negative",
                    header.producer_id, header.producer_epoch, header.base_sequence));
  if (const auto codec = codec_of(header.codec()); !codec) return invalid(codec.error().message);
  if (header.log_append_time())
    return refuse(BatchFault::kInvalidTimestamp, "a producer must not set the timestamp type to LogAppendTime");
  return std::nullopt;
}

// Walks the records of one batch and holds them to the header and to the topic's rules.
class RecordCheck {
 public:
  RecordCheck(const BatchHeader& header, const TopicSettings& settings, WallTime now)
      : header_(header), needs_key_(settings.compact), checks_time_(!settings.log_append_time), times_(settings, now) {}

  std::optional<Refused> run(std::string_view records) {
    RecordWalk walk(records);
    RawRecord record;
    for (std::int32_t index = 0; index < header_.record_count; ++index) {
      if (!walk.next(record)) return malformed(fmt::format("record {} is malformed", index));
      if (record.offset_delta != index)
        return malformed(fmt::format("record {} has the offset delta {}", index, record.offset_delta));
      check(record, index);
    }
    if (!walk.at_end()) return malformed("bytes follow the last record");
    if (faults_.empty()) return std::nullopt;
    BatchRefusal refusal{time_fault_ ? BatchFault::kInvalidTimestamp : BatchFault::kInvalidRecord,
                         faults_.front().message, std::move(faults_)};
    return Refused(std::move(refusal));
  }

  std::int64_t max_timestamp() const { return max_timestamp_; }

 private:
  std::optional<Refused> malformed(std::string_view what) const {
    return refuse(BatchFault::kInvalidRecord,
                  fmt::format("the batch counts {} records: {}", header_.record_count, what));
  }

  void check(const RawRecord& record, std::int32_t index) {
    std::int64_t timestamp = 0;
    // A sum that wraps around is far outside of any limit, or else as the reader will see it.
    (void)__builtin_add_overflow(header_.base_timestamp, record.timestamp_delta, &timestamp);
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    if (needs_key_ && !record.key) fault(index, std::string(kNeedsKey));
    if (!checks_time_ || timestamp == kNoTimestamp || times_.allows(timestamp)) return;
    time_fault_ = true;
    fault(index, times_.refusal(timestamp));
  }

  void fault(std::int32_t index, std::string message) {
    if (faults_.size() < kMostFaults) faults_.push_back({index, std::move(message)});
  }

  const BatchHeader& header_;
  const bool needs_key_;
  const bool checks_time_;
  const TimeRange times_;
  std::int64_t max_timestamp_ = std::numeric_limits<std::int64_t>::min();
  bool time_fault_ = false;
  std::vector<RecordFault> faults_;
};

}  // namespace

std::expected<ValidBatch, BatchRefusal> validate_batch(std::string_view batch, const TopicSettings& settings,
                                                       WallTime now) {
  const auto header = check_header(batch, settings);
  if (!header) return Refused(header.error());
  if (auto forbidden = find_forbidden(*header)) return std::move(*forbidden);
  ValidBatch valid;
  valid.header = *header;
  valid.records = batch.substr(kBatchHeaderSize);
  RecordCheck check(*header, settings, now);
  Scratch scratch;
  std::string_view records = valid.records;
  if (header->codec() != 0) {
    const auto codec = static_cast<Codec>(header->codec());
    const auto opened = decompress(codec, records, decompressed_limit(batch.size()), scratch.text());
    if (!opened)
      return refuse(
          opened.error().code == ErrorCode::kInvalid ? BatchFault::kMessageTooLarge : BatchFault::kInvalidRecord,
          opened.error().message);
    records = scratch.text();
  }
  if (auto wrong = check.run(records)) return std::move(*wrong);
  std::ranges::copy(batch.substr(0, kBatchHeaderSize), valid.front.begin());
  if (settings.log_append_time) {
    valid.append_time = now;
    restamp_batch(valid.front, valid.records, now.time_since_epoch().count(), true);
  } else if (check.max_timestamp() != header->max_timestamp) {
    restamp_batch(valid.front, valid.records, check.max_timestamp(), false);
  } else {
    return valid;
  }
  valid.header = *read_batch_header({valid.front.data(), valid.front.size()});
  return valid;
}

Result<void> check_record(const Record& record, const TopicSettings& settings, WallTime now) {
  if (settings.compact && !record.key) return fail(ErrorCode::kInvalid, std::string(kNeedsKey));
  if (const std::size_t size = batch_size(record); !fits(size, settings))
    return fail(ErrorCode::kInvalid,
                fmt::format("the record makes a batch of {} bytes, but max.message.bytes of the topic "
                            "is {}",
                            size, settings.max_message_bytes));
  if (settings.log_append_time || !record.timestamp) return {};
  const TimeRange times(settings, now);
  const std::int64_t time = record.timestamp->time_since_epoch().count();
  if (times.allows(time)) return {};
  return fail(ErrorCode::kInvalid, times.refusal(time));
}

}  // namespace pinflow::log
