#include <algorithm>
#include <utility>

#include "log/internal/partition_files.h"
#include "log/internal/partition_log.h"

namespace pinflow::log {

Result<void> PartitionLog::recover(bool new_epoch, RecoveryReport& report) {
  auto entries = options_.disk.list(options_.folder);
  if (!entries && entries.error().code == ErrorCode::kNotFound) {
    note_damage(report, options_.folder, 0, "the folder is missing, which was made with the topic");
    return {};
  }
  TRY(entries);
  read_state(report);
  const PartitionFiles files = sort_files(std::move(*entries), state_.log_start);
  std::vector<BatchHeader> open_batches;
  for (std::size_t i = 0; i < files.segments.size(); ++i) {
    const SegmentFile& file = files.segments[i];
    const bool last = i + 1 == files.segments.size();
    if (file.end || !last) {
      recover_closed(file, last ? std::nullopt : std::optional(files.segments[i + 1].base), report);
    } else {
      open_batches = recover_open(file, report);
    }
  }
  settle_range(new_epoch, report);
  if (options_.read_only) return {};
  recover_producers(open_batches);
  if (fence_) return {};  // A person looks at these files first.
  for (const std::string& name : files.leftovers) {
    options_.logger.info("remove a file that is not needed any more", {{"file", (options_.folder / name).string()}});
    (void)options_.disk.remove(options_.folder / name);  // What stays is met again at the next opening.
  }
  return {};
}

void PartitionLog::read_state(RecoveryReport& report) {
  const auto bytes = options_.disk.read_file(state_path());
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return;
  auto state = bytes ? PartitionState::decode(*bytes) : Result<PartitionState>(fail(bytes.error()));
  if (state) {
    state_ = std::move(*state);
    return;
  }
  state_known_ = false;
  note_damage(
      report, state_path(), 0,
      fmt::format("{}; so it is not known where the log starts and which epoch is the last", state.error().message));
}

PartitionLog::SegmentPtr PartitionLog::add_segment(const SegmentFile& file, RecoveryReport& report) {
  auto segment = std::make_shared<Segment>();
  segment->base = segment->end = file.base;
  segment->rewritten_end = file.end;
  segment->path = options_.folder / file.entry.name;
  // Before the log start nothing can be missing. Where the start is not known, the first segment is believed.
  const bool first = segments_.empty();
  const Offset expected = first && !state_known_ ? file.base : std::max(next_offset_, state_.log_start);
  if (file.base > expected || (!first && file.base < next_offset_))
    note_damage(report, segment->path, 0,
                fmt::format("it begins at offset {}, but what comes before it ends at {}", file.base, expected));
  segments_.push_back(segment);
  return segment;
}

void PartitionLog::recover_closed(const SegmentFile& file, std::optional<Offset> next, RecoveryReport& report) {
  const SegmentPtr segment = add_segment(file, report);
  if (!take_index(*segment, file.entry.size, next)) {
    const auto found = scan(*segment, file.end ? SegmentKind::kRewritten : SegmentKind::kClosed, report);
    if (found && found->damage.empty() && !options_.read_only) write_index(*segment);
  }
  if (file.end) segment->end = *file.end;
  next_offset_ = std::max(next_offset_, segment->end);
}

// The index file of a closed segment counts when it fits what stands around it; otherwise it is built from the segment.
bool PartitionLog::take_index(Segment& segment, std::uint64_t size, std::optional<Offset> next) {
  const disk::Path path = disk::Path(segment.path).replace_extension(".index");
  const auto bytes = options_.disk.read_file(path);
  auto index = bytes ? SegmentIndex::decode(*bytes) : Result<SegmentIndex::Closed>(fail(bytes.error()));
  if (index && (index->base != segment.base || index->size != size ||
                index->end != segment.rewritten_end.value_or(next.value_or(index->end))))
    index = fail(ErrorCode::kCorrupt, "it does not fit its segment");
  if (!index) {
    options_.logger.warning("the index of a segment is built again",
                            {{"file", path.string()}, {"cause", index.error().message}});
    return false;
  }
  segment.index = std::move(index->index);
  segment.end = index->end;
  segment.visible_size = size;
  published_bytes_ += size;
  return true;
}

std::optional<SegmentScan> PartitionLog::scan(Segment& segment, SegmentKind kind, RecoveryReport& report) {
  Result<SegmentScan> scan = [&]() -> Result<SegmentScan> {
    TRY_ASSIGN(const auto file, options_.disk.open_read(segment.path));
    return scan_segment(*file, segment.base, kind, segment.rewritten_end.value_or(kMostOffset));
  }();
  if (!scan) {
    note_damage(report, segment.path, 0, scan.error().message);
    return std::nullopt;
  }
  ++report.segments_scanned;
  report.bytes_scanned += scan->file_size;
  for (const Damage& damage : scan->damage)
    note_damage(report, segment.path, damage.begin,
                fmt::format("{} bytes are no record batches", damage.end - damage.begin));
  segment.index = scan->index;
  segment.index_checked = true;
  segment.end = scan->end;
  segment.visible_size = scan->valid_size;
  published_bytes_ += scan->valid_size;
  return std::move(*scan);
}

std::vector<BatchHeader> PartitionLog::recover_open(const SegmentFile& file, RecoveryReport& report) {
  open_ = add_segment(file, report);
  open_since_ = file.entry.modified;
  auto found = scan(*open_, SegmentKind::kOpen, report);
  next_offset_ = std::max(next_offset_, open_->end);
  if (!found) return {};
  write_size_ = found->valid_size;
  if (!options_.read_only) settle_tail(*found, report);
  return std::move(found->produced);
}

// Makes the end of the last segment a place to go on from: without a torn tail, and durable. Records may lie
// there that were written but not synced when the process died; they are about to become visible, so they
// must not be lost any more.
void PartitionLog::settle_tail(const SegmentScan& scan, RecoveryReport& report) {
  if (fence_) return;  // A person looks at this partition first.
  const disk::Path& path = open_->path;
  const std::uint64_t torn = scan.file_size - scan.valid_size;
  const auto settled = [&]() -> Result<void> {
    if (scan.file_size == 0) return options_.disk.sync_folder(options_.folder);
    TRY_ASSIGN(const auto file, options_.disk.open_append(path));
    if (torn > 0) TRY(file->truncate(scan.valid_size));
    return file->sync();
  }();
  if (!settled) {
    note_damage(report, path, scan.valid_size, fmt::format("its end cannot be settled: {}", settled.error().message));
    return;
  }
  if (torn == 0) return;
  report.torn_bytes_cut += torn;
  options_.logger.warning("cut an unfinished write off the end of a segment",
                          {{"file", path.string()}, {"position", scan.valid_size}, {"bytes", torn}});
}

// Decides where the log starts and ends, and begins a new epoch where one is due.
void PartitionLog::settle_range(bool new_epoch, RecoveryReport& report) {
  if (next_offset_ < state_.log_start) {
    // All records were deleted, and then some of those that proved how far they went were lost.
    next_offset_ = state_.log_start;
    open_.reset();
  }
  const Offset first = segments_.empty() ? next_offset_ : segments_.front()->base;
  range_ = {std::max(first, state_.log_start), next_offset_};
  if (!new_epoch || next_offset_ == Offset(0) || options_.read_only || !state_known_) return;
  state_.begin_epoch(next_offset_);
  if (auto written = options_.disk.write_file(state_path(), state_.encode()); !written)
    note_damage(report, state_path(), 0, fmt::format("a new epoch cannot be begun: {}", written.error().message));
}

// What the producers sent stands in the file of the last roll and in the batches since then.
void PartitionLog::recover_producers(const std::vector<BatchHeader>& open_batches) {
  const WallTime now = options_.clock.now();
  std::vector<StoredRequest> requests;
  const Offset base = open_ ? open_->base : next_offset_;
  if (segments_.size() > 1 || (!open_ && !segments_.empty()) || (open_ && open_->base > Offset(0))) {
    const disk::Path path = options_.folder / fmt::format("{:020}.producers", base.value());
    const auto bytes = options_.disk.read_file(path);
    auto known = bytes ? producers_.decode(*bytes, base) : Result<std::vector<StoredRequest>>(fail(bytes.error()));
    if (known) {
      requests = std::move(*known);
    } else {
      options_.logger.warning("the state of producers is built again from the segments",
                              {{"file", path.string()}, {"cause", known.error().message}});
      // A file that cannot be read now may be well: what is built without it must not take its place. Segments that are gone may have had
      // the last batches of a producer.
      bool whole = !fence_ && (bytes || bytes.error().code == ErrorCode::kNotFound);
      for (const SegmentPtr& segment : segments_)
        if (segment != open_) whole = restore_producers(*segment, now, requests) && whole;
      if (whole) write_beside(path, producers_.encode(base, now, requests));
    }
  }
  restore_producers(open_batches, now, requests);
  if (options_.requests != nullptr) options_.requests->recover(std::move(requests), slot_);
}

void PartitionLog::restore_producers(const std::vector<BatchHeader>& batches, WallTime now,
                                     std::vector<StoredRequest>& requests) {
  for (const BatchHeader& header : batches) {
    if (is_request_id(header.producer_id)) {
      // When it came is not known any more. The time of its records may be any; that it is remembered for too long does no harm.
      requests.push_back(request_of(header, now));
    } else {
      producers_.restore(header, now);
    }
  }
  const std::size_t most = options_.requests != nullptr ? options_.requests->capacity() : 0;
  if (requests.size() > most) requests.erase(requests.begin(), requests.end() - static_cast<std::ptrdiff_t>(most));
}

// False: not all of it can be read.
bool PartitionLog::restore_producers(const Segment& segment, WallTime now, std::vector<StoredRequest>& requests) {
  const auto file = options_.disk.open_read(segment.path);
  if (!file) return false;
  const auto found =
      scan_segment(**file, segment.base, segment.rewritten_end ? SegmentKind::kRewritten : SegmentKind::kClosed,
                   segment.rewritten_end.value_or(kMostOffset));
  if (!found) return false;
  restore_producers(found->produced, now, requests);
  return found->damage.empty();
}

void PartitionLog::note_damage(RecoveryReport& report, const disk::Path& path, std::uint64_t position,
                               std::string_view cause) {
  std::string text = fmt::format("{}-{}: {} is damaged at position {}: {}", options_.name.topic,
                                 options_.name.partition, path.string(), position, cause);
  report.damage.push_back(text);
  fence(fmt::format(
      "{}. Put the file back from a copy and start again, or run `pinflow log verify` and `pinflow log repair`", text));
}

}  // namespace pinflow::log
