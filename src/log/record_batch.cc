#include "log/record_batch.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/batch_layout.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr int kLogAppendTime = 8;  // In the low byte of the attributes.

// Far above any real offset; keeps sums of offsets away from overflow.
constexpr std::int64_t kMaxOffset = std::int64_t{1} << 62;

// A length and so many bytes; length -1 is null.
bool take_nullable(std::string_view& bytes, std::optional<std::string_view>& value) {
  std::int64_t length = 0;
  if (!take_varint(bytes, length) || length < -1) return false;
  if (length == -1) {
    value.reset();
    return true;
  }
  if (static_cast<std::uint64_t>(length) > bytes.size()) return false;
  value = bytes.substr(0, static_cast<std::size_t>(length));
  bytes.remove_prefix(static_cast<std::size_t>(length));
  return true;
}

bool take_headers(std::string_view& bytes, std::vector<HeaderView>& headers) {
  std::int64_t count = 0;
  // A header takes two bytes at least, so a count above the bytes left is a lie; do not reserve by it.
  if (!take_varint(bytes, count) || count < 0 || static_cast<std::uint64_t>(count) > bytes.size()) return false;
  for (std::int64_t i = 0; i < count; ++i) {
    std::optional<std::string_view> key;
    HeaderView header;
    if (!take_nullable(bytes, key) || !key || !take_nullable(bytes, header.value)) return false;
    header.key = *key;
    headers.push_back(header);
  }
  return true;
}

std::size_t nullable_size(const std::optional<std::string>& text) {
  if (!text) return varint_size(-1);
  return varint_size(static_cast<std::int64_t>(text->size())) + text->size();
}

void append_varint(std::string& out, std::int64_t value) {
  char bytes[10];
  out.append(bytes, store_varint(bytes, value));
}

void append_nullable(std::string& out, const std::optional<std::string>& text) {
  append_varint(out, text ? static_cast<std::int64_t>(text->size()) : -1);
  if (text) out.append(*text);
}

// Of a record in a batch, without its length.
std::size_t body_size(const Record& record, std::int64_t timestamp_delta, std::int64_t offset_delta) {
  std::size_t body = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(record.key) +
                     nullable_size(record.value) + varint_size(static_cast<std::int64_t>(record.headers.size()));
  for (const Header& header : record.headers)
    body += varint_size(static_cast<std::int64_t>(header.key.size())) + header.key.size() + nullable_size(header.value);
  return body;
}

}  // namespace

Result<BatchHeader> read_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderSize)
    return fail(ErrorCode::kCorrupt, fmt::format("record batch: {} bytes are less than a header", bytes.size()));
  const char* at = bytes.data();
  const auto length = load_big_endian<std::int32_t>(at + kLength);
  const auto magic = static_cast<std::int8_t>(at[kMagic]);
  if (magic == 0 || magic == 1)
    return fail(ErrorCode::kInvalid,
                fmt::format("message format {} is older than Kafka 0.11 and not supported", magic));
  if (magic != 2) return fail(ErrorCode::kCorrupt, fmt::format("record batch: unknown format {}", magic));
  if (length < static_cast<std::int32_t>(kBatchHeaderSize - kLengthEnd))
    return fail(ErrorCode::kCorrupt, fmt::format("record batch: length {} is less than a header", length));
  BatchHeader header;
  header.base_offset = Offset(load_big_endian<std::int64_t>(at + kBaseOffset));
  header.size = static_cast<std::size_t>(length) + kLengthEnd;
  header.leader_epoch = load_big_endian<std::int32_t>(at + kLeaderEpoch);
  header.crc = load_big_endian<std::uint32_t>(at + kCrc);
  header.attributes = load_big_endian<std::uint16_t>(at + kAttributes);
  header.last_offset_delta = load_big_endian<std::int32_t>(at + kLastOffsetDelta);
  header.base_timestamp = load_big_endian<std::int64_t>(at + kBaseTimestamp);
  header.max_timestamp = load_big_endian<std::int64_t>(at + kMaxTimestamp);
  header.producer_id = load_big_endian<std::int64_t>(at + kProducerId);
  header.producer_epoch = load_big_endian<std::int16_t>(at + kProducerEpoch);
  header.base_sequence = load_big_endian<std::int32_t>(at + kBaseSequence);
  header.record_count = load_big_endian<std::int32_t>(at + kRecordCount);
  const std::int64_t offset = header.base_offset.value();
  if (offset < 0 || offset > kMaxOffset || header.last_offset_delta < 0 || header.record_count < 0)
    return fail(ErrorCode::kCorrupt,
                fmt::format("record batch: base offset {}, last offset delta {} or record count {} is impossible",
                            offset, header.last_offset_delta, header.record_count));
  return header;
}

Result<BatchHeader> check_batch(std::string_view bytes) {
  TRY_ASSIGN(const BatchHeader header, read_batch_header(bytes));
  if (header.size > bytes.size())
    return fail(ErrorCode::kCorrupt, fmt::format("record batch: {} of {} bytes are there", bytes.size(), header.size));
  const std::uint32_t crc = crc32c(bytes.substr(kAttributes, header.size - kAttributes));
  if (crc != header.crc)
    return fail(ErrorCode::kCorrupt,
                fmt::format("record batch at offset {}: checksum {:08x}, but the bytes have {:08x}", header.base_offset,
                            header.crc, crc));
  return header;
}

void stamp_batch(char* batch, Offset base_offset, std::int32_t leader_epoch) {
  store_big_endian<std::int64_t>(batch + kBaseOffset, base_offset.value());
  store_big_endian<std::int32_t>(batch + kLeaderEpoch, leader_epoch);
}

void restamp_batch(std::span<char, kBatchHeaderSize> header, std::string_view records, std::int64_t max_timestamp,
                   bool append_time) {
  char* at = header.data();
  store_big_endian<std::int64_t>(at + kMaxTimestamp, max_timestamp);
  if (append_time) at[kAttributes + 1] = static_cast<char>(at[kAttributes + 1] | kLogAppendTime);
  const std::uint32_t front = crc32c({at + kAttributes, kBatchHeaderSize - kAttributes});
  store_big_endian<std::uint32_t>(at + kCrc, crc32c(records, front));
}

StoredRecord to_stored(const RecordView& record) {
  StoredRecord stored;
  stored.offset = record.offset;
  stored.timestamp = record.timestamp;
  if (record.key) stored.key.emplace(*record.key);
  if (record.value) stored.value.emplace(*record.value);
  stored.headers.reserve(record.headers.size());
  for (const HeaderView& header : record.headers) {
    Header& copy = stored.headers.emplace_back();
    copy.key = header.key;
    if (header.value) copy.value.emplace(*header.value);
  }
  return stored;
}

Result<BatchRecords> BatchRecords::open(std::string_view batch, const BatchHeader& header) {
  CHECK(batch.size() == header.size, "the batch and its header belong together");
  BatchRecords records(batch.substr(kBatchHeaderSize), header);
  if (header.codec() == 0) return records;
  const auto opened = [&]() -> Result<void> {
    TRY_ASSIGN(const Codec codec, codec_of(header.codec()));
    records.decompressed_ = std::make_unique<std::string>();
    return decompress(codec, records.rest_, decompressed_limit(batch.size()), *records.decompressed_);
  }();
  if (!opened)
    return fail(ErrorCode::kCorrupt,
                fmt::format("record batch at offset {}: {}", header.base_offset, opened.error().message));
  records.rest_ = *records.decompressed_;
  return records;
}

Result<bool> BatchRecords::next(RecordView& record) {
  if (seen_ == header_.record_count) {
    if (rest_.empty()) return false;
    return fail(ErrorCode::kCorrupt, fmt::format("record batch at offset {}: {} bytes behind the last record",
                                                 header_.base_offset, rest_.size()));
  }
  std::int64_t length = 0;
  if (!take_varint(rest_, length) || length < 0 || static_cast<std::uint64_t>(length) > rest_.size() ||
      !take_record(rest_.substr(0, static_cast<std::size_t>(length)), record))
    return fail(ErrorCode::kCorrupt, fmt::format("record batch at offset {}: record {} of {} is malformed",
                                                 header_.base_offset, seen_, header_.record_count));
  rest_.remove_prefix(static_cast<std::size_t>(length));
  ++seen_;
  return true;
}

bool BatchRecords::take_record(std::string_view body, RecordView& record) {
  record.headers.clear();
  if (body.empty()) return false;
  body.remove_prefix(1);  // Attributes, unused in this format.
  std::int64_t timestamp_delta = 0;
  std::int64_t offset_delta = 0;
  if (!take_varint(body, timestamp_delta) || !take_varint(body, offset_delta)) return false;
  if (offset_delta <= last_delta_ || offset_delta > header_.last_offset_delta) return false;
  if (!take_nullable(body, record.key) || !take_nullable(body, record.value)) return false;
  if (!take_headers(body, record.headers) || !body.empty()) return false;
  last_delta_ = offset_delta;
  record.offset = header_.base_offset + offset_delta;
  const std::int64_t milliseconds =
      header_.log_append_time() ? header_.max_timestamp : wrapping_add(header_.base_timestamp, timestamp_delta);
  record.timestamp = WallTime(std::chrono::milliseconds(milliseconds));
  return true;
}

BatchBuilder::BatchBuilder(std::string& out, Offset base_offset, std::int32_t leader_epoch)
    : out_(out), start_(out.size()) {
  out_.append(kBatchHeaderSize, '\0');
  stamp_batch(out_.data() + start_, base_offset, leader_epoch);
}

void BatchBuilder::add(const Record& record, WallTime timestamp) {
  const std::int64_t milliseconds = timestamp.time_since_epoch().count();
  if (count_ == 0) base_timestamp_ = max_timestamp_ = milliseconds;
  max_timestamp_ = std::max(max_timestamp_, milliseconds);
  const std::int64_t timestamp_delta = wrapping_subtract(milliseconds, base_timestamp_);

  const std::size_t body = body_size(record, timestamp_delta, count_);

  char front[31];  // Three varints of at most ten bytes and the attributes.
  char* end = store_varint(front, static_cast<std::int64_t>(body));
  *end++ = 0;
  end = store_varint(end, timestamp_delta);
  end = store_varint(end, count_);
  const std::size_t before = out_.size();
  const auto prefix = varint_size(static_cast<std::int64_t>(body));
  out_.append(front, end);
  append_nullable(out_, record.key);
  append_nullable(out_, record.value);
  append_varint(out_, static_cast<std::int64_t>(record.headers.size()));
  for (const Header& header : record.headers) {
    append_varint(out_, static_cast<std::int64_t>(header.key.size()));
    out_.append(header.key);
    append_nullable(out_, header.value);
  }
  CHECK(out_.size() - before == prefix + body, "a record is as long as it says");
  ++count_;
}

void BatchBuilder::finish(const BatchProducer& producer) {
  CHECK(count_ > 0, "a batch holds a record");
  CHECK(size() - kLengthEnd <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
        "a batch is below 2 GiB");
  char* at = out_.data() + start_;
  store_big_endian<std::int32_t>(at + kLength, static_cast<std::int32_t>(size() - kLengthEnd));
  at[kMagic] = 2;
  store_big_endian<std::int32_t>(at + kLastOffsetDelta, count_ - 1);
  store_big_endian<std::int64_t>(at + kBaseTimestamp, base_timestamp_);
  store_big_endian<std::int64_t>(at + kMaxTimestamp, max_timestamp_);
  store_big_endian<std::int64_t>(at + kProducerId, producer.id);
  store_big_endian<std::int16_t>(at + kProducerEpoch, producer.epoch);
  store_big_endian<std::int32_t>(at + kBaseSequence, producer.base_sequence);
  store_big_endian<std::int32_t>(at + kRecordCount, count_);
  store_big_endian<std::uint32_t>(at + kCrc, crc32c(std::string_view(at + kAttributes, size() - kAttributes)));
}

std::size_t batch_size(const Record& record) {
  const std::size_t body = body_size(record, 0, 0);
  return kBatchHeaderSize + static_cast<std::size_t>(varint_size(static_cast<std::int64_t>(body))) + body;
}

std::size_t payload_size(const Record& record) {
  std::size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const Header& header : record.headers) bytes += header.key.size() + (header.value ? header.value->size() : 0);
  return bytes;
}

}  // namespace pinflow::log
