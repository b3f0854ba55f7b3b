#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/log.h"

namespace pinflow::log {

// Kafka's record batch, format 2 (https://kafka.apache.org/documentation/#recordbatch). Encoding writes no
// compression; reading takes all of Kafka's codecs. Pure functions and value types.

inline constexpr std::size_t kBatchHeaderSize = 61;

// The fixed front of a batch, as read.
struct BatchHeader {
  Offset base_offset;
  std::size_t size = 0;  // Of the whole batch, from its first byte.
  std::int32_t leader_epoch = 0;
  std::uint32_t crc = 0;
  std::uint16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = 0;  // Milliseconds since 1970.
  std::int64_t max_timestamp = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  Offset end_offset() const { return base_offset + (std::int64_t{last_offset_delta} + 1); }
  int codec() const { return attributes & 7; }  // 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
  bool log_append_time() const { return (attributes & 8) != 0; }
  bool is_transactional() const { return (attributes & 16) != 0; }
  bool is_control() const { return (attributes & 32) != 0; }
  bool has_delete_horizon() const { return (attributes & 64) != 0; }  // Then base_timestamp is that horizon.
};

// Reads the header that `bytes` begin with; what follows may be missing, the checksum is not looked at.
// kCorrupt: this is no batch (too short, wrong lengths or counts). kInvalid: an older message format.
Result<BatchHeader> read_batch_header(std::string_view bytes);

// The same, and checks that the whole batch is there and that its CRC-32C is right. Bytes behind the batch
// are ignored.
Result<BatchHeader> check_batch(std::string_view bytes);

// Base offset and leader epoch lie outside the checksum, so that a log can stamp them without touching the
// rest.
void stamp_batch(char* batch, Offset base_offset, std::int32_t leader_epoch);

// Gives a batch, whose header and records may lie apart, another greatest timestamp, and where `append_time` is set, marks it
// as the time of arrival of all its records. Makes the checksum anew.
void restamp_batch(std::span<char, kBatchHeaderSize> header, std::string_view records, std::int64_t max_timestamp,
                   bool append_time);

struct HeaderView {
  std::string_view key;
  std::optional<std::string_view> value;
};

// One record inside a batch; the views point into the batch, or, where it is compressed, into the BatchRecords.
struct RecordView {
  Offset offset;
  WallTime timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<HeaderView> headers;
};

StoredRecord to_stored(const RecordView& record);

// Walks the records of one batch in order. The bytes must outlive it. Of a compressed batch it holds the decompressed
// records, at most decompressed_limit (log/compression.h).
class BatchRecords final {
 public:
  // `batch` is exactly what check_batch accepted. kCorrupt: it cannot be decompressed, or becomes too large.
  static Result<BatchRecords> open(std::string_view batch, const BatchHeader& header);

  // Fills `record`, whose storage is used again, or returns false after the last one. kCorrupt: the content
  // contradicts the header or ends early; no further call then.
  Result<bool> next(RecordView& record);

 private:
  BatchRecords(std::string_view rest, const BatchHeader& header) : header_(header), rest_(rest) {}
  bool take_record(std::string_view body, RecordView& record);

  BatchHeader header_;
  std::unique_ptr<std::string> decompressed_;  // What rest_ points into; it moves, so the text must not lie in here.
  std::string_view rest_;
  std::int32_t seen_ = 0;
  std::int64_t last_delta_ = -1;
};

// Who wrote a batch, for the log to know it again (idempotent producers). The default is nobody.
struct BatchProducer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t base_sequence = -1;
};

// Writes one batch at the end of a string: any number of add(), then finish(). The string must outlive it and
// not be touched meanwhile. At least one record; at most 2^31 - 1 bytes, which a CHECK holds.
class BatchBuilder final {
 public:
  BatchBuilder(std::string& out, Offset base_offset, std::int32_t leader_epoch);
  void add(const Record& record, WallTime timestamp);
  std::size_t size() const { return out_.size() - start_; }
  std::int32_t count() const { return count_; }
  std::int64_t max_timestamp() const { return max_timestamp_; }  // Milliseconds; after the first add().
  void finish(const BatchProducer& producer = {});

 private:
  std::string& out_;
  const std::size_t start_;
  std::int32_t count_ = 0;
  std::int64_t base_timestamp_ = 0;
  std::int64_t max_timestamp_ = 0;
};

// Of a batch that holds this record alone.
std::size_t batch_size(const Record& record);

// Bytes of key, value and headers: what limits of record size count.
std::size_t payload_size(const Record& record);

}  // namespace pinflow::log
