#include <algorithm>

#include "log/internal/file_window.h"
#include "log/internal/log_inspection.h"
#include "log/internal/topic_manifest.h"
#include "log/record_batch.h"
#include "log/verify.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kCopyPiece = 1 << 20;

// Stands for all epochs that a lost state may have known: more than there were starts in disorder.
constexpr std::int32_t kEpochAfterLoss = 1000;

std::string segment_name(Offset base, Offset end) {
  return fmt::format("{:020}-{:020}.log", base.value(), end.value());
}

// Mends one log, step by step; each step says what it does before it does it. Each leaves the log no worse off when it is the last:
// copies first, then one rename that decides.
class Repair {
 public:
  Repair(disk::Disk& disk, disk::Path folder, RepairMode mode) : disk_(disk), folder_(std::move(folder)), mode_(mode) {}

  Result<RepairReport> run(const LogInspection& inspection) {
    for (const TopicInspection& topic : inspection.topics) TRY(mend_topic(topic));
    return std::move(report_);
  }

 private:
  bool doing() const { return mode_ == RepairMode::kDo; }
  void say(std::string what) { report_.steps.push_back({topic_, partition_, std::move(what)}); }
  void give_up(const disk::Path& file, std::string what, std::string remedy) {
    report_.left.push_back(
        {topic_, partition_, file, 0, true, std::move(what), "it stays as it is", std::move(remedy)});
  }

  Result<void> mend_topic(const TopicInspection& topic) {
    topic_ = topic.topic ? topic.topic->name : "";
    partition_ = -1;
    if (!topic.topic) {
      const auto known = topic_of_folder(disk_, topic.folder);
      if (!known) {
        give_up(topic.folder / "topic.json", "the manifest cannot be read, and the folder does not tell what was in it",
                "restore topic.json from a copy");
        return {};
      }
      topic_ = known->name;
    }
    for (const PartitionInspection& partition : topic.partitions) TRY(mend_partition(partition));
    partition_ = -1;
    // Last: until then nobody opens the topic.
    if (!topic.topic) TRY(mend_manifest(topic));
    return {};
  }

  Result<void> mend_manifest(const TopicInspection& topic) {
    const disk::Path path = topic.folder / "topic.json";
    const auto known = topic_of_folder(disk_, topic.folder);
    if (!known) return {};
    say(fmt::format("write {} anew for {} partitions, without the topic's settings", path.string(), known->partitions));
    TRY(set_aside(path, topic.manifest_error));
    return doing() ? disk_.write_file(path, encode_manifest(*known)) : Result<void>();
  }

  Result<void> mend_partition(const PartitionInspection& partition) {
    partition_ = partition.id;
    if (partition.missing) {
      say(fmt::format("make the folder {}, empty", partition.folder.string()));
      return doing() ? disk_.create_folders(partition.folder) : Result<void>();
    }
    for (const SegmentInspection& segment : partition.segments) {
      if (segment.unreadable.empty()) continue;
      give_up(segment.path, segment.unreadable, "look after the disk, then restore the file from a copy");
      return {};
    }
    for (std::size_t i = 0; i < partition.segments.size(); ++i) {
      const bool has_next = i + 1 < partition.segments.size();
      const SegmentInspection& segment = partition.segments[i];
      const Offset end = has_next ? partition.segments[i + 1].base : segment.end;
      if (end < segment.end) {
        give_up(segment.path, fmt::format("it ends at offset {}, but the next one begins at {}", segment.end, end),
                "look at both files, and move the wrong one away");
        return {};
      }
      TRY(mend_segment(partition, segment, end));
    }
    TRY(mend_state(partition));
    for (const auto& [path, cause] : partition.bad_beside) {
      say(fmt::format("remove {}, which the next start builds again", path.string()));
      TRY(set_aside(path, cause));
      if (doing()) TRY(disk_.remove(path));
    }
    return {};
  }

  // Makes a segment that covers the offsets up to `end`, holds no bad bytes, and says that offsets may be missing in it.
  Result<void> mend_segment(const PartitionInspection& partition, const SegmentInspection& segment, Offset end) {
    if (segment.bad.empty() && end == segment.end) return {};
    const disk::Path mended = partition.folder / segment_name(segment.base, end);
    const bool has_bytes =
        std::ranges::any_of(segment.bad, [](const BadStretch& stretch) { return stretch.end > stretch.begin; });
    if (!has_bytes) {
      say(fmt::format("rename {} to {}: the records behind it, or some in it, are missing", segment.path.string(),
                      mended.filename().string()));
      if (!doing()) return {};
      TRY(disk_.rename(segment.path, mended));
      return disk_.sync_folder(partition.folder);
    }
    for (const BadStretch& stretch : segment.bad) {
      if (stretch.end == stretch.begin) continue;
      say(fmt::format("set {} bytes of {} aside at position {}: {}", stretch.end - stretch.begin, segment.path.string(),
                      stretch.begin, stretch.cause));
      TRY(set_aside(segment.path, stretch.cause, stretch.begin, stretch.end));
    }
    say(fmt::format("write the readable records of {} to {}", segment.path.string(), mended.filename().string()));
    if (!doing()) return {};
    const disk::Path temporary = disk::Path(mended).replace_extension(".rewrite");
    TRY(copy_good(segment, temporary));
    TRY(disk_.rename(temporary, mended));
    TRY(disk_.sync_folder(partition.folder));
    return mended == segment.path ? Result<void>() : disk_.remove(segment.path);
  }

  // The bytes of a segment but for its bad stretches and its unfinished end.
  Result<void> copy_good(const SegmentInspection& segment, const disk::Path& to) {
    TRY(disk_.remove(to));
    TRY_ASSIGN(const auto from, disk_.open_read(segment.path));
    TRY_ASSIGN(const auto into, disk_.open_append(to));
    std::uint64_t position = 0;
    for (const BadStretch& stretch : segment.bad) {
      TRY(copy(*from, position, std::min(stretch.begin, segment.size), *into));
      position = stretch.end;
    }
    TRY(copy(*from, position, segment.size, *into));
    return into->sync();
  }

  static Result<void> copy(const disk::File& from, std::uint64_t begin, std::uint64_t end, disk::File& into) {
    std::string piece;
    while (begin < end) {
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPiece, end - begin)));
      TRY_ASSIGN(const std::size_t read, from.read_at(begin, piece));
      if (read == 0) return {};
      TRY(into.append(std::string_view(piece).substr(0, read)));
      begin += read;
    }
    return {};
  }

  Result<void> mend_state(const PartitionInspection& partition) {
    const disk::Path path = partition.folder / "partition.state";
    const Offset first = partition.segments.empty() ? Offset(0) : partition.segments.front().base;
    const Offset end = partition.segments.empty() ? Offset(0) : partition.segments.back().end;
    PartitionState state;
    if (partition.state) {
      state = *partition.state;
      if (partition.segments.empty() || first <= state.log_start) return {};
      say(fmt::format("let the log start at offset {}, as the records before it are gone", first));
    } else {
      say(fmt::format("write {} anew: the log starts at offset {}", path.string(), first));
      TRY(set_aside(path, partition.state_error));
      if (end > Offset(0)) state.epochs.push_back({kEpochAfterLoss, end});
    }
    state.log_start = first;
    return doing() ? disk_.write_file(path, state.encode()) : Result<void>();
  }

  // Copies a stretch of a file to the folder of damaged bytes, with a note. Done before, it is done again.
  Result<void> set_aside(const disk::Path& file, const std::string& cause, std::uint64_t begin = 0,
                         std::uint64_t end = UINT64_MAX) {
    if (!doing()) return {};
    const auto from = disk_.open_read(file);
    if (!from && from.error().code == ErrorCode::kNotFound) return {};
    if (!from) return fail(from.error());
    const disk::Path place = folder_ / "damaged" / file.parent_path().lexically_relative(folder_ / "topics");
    TRY(disk_.create_folders(place));
    TRY_ASSIGN(const std::uint64_t size, (*from)->size());
    end = std::min(end, size);
    const disk::Path copy_path = place / fmt::format("{}@{}", file.filename().string(), begin);
    TRY(disk_.remove(copy_path));
    TRY_ASSIGN(const auto into, disk_.open_append(copy_path));
    TRY(copy(**from, begin, end, *into));
    TRY(into->sync());
    disk::Path note = copy_path;
    note += ".txt";
    return disk_.write_file(
        note, fmt::format("{} bytes from position {} of {}\n{}\n", end - begin, begin, file.string(), cause));
  }

  disk::Disk& disk_;
  const disk::Path folder_;
  const RepairMode mode_;
  RepairReport report_;
  std::string topic_;
  std::int32_t partition_ = -1;
};

}  // namespace

Result<RepairReport> repair_log(const disk::Path& folder, disk::Disk& disk, RepairMode mode) {
  TRY_ASSIGN(const auto lock, disk.lock_folder(folder));
  TRY_ASSIGN(const LogInspection inspection, inspect_log(folder, disk));
  return Repair(disk, folder, mode).run(inspection);
}

}  // namespace pinflow::log
