#include "log/internal/batch_compaction.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/batch_layout.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::uint16_t kCodecBits = 7;
constexpr std::uint16_t kDeleteHorizon = 64;

Error unreadable(const BatchHeader& header, std::string_view what) {
  return {ErrorCode::kCorrupt, fmt::format("record batch at offset {}: {}", header.base_offset, what)};
}

// What a look at all records of a batch tells.
struct Survey {
  std::int32_t kept = 0;
  bool tombstones = false;  // Among those that stay.
  std::int64_t max_timestamp = std::numeric_limits<std::int64_t>::min();
  bool wants_horizon = false;
};

// Calls `each` with all records that stay.
template <class Each>
Result<void> for_each_kept(std::string_view records, const BatchHeader& header, const BatchCompaction& how, Each each) {
  RecordWalk walk(records);
  RawRecord record;
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    if (!walk.next(record)) return fail(unreadable(header, fmt::format("record {} is malformed", i)));
    if (record.offset_delta < 0 || record.offset_delta > header.last_offset_delta)
      return fail(unreadable(header, fmt::format("record {} has the offset delta {}", i, record.offset_delta)));
    if (how.keeps(header.base_offset + record.offset_delta, record)) each(record);
  }
  if (!walk.at_end()) return fail(unreadable(header, "bytes follow the last record"));
  return {};
}

// Writes a record with another timestamp delta.
void append_record(const RawRecord& record, std::int64_t timestamp_delta, std::string& out) {
  const std::size_t body = 1 + varint_size(timestamp_delta) + varint_size(record.offset_delta) + record.rest.size();
  char front[31];  // Three varints of at most ten bytes and the attributes.
  char* end = store_varint(front, static_cast<std::int64_t>(body));
  *end++ = 0;
  end = store_varint(end, timestamp_delta);
  end = store_varint(end, record.offset_delta);
  out.append(front, end);
  out.append(record.rest);
}

// Puts the header of a batch before its new records.
void append_batch(std::string_view old, std::uint16_t attributes, std::int64_t base_timestamp,
                  std::int64_t max_timestamp, std::int32_t count, std::string_view records, std::string& out) {
  const std::size_t start = out.size();
  out.append(old.substr(0, kBatchHeaderSize));
  out.append(records);
  char* at = out.data() + start;
  store_big_endian<std::int32_t>(at + kLength,
                                 static_cast<std::int32_t>(kBatchHeaderSize + records.size() - kLengthEnd));
  store_big_endian<std::int32_t>(at + kLeaderEpoch, 0);
  store_big_endian<std::uint16_t>(at + kAttributes, attributes);
  store_big_endian<std::int64_t>(at + kBaseTimestamp, base_timestamp);
  store_big_endian<std::int64_t>(at + kMaxTimestamp, max_timestamp);
  store_big_endian<std::int32_t>(at + kRecordCount, count);
  const std::size_t size = kBatchHeaderSize + records.size();
  store_big_endian<std::uint32_t>(at + kCrc, crc32c({at + kAttributes, size - kAttributes}));
}

}  // namespace

std::optional<std::int64_t> delete_horizon(const BatchHeader& header) {
  return header.has_delete_horizon() ? std::optional(header.base_timestamp) : std::nullopt;
}

Result<BatchFate> compact_batch(std::string_view batch, const BatchHeader& header, const BatchCompaction& how,
                                std::string& out) {
  CHECK(batch.size() == header.size, "the batch and its header belong together");
  std::string opened;
  std::string_view records = batch.substr(kBatchHeaderSize);
  TRY_ASSIGN(const Codec codec, codec_of(header.codec()));
  if (codec != Codec::kNone && header.record_count > 0) {
    if (const auto done = decompress(codec, records, decompressed_limit(batch.size()), opened); !done)
      return fail(unreadable(header, done.error().message));
    records = opened;
  }
  Survey survey;
  TRY(for_each_kept(records, header, how, [&](const RawRecord& record) {
    ++survey.kept;
    survey.tombstones = survey.tombstones || !record.has_value;
    survey.max_timestamp = std::max(survey.max_timestamp, wrapping_add(header.base_timestamp, record.timestamp_delta));
  }));
  survey.wants_horizon = survey.tombstones && !header.has_delete_horizon();
  if (survey.kept == 0) {
    if (!how.keep_header) return BatchFate::kGone;
    const auto plain = static_cast<std::uint16_t>(header.attributes & ~kCodecBits);
    append_batch(batch, plain, header.base_timestamp, header.max_timestamp, 0, {}, out);
    return BatchFate::kEmptied;
  }
  if (survey.kept == header.record_count && !survey.wants_horizon) {
    const std::size_t start = out.size();
    out.append(batch);
    stamp_batch(out.data() + start, header.base_offset, 0);
    return BatchFate::kSame;
  }
  const std::int64_t base = survey.wants_horizon ? how.delete_horizon_ms : header.base_timestamp;
  std::string kept;
  TRY(for_each_kept(records, header, how, [&](const RawRecord& record) {
    if (base == header.base_timestamp) {
      kept.append(record.bytes);
    } else {
      append_record(record, wrapping_subtract(wrapping_add(header.base_timestamp, record.timestamp_delta), base), kept);
    }
  }));
  std::string packed;
  if (codec != Codec::kNone) TRY(compress(codec, kept, packed));
  const auto attributes = static_cast<std::uint16_t>(header.attributes | (survey.wants_horizon ? kDeleteHorizon : 0));
  append_batch(batch, attributes, base, header.log_append_time() ? header.max_timestamp : survey.max_timestamp,
               survey.kept, codec == Codec::kNone ? kept : packed, out);
  return BatchFate::kRewritten;
}

}  // namespace pinflow::log
