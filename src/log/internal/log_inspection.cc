#include "log/internal/log_inspection.h"

#include <algorithm>
#include <charconv>

#include "base/logger.h"
#include "base/names.h"
#include "log/compression.h"
#include "log/internal/file_window.h"
#include "log/internal/group_journal.h"
#include "log/internal/partition_files.h"
#include "log/internal/producer_table.h"
#include "log/internal/record_walk.h"
#include "log/internal/segment_scan.h"
#include "log/internal/topic_manifest.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

constexpr std::string_view kFormatLine = "pinflow log format ";
constexpr int kNewestFormat = 2;
constexpr std::size_t kReadWindow = 1 << 20;
constexpr std::size_t kIdSize = 36;     // Of an UUID as text.
constexpr std::size_t kNamePart = 200;  // Of a topic's name in that of its folder; a longer one is cut.

Result<void> check_format(const disk::Path& folder, disk::Disk& disk) {
  const auto text = disk.read_file(folder / "format");
  if (!text && text.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound, fmt::format("there is no log in {}", folder.string()));
  TRY(text);
  int format = 0;
  if (text->starts_with(kFormatLine))
    std::from_chars(text->data() + kFormatLine.size(), text->data() + text->size(), format);
  if (format > kNewestFormat)
    return fail(ErrorCode::kInvalid,
                fmt::format("the log in {} has format {}, this program knows {}; use a newer program", folder.string(),
                            format, kNewestFormat));
  return {};
}

// Whether the records of a batch are what its header says; how many there are.
Result<std::uint64_t> count_records(std::string_view batch, const BatchHeader& header) {
  std::string opened;
  std::string_view records = batch.substr(kBatchHeaderSize);
  if (header.codec() != 0 && header.record_count > 0) {
    TRY_ASSIGN(const Codec codec, codec_of(header.codec()));
    TRY(decompress(codec, records, decompressed_limit(batch.size()), opened));
    records = opened;
  }
  RecordWalk walk(records);
  RawRecord record;
  std::int64_t last = -1;
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    if (!walk.next(record) || record.offset_delta <= last || record.offset_delta > header.last_offset_delta)
      return fail(ErrorCode::kCorrupt, fmt::format("record {} of {} is malformed", i, header.record_count));
    last = record.offset_delta;
  }
  if (!walk.at_end()) return fail(ErrorCode::kCorrupt, "bytes follow the last record");
  return static_cast<std::uint64_t>(header.record_count);
}

// Walks what the scan found to be batches and looks into them.
class Walk {
 public:
  Walk(const disk::File& file, const SegmentScan& scan, SegmentInspection& segment, VerifyReport& counts)
      : window_(file, scan.valid_size, kReadWindow), scan_(scan), segment_(segment), counts_(counts) {}

  Result<void> run() {
    std::uint64_t position = 0;
    Offset next = segment_.base;
    bool behind_damage = segment_.named_end.has_value();  // Gaps are then as they should be.
    auto damage = scan_.damage.begin();
    while (position < scan_.valid_size) {
      if (damage != scan_.damage.end() && damage->begin == position) {
        add_bad(damage->begin, damage->end, "they are no record batches");
        position = damage++->end;
        behind_damage = true;
        continue;
      }
      TRY_ASSIGN(const std::string_view front, window_.look(position, kBatchHeaderSize));
      TRY_ASSIGN(const BatchHeader header, read_batch_header(front));
      TRY_ASSIGN(const std::string_view batch, window_.look(position, header.size));
      if (!behind_damage && header.base_offset != next)
        add_bad(position, position,
                fmt::format("the records from offset {} to {} are missing", next, header.base_offset));
      if (const auto whole = check_batch(batch); !whole) {
        add_bad(position, position + header.size, whole.error().message);
      } else if (const auto records = count_records(batch, header); !records) {
        add_bad(position, position + header.size, records.error().message);
      } else {
        ++counts_.batches;
        counts_.records += *records;
      }
      next = header.end_offset();
      position += header.size;
      behind_damage = segment_.named_end.has_value();
    }
    for (; damage != scan_.damage.end(); ++damage) add_bad(damage->begin, damage->end, "they are no record batches");
    return {};
  }

 private:
  void add_bad(std::uint64_t begin, std::uint64_t end, std::string cause) {
    segment_.bad.push_back({begin, end, std::move(cause)});
  }

  FileWindow window_;
  const SegmentScan& scan_;
  SegmentInspection& segment_;
  VerifyReport& counts_;
};

// The files beside the segments, from which nothing is lost that the segments do not have.
void inspect_beside(disk::Disk& disk, PartitionInspection& partition) {
  const auto note = [&](const disk::Path& path, const Error& error) {
    partition.bad_beside.emplace_back(path, error.message);
  };
  for (const SegmentInspection& segment : partition.segments) {
    const disk::Path path = disk::Path(segment.path).replace_extension(".index");
    const auto bytes = disk.read_file(path);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) continue;
    const auto index = bytes ? SegmentIndex::decode(*bytes) : Result<SegmentIndex::Closed>(fail(bytes.error()));
    if (!index) {
      note(path, index.error());
    } else if (index->base != segment.base || index->size != segment.size + segment.torn) {
      note(path, {ErrorCode::kCorrupt, "it does not fit its segment"});
    }
  }
  if (partition.segments.empty()) return;
  const Offset base = partition.segments.back().base;
  const disk::Path path = partition.folder / fmt::format("{:020}.producers", base.value());
  const auto bytes = disk.read_file(path);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return;
  ProducerTable table;
  if (const auto known = bytes ? table.decode(*bytes, base) : Result<std::vector<StoredRequest>>(fail(bytes.error()));
      !known)
    note(path, known.error());
}

Result<PartitionInspection> inspect_partition(disk::Disk& disk, const disk::Path& folder, std::int32_t id,
                                              VerifyReport& counts) {
  PartitionInspection partition;
  partition.id = id;
  partition.folder = folder;
  partition.state.emplace();
  ++counts.partitions;
  auto entries = disk.list(folder);
  if (!entries && entries.error().code == ErrorCode::kNotFound) {
    partition.missing = true;
    return partition;
  }
  TRY(entries);
  const auto bytes = disk.read_file(folder / "partition.state");
  if (bytes || bytes.error().code != ErrorCode::kNotFound) {
    auto state = bytes ? PartitionState::decode(*bytes) : Result<PartitionState>(fail(bytes.error()));
    if (!state) partition.state_error = state.error().message;
    partition.state = state ? std::optional(std::move(*state)) : std::nullopt;
  }
  const PartitionFiles files = sort_files(std::move(*entries), partition.state.value_or(PartitionState{}).log_start);
  for (const SegmentFile& file : files.segments) {
    SegmentInspection segment;
    segment.base = segment.end = file.base;
    segment.named_end = file.end;
    segment.path = folder / file.entry.name;
    segment.last = &file == &files.segments.back();
    partition.segments.push_back(inspect_segment(disk, std::move(segment), counts));
  }
  inspect_beside(disk, partition);
  return partition;
}

// None for folders that the next opening removes.
Result<std::optional<TopicInspection>> inspect_topic(disk::Disk& disk, const disk::Path& folder, VerifyReport& counts) {
  if (disk.describe(folder / "topic.deleted")) return std::nullopt;
  TopicInspection inspection;
  inspection.folder = folder;
  const auto text = disk.read_file(folder / "topic.json");
  auto topic = text ? decode_manifest(*text) : Result<Topic>(fail(text.error()));
  if (!topic && topic.error().code == ErrorCode::kInvalid) return fail(topic.error());
  std::optional<Topic> known;
  if (topic) {
    known = inspection.topic = std::move(*topic);
  } else {
    inspection.manifest_error = topic.error().message;
    known = topic_of_folder(disk, folder);
  }
  if (!known) return inspection;
  for (std::int32_t i = 0; i < known->partitions; ++i) {
    TRY_ASSIGN(auto partition, inspect_partition(disk, folder / std::to_string(i), i, counts));
    inspection.partitions.push_back(std::move(partition));
  }
  const bool holds_records = std::ranges::any_of(
      inspection.partitions, [](const PartitionInspection& partition) { return !partition.segments.empty(); });
  // Nobody was told that a topic exists which has no manifest yet.
  if (!text && text.error().code == ErrorCode::kNotFound && !holds_records) return std::nullopt;
  ++counts.topics;
  return inspection;
}

}  // namespace

SegmentInspection inspect_segment(disk::Disk& disk, SegmentInspection segment, VerifyReport& counts) {
  ++counts.segments;
  const auto inspected = [&]() -> Result<void> {
    TRY_ASSIGN(const auto file, disk.open_read(segment.path));
    const bool open = segment.last && !segment.named_end;
    const SegmentKind kind = open                ? SegmentKind::kOpen
                             : segment.named_end ? SegmentKind::kRewritten
                                                 : SegmentKind::kChecked;
    TRY_ASSIGN(const SegmentScan scan,
               scan_segment(*file, segment.base, kind, segment.named_end.value_or(kMostOffset)));
    segment.end = segment.named_end.value_or(scan.end);
    segment.size = scan.valid_size;
    segment.torn = open ? scan.file_size - scan.valid_size : 0;
    counts.bytes += scan.file_size;
    return Walk(*file, scan, segment, counts).run();
  }();
  if (!inspected) segment.unreadable = inspected.error().message;
  return segment;
}

std::optional<Topic> topic_of_folder(disk::Disk& disk, const disk::Path& folder) {
  const std::string name = folder.filename().string();
  if (name.size() < kIdSize + 2 || name.size() - kIdSize - 1 >= kNamePart) return std::nullopt;
  const auto id = Uuid::parse(name.substr(name.size() - kIdSize));
  Topic topic;
  topic.name = name.substr(0, name.size() - kIdSize - 1);
  if (!id || !check_name("topic", topic.name)) return std::nullopt;
  topic.id = *id;
  const auto entries = disk.list(folder);
  if (!entries) return std::nullopt;
  for (const disk::Entry& entry : *entries) {
    std::int32_t number = -1;
    const auto [end, error] = std::from_chars(entry.name.data(), entry.name.data() + entry.name.size(), number);
    if (entry.is_directory && error == std::errc() && *end == '\0' && number >= 0)
      topic.partitions = std::max(topic.partitions, number + 1);
  }
  return topic.partitions > 0 ? std::optional(std::move(topic)) : std::nullopt;
}

Result<LogInspection> inspect_log(const disk::Path& folder, disk::Disk& disk) {
  TRY(check_format(folder, disk));
  LogInspection inspection;
  const auto topics = disk.list(folder / "topics");
  if (!topics && topics.error().code != ErrorCode::kNotFound) return fail(topics.error());
  if (topics) {
    for (const disk::Entry& entry : *topics) {
      if (!entry.is_directory) continue;
      TRY_ASSIGN(auto topic, inspect_topic(disk, folder / "topics" / entry.name, inspection.counts));
      if (topic) inspection.topics.push_back(std::move(*topic));
    }
  }
  NullLogger silent;
  RecoveryReport recovery;
  GroupJournal journal({disk, silent, folder / "groups.journal", Durability::kPower, true});
  if (const auto loaded = journal.load(recovery, WallTime()); !loaded)
    recovery.damage.push_back(loaded.error().message);
  inspection.journal_damage = std::move(recovery.damage);
  return inspection;
}

}  // namespace pinflow::log
