#include <algorithm>

#include "log/internal/partition_log.h"

namespace pinflow::log {

SegmentInfo PartitionLog::info_of(const Segment& segment) {
  return {
      segment.base, segment.end, segment.visible_size, segment.index.max_timestamp(), segment.rewritten_end.has_value(),
      segment.path};
}

std::vector<SegmentInfo> PartitionLog::closed_segments() const {
  const std::scoped_lock lock(mutex_);
  std::vector<SegmentInfo> closed;
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) closed.push_back(info_of(*segments_[i]));
  return closed;
}

std::optional<PartitionLog::OpenSegment> PartitionLog::open_segment() const {
  const std::scoped_lock lock(mutex_);
  if (segments_.empty()) return std::nullopt;
  return OpenSegment{info_of(*segments_.back()), open_since_};
}

Result<Offset> PartitionLog::advance_log_start(Offset to) {
  const std::scoped_lock upkeep(upkeep_mutex_);
  TRY(check_writable());
  PartitionState next;
  {
    const std::scoped_lock lock(mutex_);
    if (to <= range_.begin) return range_.begin;
    if (to > range_.end)
      return fail(ErrorCode::kInvalid, fmt::format("{}-{}: the log start cannot move to {}, the log ends at {}",
                                                   options_.name.topic, options_.name.partition, to, range_.end));
    next = state_;
  }
  next.log_start = to;
  TRY(options_.disk.write_file(state_path(), next.encode()));
  const std::scoped_lock lock(mutex_);
  state_ = std::move(next);
  range_.begin = to;
  return to;
}

Result<std::uint64_t> PartitionLog::drop_old_segments() {
  const std::scoped_lock upkeep(upkeep_mutex_);
  std::vector<SegmentPtr> dropped;
  {
    const std::scoped_lock lock(mutex_);
    std::size_t count = 0;
    while (count + 1 < segments_.size() && segments_[count]->end <= state_.log_start) ++count;
    dropped.assign(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(count));
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::uint64_t bytes = 0;
  for (const SegmentPtr& segment : dropped) {
    TRY(options_.disk.remove(disk::Path(segment->path).replace_extension(".index")));
    TRY(options_.disk.remove(segment->path));
    bytes += segment->visible_size;
  }
  return bytes;
}

disk::Path PartitionLog::rewrite_path(Offset base, Offset end) const {
  return segment_path(base, end).replace_extension(".rewrite");
}

// What stands in [base, end): whole closed segments, or nothing where the borders are others. Called with mutex_ held.
std::span<PartitionLog::SegmentPtr> PartitionLog::run_of(Offset base, Offset end) {
  const auto first = std::ranges::find(segments_, base, [](const auto& segment) { return segment->base; });
  auto last = first;
  while (last != segments_.end() && (*last)->end < end) ++last;
  if (last == segments_.end() || (*last)->end != end || std::next(last) == segments_.end()) return {};
  return {first, std::next(last)};
}

Result<void> PartitionLog::replace_segments(Offset base, Offset end) {
  const std::scoped_lock upkeep(upkeep_mutex_);
  TRY(check_writable());
  const disk::Path written = rewrite_path(base, end);
  auto segment = std::make_shared<Segment>();
  segment->base = base;
  segment->rewritten_end = segment->end = end;
  segment->path = segment_path(base, end);
  segment->index_checked = true;
  {
    const std::scoped_lock lock(mutex_);
    if (run_of(base, end).empty())
      return fail(ErrorCode::kInvalid, fmt::format("{}-{}: no run of closed segments is [{}, {})", options_.name.topic,
                                                   options_.name.partition, base, end));
  }
  const auto found = [&]() -> Result<SegmentScan> {
    TRY_ASSIGN(const auto file, options_.disk.open_read(written));
    return scan_segment(*file, base, SegmentKind::kRewritten, end);
  }();
  if (!found || !found->damage.empty()) {
    (void)options_.disk.remove(written);
    return fail(
        found ? Error{ErrorCode::kCorrupt, fmt::format("{} holds something that is no record batch at position {}",
                                                       written.string(), found->damage.front().begin)}
              : found.error());
  }
  segment->index = found->index;
  segment->visible_size = found->file_size;
  TRY(options_.disk.sync_file(written));
  // An index of an earlier rewriting has the same name and must not be taken for the new one's.
  const disk::Path index = disk::Path(segment->path).replace_extension(".index");
  TRY(options_.disk.remove(index));
  TRY(options_.disk.sync_folder(options_.folder));
  std::vector<SegmentPtr> replaced;
  {
    // Readers open files with this mutex held, so they meet the old file with the old index or the new with the new.
    const std::scoped_lock lock(mutex_);
    TRY(options_.disk.rename(written, segment->path));
    const auto run = run_of(base, end);
    replaced.assign(run.begin(), run.end());
    const auto at = segments_.erase(segments_.begin() + (run.data() - segments_.data()),
                                    segments_.begin() + (run.data() - segments_.data()) + std::ssize(run));
    segments_.insert(at, segment);
  }
  // Only what surely survives the old files lets them go.
  TRY(options_.disk.sync_folder(options_.folder));
  for (const SegmentPtr& old : replaced) {
    if (old->path == segment->path) continue;  // The rename took its place.
    TRY(options_.disk.remove(disk::Path(old->path).replace_extension(".index")));
    TRY(options_.disk.remove(old->path));
  }
  write_index(*segment);
  return {};
}

}  // namespace pinflow::log
