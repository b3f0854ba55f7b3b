#include <algorithm>
#include <charconv>

#include "log/internal/partition_log.h"

namespace pinflow::log {
namespace {

// The base offset in a name like 00000000000000000042.log; none for other files, which are left alone.
std::optional<Offset> base_of(std::string_view name) {
  constexpr std::size_t kDigits = 20;
  if (name.size() != kDigits + 4 || !name.ends_with(".log")) return std::nullopt;
  std::int64_t base = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, base);
  if (error != std::errc() || end != name.data() + kDigits || base < 0) return std::nullopt;
  return Offset(base);
}

}  // namespace

Result<void> PartitionLog::recover(RecoveryReport& report) {
  const auto entries = options_.disk.list(options_.folder);
  if (!entries && entries.error().code == ErrorCode::kNotFound) {
    note_damage(report, options_.folder, 0, "the folder is missing, which was made with the topic");
    return {};
  }
  TRY(entries);
  std::vector<std::pair<Offset, const disk::Entry*>> files;
  for (const disk::Entry& entry : *entries)
    if (const auto base = base_of(entry.name); base && !entry.is_directory) files.emplace_back(*base, &entry);
  if (!files.empty()) next_offset_ = files.front().first;
  range_ = {next_offset_, next_offset_};
  for (const auto& [base, entry] : files) TRY(recover_segment(base, *entry, entry == files.back().second, report));
  range_.end = next_offset_;
  return {};
}

Result<void> PartitionLog::recover_segment(Offset base, const disk::Entry& entry, bool last, RecoveryReport& report) {
  auto segment = std::make_unique<Segment>();
  segment->base = base;
  segment->path = options_.folder / entry.name;
  if (base != next_offset_)
    note_damage(report, segment->path, 0,
                fmt::format("it begins at offset {}, but the segment before it ends at {}", base, next_offset_));
  segments_.push_back(std::move(segment));
  Segment& here = *segments_.back();
  Result<SegmentScan> scan = [&]() -> Result<SegmentScan> {
    TRY_ASSIGN(const auto file, options_.disk.open_read(here.path));
    return scan_segment(*file, base, last ? ScanDepth::kChecksums : ScanDepth::kHeaders);
  }();
  if (!scan) {
    note_damage(report, here.path, 0, scan.error().message);
    next_offset_ = std::max(next_offset_, base);
    return {};
  }
  ++report.segments_scanned;
  report.bytes_scanned += scan->file_size;
  for (const Damage& damage : scan->damage)
    note_damage(report, here.path, damage.begin,
                fmt::format("{} bytes are no record batches", damage.end - damage.begin));
  next_offset_ = scan->end;
  here.index = std::move(scan->index);
  here.visible_size = scan->valid_size;
  published_bytes_ += scan->valid_size;
  write_size_ = scan->valid_size;
  if (last && !options_.read_only) TRY(settle_tail(*scan, report));
  return {};
}

// Makes the end of the last segment a place to go on from: without a torn tail, and durable. Records may lie
// there that were written but not synced when the process died; they are about to become visible, so they
// must not be lost any more.
Result<void> PartitionLog::settle_tail(const SegmentScan& scan, RecoveryReport& report) {
  if (fence_) return {};  // A person looks at this partition first.
  const disk::Path& path = segments_.back()->path;
  const std::uint64_t torn = scan.file_size - scan.valid_size;
  const auto settled = [&]() -> Result<void> {
    if (scan.file_size == 0) return options_.disk.sync_folder(options_.folder);
    TRY_ASSIGN(const auto file, options_.disk.open_append(path));
    if (torn > 0) TRY(file->truncate(scan.valid_size));
    return file->sync();
  }();
  if (!settled) {
    note_damage(report, path, scan.valid_size, fmt::format("its end cannot be settled: {}", settled.error().message));
    return {};
  }
  if (torn == 0) return {};
  report.torn_bytes_cut += torn;
  options_.logger.warning("cut an unfinished write off the end of a segment",
                          {{"file", path.string()}, {"position", scan.valid_size}, {"bytes", torn}});
  return {};
}

void PartitionLog::note_damage(RecoveryReport& report, const disk::Path& path, std::uint64_t position,
                               std::string_view cause) {
  std::string text = fmt::format("{}-{}: {} is damaged at position {}: {}", options_.name.topic,
                                 options_.name.partition, path.string(), position, cause);
  report.damage.push_back(text);
  fence(fmt::format(
      "{}. Put the file back from a copy and start again, or move the topic's good records to a new topic", text));
}

}  // namespace pinflow::log
