#include <algorithm>
#include <utility>

#include "log/internal/file_window.h"
#include "log/internal/partition_log.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kLeastRead = 64 << 10;
constexpr std::size_t kMostRead = 1 << 20;
constexpr std::size_t kHeaderRead =
    16 << 10;  // An index entry stands at most so far before the batch that is looked for.

// Adds `wanted` bytes of the file from `position` to `out`.
Result<void> read_behind(const disk::File& file, std::uint64_t position, std::size_t wanted, std::string& out) {
  const std::size_t start = out.size();
  Result<std::size_t> got = 0;
  out.resize_and_overwrite(start + wanted, [&](char* bytes, std::size_t) {
    got = file.read_at(position, {bytes + start, wanted});
    return start + got.value_or(0);
  });
  TRY(got);
  if (*got != wanted) return fail(ErrorCode::kCorrupt, "the segment is shorter than it was");
  return {};
}

std::size_t payload_size(const RecordView& record) {
  std::size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const HeaderView& header : record.headers)
    bytes += header.key.size() + (header.value ? header.value->size() : 0);
  return bytes;
}

}  // namespace

void PartitionLog::read(Offset offset, ReadBudget& budget, FetchedPartition& out) {
  const OffsetRange range = this->range();
  out.high_watermark = range.end;
  out.next = offset;
  if (offset < range.begin || offset > range.end) {
    out.error = out_of_range(offset, range);
    return;
  }
  read_records(offset, range, budget, out);
  out.next = offset;
}

Error PartitionLog::out_of_range(Offset offset, const OffsetRange& range) const {
  return {ErrorCode::kInvalid,
          fmt::format("{}-{}: offset {} is out of range, the log has [{}, {})", options_.name.topic,
                      options_.name.partition, offset, range.begin, range.end)};
}

void PartitionLog::read_records(Offset& offset, const OffsetRange& range, ReadBudget& budget, FetchedPartition& out) {
  while (offset < range.end && budget.records > 0) {
    auto place = find(offset);
    if (!place) {
      if (out.records.empty()) out.error = place.error();
      return;
    }
    if (!*place) return;
    const Offset before = offset;
    const auto more = read_segment(**place, offset, budget, out);
    if (!more) {
      if (rebuild_index(**place)) continue;
      // What came before the damage is given first; the next read meets it again at its front.
      if (out.records.empty()) out.error = describe_damage(**place, offset, more.error());
      return;
    }
    if (!*more) return;
    if ((*place)->gaps) offset = std::max(offset, (*place)->end);
    if (offset == before) {
      // The segment ends before the offset that the next one begins with: records are missing in between.
      if (out.records.empty())
        out.error = describe_damage(**place, offset, Error{ErrorCode::kCorrupt, "the segment ends too early"});
      return;
    }
  }
}

Result<std::optional<PartitionLog::Place>> PartitionLog::find(Offset offset) {
  const std::scoped_lock lock(mutex_);
  const auto above = std::ranges::upper_bound(segments_, offset, {}, [](const auto& segment) { return segment->base; });
  if (above == segments_.begin()) return std::nullopt;
  const SegmentPtr& segment = *std::prev(above);
  return place_in(segment, segment->index.floor(offset));
}

// Where an index entry points to, or the front of the segment. Called with mutex_ held.
Result<PartitionLog::Place> PartitionLog::place_in(const SegmentPtr& segment, const std::optional<IndexEntry>& entry) {
  if (!segment->reader) {
    // One closed segment is being read as a rule; keeping all of them open would take a descriptor each.
    for (auto& other : segments_)
      if (other != segments_.back()) other->reader.reset();
    TRY_ASSIGN(segment->reader, options_.disk.open_read(segment->path));
  }
  Place place{segment,
              segment->reader,
              0,
              segment->visible_size,
              segment->base,
              segment->end,
              segment->rewritten_end.has_value()};
  if (entry) {
    place.position = entry->position;
    place.expected = entry->offset;
  }
  return place;
}

// After a read that found nonsense: an index from a file may be the cause, so it is built again, once. True: read again.
bool PartitionLog::rebuild_index(const Place& place) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(place.segment->index_checked, true)) return false;
  }
  const auto found =
      scan_segment(*place.reader, place.segment->base, place.gaps ? SegmentKind::kRewritten : SegmentKind::kClosed,
                   place.segment->rewritten_end.value_or(kMostOffset));
  if (!found || !found->damage.empty()) return false;  // The index is right, or no worse than another.
  options_.logger.warning("a segment cannot be read by its index, which is built again",
                          {{"file", place.segment->path.string()}});
  const std::scoped_lock lock(mutex_);
  place.segment->index = found->index;
  return true;
}

// The header at the place, where a batch belongs that goes on with the expected offset and lies wholly in the segment.
Result<BatchHeader> PartitionLog::read_expected(std::string_view front, const Place& place) {
  TRY_ASSIGN(const BatchHeader header, read_batch_header(front));
  if (place.gaps ? header.base_offset < place.expected || header.end_offset() > place.end
                 : header.base_offset != place.expected)
    return fail(ErrorCode::kCorrupt,
                fmt::format("a batch with offset {} stands where {} belongs", header.base_offset, place.expected));
  if (header.size > place.visible_size - place.position)
    return fail(ErrorCode::kCorrupt, "a batch is longer than its segment");
  return header;
}

Result<bool> PartitionLog::read_segment(Place& place, Offset& offset, ReadBudget& budget, FetchedPartition& out) {
  FileWindow window(*place.reader, place.visible_size, std::clamp(budget.bytes, kLeastRead, kMostRead));
  while (place.position < place.visible_size) {
    if (budget.records == 0 || (budget.bytes == 0 && !budget.nothing_yet)) return false;
    TRY_ASSIGN(const std::string_view front, window.look(place.position, kBatchHeaderSize));
    TRY_ASSIGN(const BatchHeader header, read_expected(front, place));
    if (header.end_offset() > offset) {
      TRY_ASSIGN(const std::string_view batch, window.look(place.position, header.size));
      TRY(check_batch(batch));
      TRY_ASSIGN(const bool whole, take_records(batch, offset, budget, out));
      if (!whole) return false;
      offset = header.end_offset();
    }
    place.position += header.size;
    place.expected = header.end_offset();
  }
  return true;
}

// Returns whether the batch was taken to its end.
Result<bool> PartitionLog::take_records(std::string_view batch, Offset& offset, ReadBudget& budget,
                                        FetchedPartition& out) {
  TRY_ASSIGN(const BatchHeader header, read_batch_header(batch));
  TRY_ASSIGN(BatchRecords records, BatchRecords::open(batch, header));
  RecordView record;
  while (true) {
    TRY_ASSIGN(const bool more, records.next(record));
    if (!more) return true;
    if (record.offset < offset) continue;
    const std::size_t bytes = payload_size(record);
    if (budget.records == 0 || (bytes > budget.bytes && !budget.nothing_yet)) return false;
    out.records.push_back(to_stored(record));
    budget.bytes -= std::min(bytes, budget.bytes);
    --budget.records;
    budget.nothing_yet = false;
    offset = record.offset + 1;
  }
}

Result<BatchRead> PartitionLog::read_batches(Offset offset, std::size_t max_bytes, bool first_whole) {
  BatchRead read{{}, range()};
  if (offset < read.range.begin || offset > read.range.end) return fail(out_of_range(offset, read.range));
  while (offset < read.range.end) {
    TRY_ASSIGN(auto place, find(offset));
    if (!place) break;
    auto done = skip_to(*place, offset);
    if (done) done = read_whole(*place, max_bytes - read.bytes.size(), first_whole && read.bytes.empty(), read.bytes);
    if (!done && rebuild_index(*place)) continue;
    const Offset next = done && place->gaps && place->position >= place->visible_size ? place->end : place->expected;
    if (done && place->position >= place->visible_size && next <= offset)
      done = fail(ErrorCode::kCorrupt, "the segment ends too early");
    if (!done) {
      // What came before the damage is given first; the next read meets it again at its front.
      if (read.bytes.empty()) return fail(describe_damage(*place, offset, done.error()));
      break;
    }
    if (place->position < place->visible_size || read.bytes.size() >= max_bytes) break;
    offset = next;
  }
  return read;
}

// Moves to the batch that holds `offset`, by the headers alone.
Result<void> PartitionLog::skip_to(Place& place, Offset offset) const {
  FileWindow window(*place.reader, place.visible_size, kHeaderRead);
  while (place.position < place.visible_size) {
    TRY_ASSIGN(const std::string_view front, window.look(place.position, kBatchHeaderSize));
    TRY_ASSIGN(const BatchHeader header, read_expected(front, place));
    if (header.end_offset() > offset) return {};
    place.position += header.size;
    place.expected = header.end_offset();
  }
  return {};
}

// Adds whole batches of at most `max_bytes`, the first of any size where that is asked for, each checked.
Result<void> PartitionLog::read_whole(Place& place, std::size_t max_bytes, bool first_whole, std::string& out) const {
  const std::size_t start = out.size();
  std::size_t wanted = std::min<std::uint64_t>(max_bytes, place.visible_size - place.position);
  if (first_whole && wanted < kBatchHeaderSize)
    wanted = std::min<std::uint64_t>(kBatchHeaderSize, place.visible_size - place.position);
  TRY(read_behind(*place.reader, place.position, wanted, out));
  std::size_t taken = start;
  Result<void> good;
  while (taken < out.size()) {
    const auto header = read_expected(std::string_view(out).substr(taken), place);
    if (!header) {
      // Less than a header is no damage: the bytes that were asked for end there.
      if (out.size() - taken >= kBatchHeaderSize) good = fail(header.error());
      break;
    }
    if (header->size > out.size() - taken) {
      if (taken > start || !first_whole) break;
      TRY(read_behind(*place.reader, place.position + (out.size() - start), header->size - (out.size() - start), out));
    }
    if (const auto checked = check_batch(std::string_view(out).substr(taken, header->size)); !checked) {
      good = fail(checked.error());
      break;
    }
    stamp_batch(out.data() + taken, header->base_offset, epoch_at(header->base_offset));
    taken += header->size;
    place.position += header->size;
    place.expected = header->end_offset();
  }
  out.resize(taken);
  return taken > start ? Result<void>() : good;
}

Error PartitionLog::describe_damage(const Place& place, Offset offset, const Error& cause) const {
  std::optional<Offset> next;
  const std::scoped_lock lock(mutex_);
  if (const IndexEntry* entry = place.segment->index.after(place.position)) next = entry->offset;
  if (!next)
    for (const auto& segment : segments_)
      if (segment->base > place.segment->base && !next) next = segment->base;
  return Error{cause.code,
               fmt::format("{}-{}: offset {} cannot be read, {} at position {}: {}. {}", options_.name.topic,
                           options_.name.partition, offset, place.segment->path.string(), place.position, cause.message,
                           next ? fmt::format("Records can be read again from offset {} on", *next)
                                : "No later record can be read")};
}

}  // namespace pinflow::log
