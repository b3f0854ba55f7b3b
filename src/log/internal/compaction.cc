#include "log/internal/compaction.h"

#include <algorithm>
#include <unordered_map>

#include "log/compression.h"
#include "log/crc32c.h"
#include "log/internal/batch_compaction.h"
#include "log/internal/bytes.h"
#include "log/internal/file_window.h"
#include "log/internal/key_offsets.h"
#include "log/internal/request_table.h"
#include "log/internal/retention.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kState = "compaction.state";
constexpr std::string_view kStateMagic = "PFC1";

constexpr std::size_t kReadWindow = 1 << 20;
constexpr std::size_t kWriteBuffer = 1 << 20;

// A producer that sent nothing for a day is forgotten anyway (KIP-98), and so many at most are looked after.
constexpr std::int64_t kProducerLife = std::int64_t{24} * 3600 * 1000;
constexpr std::size_t kMostProducers = 100'000;

// The batches of one closed segment, one after the other, each whole and with a right checksum.
class SegmentBatches {
 public:
  static Result<SegmentBatches> open(disk::Disk& disk, const SegmentFacts& segment) {
    TRY_ASSIGN(auto file, disk.open_read(segment.path));
    return SegmentBatches(std::move(file), segment);
  }

  // False at the end. The bytes are good until the next call.
  Result<bool> next(BatchHeader& header, std::string_view& batch) {
    if (position_ >= size_) return false;
    TRY_ASSIGN(const std::string_view front, window_->look(position_, kBatchHeaderSize));
    const auto read = read_batch_header(front);
    if (!read) return fail(broken(read.error()));
    TRY_ASSIGN(batch, window_->look(position_, read->size));
    if (const auto whole = check_batch(batch); !whole) return fail(broken(whole.error()));
    header = *read;
    position_ += header.size;
    return true;
  }

 private:
  SegmentBatches(std::unique_ptr<disk::File> file, const SegmentFacts& segment)
      : file_(std::move(file)),
        window_(std::make_unique<FileWindow>(*file_, segment.size, kReadWindow)),
        path_(segment.path),
        size_(segment.size) {}

  Error broken(const Error& cause) const {
    return {ErrorCode::kCorrupt, fmt::format("{} at position {}: {}", path_.string(), position_, cause.message)};
  }

  std::unique_ptr<disk::File> file_;
  std::unique_ptr<FileWindow> window_;
  disk::Path path_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
};

// One pass over a plan: first the newest offset of each key, then the files.
class Pass {
 public:
  Pass(const CompactionPlan& plan, const CompactionOptions& options)
      : plan_(plan),
        options_(options),
        now_ms_(options.now.time_since_epoch().count()),
        keys_(std::max<std::size_t>(options.most_keys, 1), options.random),
        keeps_([this](Offset offset, const RawRecord& record) { return keeps(offset, record); }) {}

  Result<CompactionOutcome> run() {
    map_end_ = plan_.segments.back().end;
    for (const SegmentFacts& segment : plan_.segments) TRY(learn(segment));
    CompactionOutcome outcome{map_end_, 0, 0};
    for (std::size_t i = 0; i < plan_.segments.size() && plan_.segments[i].base < map_end_;) {
      const std::size_t count = group_at(i);
      TRY(rewrite(std::span(plan_.segments).subspan(i, count), outcome));
      i += count;
    }
    return outcome;
  }

 private:
  Result<void> check_stop() const {
    if (options_.stopped && options_.stopped()) return fail(ErrorCode::kCancelled, "compaction was stopped");
    return {};
  }

  // Learns the keys of the dirty part, and which batch is the last of its producer.
  Result<void> learn(const SegmentFacts& segment) {
    TRY_ASSIGN(SegmentBatches batches, SegmentBatches::open(options_.disk, segment));
    BatchHeader header;
    std::string_view batch;
    while (true) {
      TRY(check_stop());
      TRY_ASSIGN(const bool more, batches.next(header, batch));
      if (!more) return {};
      const bool has_producer = header.producer_id >= 0 && !is_request_id(header.producer_id);
      if (has_producer && now_ms_ - header.max_timestamp <= kProducerLife &&
          (last_batches_.size() < kMostProducers || last_batches_.contains(header.producer_id)))
        last_batches_[header.producer_id] = header.base_offset;
      if (!full_ && header.end_offset() > plan_.dirty_start) TRY(learn_keys(header, batch));
    }
  }

  Result<void> learn_keys(const BatchHeader& header, std::string_view batch) {
    std::string_view records = batch.substr(kBatchHeaderSize);
    if (header.record_count == 0) return {};
    if (header.codec() != 0) {
      TRY_ASSIGN(const Codec codec, codec_of(header.codec()));
      TRY(decompress(codec, records, decompressed_limit(batch.size()), opened_));
      records = opened_;
    }
    RecordWalk walk(records);
    RawRecord record;
    for (std::int32_t i = 0; i < header.record_count; ++i) {
      if (!walk.next(record))
        return fail(ErrorCode::kCorrupt,
                    fmt::format("record batch at offset {}: record {} is malformed", header.base_offset, i));
      const Offset offset = header.base_offset + record.offset_delta;
      if (!record.key || offset < plan_.dirty_start || keys_.put(*record.key, offset)) continue;
      full_ = true;
      map_end_ = offset;
      return {};
    }
    return {};
  }

  bool keeps(Offset offset, const RawRecord& record) const {
    if (offset >= map_end_) return true;
    if (!record.key) return false;
    if (const auto newest = keys_.find(*record.key); newest && offset < *newest) return false;
    return record.has_value || !horizon_ || now_ms_ < *horizon_;
  }

  // How many segments from `first` on go into one file.
  std::size_t group_at(std::size_t first) const {
    const auto limit = static_cast<std::uint64_t>(options_.settings.segment_bytes);
    std::uint64_t bytes = plan_.segments[first].size;
    std::size_t count = 1;
    for (std::size_t i = first + 1; i < plan_.segments.size() && plan_.segments[i].base < map_end_; ++i) {
      bytes += plan_.segments[i].size;
      if (bytes > limit) break;
      ++count;
    }
    return count;
  }

  Result<void> rewrite(std::span<const SegmentFacts> group, CompactionOutcome& outcome) {
    const Offset base = group.front().base;
    const Offset end = group.back().end;
    const disk::Path path = options_.path(base, end);
    const auto written = write_group(group, path, outcome);
    if (!written || !*written) {
      (void)options_.disk.remove(path);  // Else the next opening removes it.
      TRY(written);
      return {};
    }
    return options_.replace(base, end);
  }

  // Returns whether the new file differs from what it is made of.
  Result<bool> write_group(std::span<const SegmentFacts> group, const disk::Path& path, CompactionOutcome& outcome) {
    TRY(options_.disk.remove(path));
    TRY_ASSIGN(const auto file, options_.disk.open_append(path));
    std::string buffer;
    bool changed = group.size() > 1;
    std::uint64_t bytes = 0;
    const auto flush = [&]() -> Result<void> {
      bytes += buffer.size();
      TRY(file->append(buffer));
      buffer.clear();
      return {};
    };
    for (const SegmentFacts& segment : group) {
      outcome.bytes_before += segment.size;
      TRY_ASSIGN(SegmentBatches batches, SegmentBatches::open(options_.disk, segment));
      BatchHeader header;
      std::string_view batch;
      while (true) {
        TRY(check_stop());
        TRY_ASSIGN(const bool more, batches.next(header, batch));
        if (!more) break;
        horizon_ = delete_horizon(header);
        const auto last = last_batches_.find(header.producer_id);
        const bool keep_header = last != last_batches_.end() && last->second == header.base_offset;
        TRY_ASSIGN(const BatchFate fate,
                   compact_batch(batch, header, {keeps_, keep_header, tombstones_until()}, buffer));
        changed = changed || (fate == BatchFate::kEmptied ? header.record_count > 0 : fate != BatchFate::kSame);
        if (buffer.size() >= kWriteBuffer) TRY(flush());
      }
    }
    TRY(flush());
    outcome.bytes_after += bytes;
    return changed;
  }

  std::int64_t tombstones_until() const {
    std::int64_t until = 0;
    return __builtin_add_overflow(now_ms_, options_.settings.delete_retention_ms, &until) ? INT64_MAX : until;
  }

  const CompactionPlan& plan_;
  const CompactionOptions& options_;
  const std::int64_t now_ms_;
  KeyOffsets keys_;
  Offset map_end_;                                         // All keys before it are known.
  bool full_ = false;                                      // No more keys fit.
  std::unordered_map<std::int64_t, Offset> last_batches_;  // By producer.
  std::string opened_;
  std::optional<std::int64_t> horizon_;  // Of the batch at hand.
  const std::function<bool(Offset, const RawRecord&)> keeps_;
};

}  // namespace

std::optional<CompactionPlan> plan_compaction(std::span<const SegmentFacts> segments, Offset compacted_to,
                                              const TopicSettings& settings, WallTime now) {
  CompactionPlan plan;
  plan.dirty_start = compacted_to;
  std::uint64_t clean = 0;
  std::uint64_t dirty = 0;
  bool too_old = false;
  for (const SegmentFacts& segment : segments) {
    const std::int64_t age = (now - newest_record(segment)).count();
    const bool is_dirty = segment.end > compacted_to;
    if (segment.last || (is_dirty && settings.min_compaction_lag_ms > 0 && age < settings.min_compaction_lag_ms)) break;
    plan.segments.push_back(segment);
    (is_dirty ? dirty : clean) += segment.size;
    too_old = too_old || (is_dirty && (now - segment.begun).count() >= settings.max_compaction_lag_ms);
  }
  if (plan.segments.empty() || dirty == 0) return std::nullopt;
  plan.dirty_start = std::max(compacted_to, plan.segments.front().base);
  const double ratio = static_cast<double>(dirty) / static_cast<double>(clean + dirty);
  if (!too_old && ratio < settings.min_cleanable_dirty_ratio) return std::nullopt;
  return plan;
}

Result<CompactionOutcome> compact_segments(const CompactionPlan& plan, const CompactionOptions& options) {
  return Pass(plan, options).run();
}

Offset load_compacted_to(disk::Disk& disk, const disk::Path& folder) {
  constexpr std::size_t kSize = 4 + 8 + 4;
  const auto bytes = disk.read_file(folder / kState);
  if (!bytes || bytes->size() != kSize || !bytes->starts_with(kStateMagic) ||
      load_big_endian<std::uint32_t>(bytes->data() + 12) != crc32c(std::string_view(*bytes).substr(0, 12)))
    return Offset(0);
  return Offset(std::max<std::int64_t>(0, load_big_endian<std::int64_t>(bytes->data() + 4)));
}

Result<void> store_compacted_to(disk::Disk& disk, const disk::Path& folder, Offset offset) {
  std::string bytes(kStateMagic);
  append_big_endian<std::int64_t>(bytes, offset.value());
  append_big_endian<std::uint32_t>(bytes, crc32c(bytes));
  return disk.write_file(folder / kState, bytes);
}

}  // namespace pinflow::log
