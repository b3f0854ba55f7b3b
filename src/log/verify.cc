#include "log/verify.h"

#include <algorithm>

#include "log/internal/log_inspection.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kRepair = "restore the file from a copy, or run `pinflow log repair`";
constexpr std::string_view kNextStart = "nothing: the next start puts it right";

// Turns what an inspection found into words.
class Findings {
 public:
  explicit Findings(std::vector<Finding>& out) : out_(out) {}

  void topic(const TopicInspection& topic) {
    topic_ = topic.topic ? topic.topic->name : "";
    partition_ = -1;
    if (!topic.topic)
      add(topic.folder / "topic.json", 0, fmt::format("the manifest cannot be read: {}", topic.manifest_error),
          "the topic does not exist for anybody; its records are kept",
          "restore the file from a copy, or run `pinflow log repair`, which makes one without the topic's settings");
    for (const PartitionInspection& each : topic.partitions) partition(each);
  }

  void journal(const disk::Path& path, const std::vector<std::string>& damage) {
    topic_.clear();
    partition_ = -1;
    for (const std::string& what : damage)
      add(path, 0, what, "some consumer groups go back to older positions and read records again", kNextStart);
  }

 private:
  void partition(const PartitionInspection& partition) {
    partition_ = partition.id;
    constexpr std::string_view kFenced = "the partition takes no records";
    if (partition.missing)
      return add(partition.folder, 0, "the folder of the partition is missing",
                 "its records are gone, and it takes no new ones",
                 "restore the folder from a copy, or run `pinflow log repair`, which makes an empty one");
    if (!partition.state)
      add(partition.folder / "partition.state", 0, partition.state_error,
          "it is not known where the log starts and which epoch is the last; the partition takes no records", kRepair);
    Offset expected = partition.state.value_or(PartitionState{}).log_start;
    bool first = true;
    for (const SegmentInspection& each : partition.segments) {
      // The first segment may begin before the log start, and is believed where that is not known.
      const bool fits = first ? !partition.state || each.base <= expected : each.base == expected;
      if (!fits)
        add(each.path, 0,
            fmt::format("it begins at offset {}, but what comes before it ends at {}", each.base, expected),
            fmt::format("the records in between are gone; {}", kFenced), kRepair);
      first = false;
      segment(each);
      expected = each.end;
    }
    for (const auto& [path, cause] : partition.bad_beside)
      add(path, 0, cause, "none: it is built again from the segments", kNextStart, false);
  }

  void segment(const SegmentInspection& segment) {
    if (!segment.unreadable.empty())
      return add(segment.path, 0, segment.unreadable, "its records cannot be read",
                 "look after the disk, then restore the file from a copy");
    for (const BadStretch& stretch : segment.bad)
      add(segment.path, stretch.begin, fmt::format("{} bytes: {}", stretch.end - stretch.begin, stretch.cause),
          "the records there cannot be read; the partition may take no records", kRepair);
    if (segment.torn > 0)
      add(segment.path, segment.size, fmt::format("{} bytes of an unfinished write", segment.torn),
          "none: they were never acknowledged", kNextStart, false);
  }

  void add(disk::Path file, std::uint64_t position, std::string what, std::string_view consequence,
           std::string_view remedy, bool damage = true) {
    out_.push_back({topic_, partition_, std::move(file), position, damage, std::move(what), std::string(consequence),
                    std::string(remedy)});
  }

  std::vector<Finding>& out_;
  std::string topic_;
  std::int32_t partition_ = -1;
};

}  // namespace

bool VerifyReport::damaged() const {
  return std::ranges::any_of(findings, &Finding::damage);
}

Result<VerifyReport> verify_log(const disk::Path& folder, disk::Disk& disk) {
  // Held while looking, so that nobody writes meanwhile; who has it already does no harm but at the ends of segments.
  const auto lock = disk.lock_folder(folder);
  TRY_ASSIGN(const LogInspection inspection, inspect_log(folder, disk));
  VerifyReport report = inspection.counts;
  report.in_use = !lock && lock.error().code == ErrorCode::kConflict;
  Findings findings(report.findings);
  for (const TopicInspection& topic : inspection.topics) findings.topic(topic);
  findings.journal(folder / "groups.journal", inspection.journal_damage);
  return report;
}

}  // namespace pinflow::log
