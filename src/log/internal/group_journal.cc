#include "log/internal/group_journal.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "log/crc32c.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::uint32_t kMagic = 0x50464731;  // "PFG1": group positions, format 1.
constexpr std::size_t kFrameHeader = 12;      // Magic, length, checksum.
constexpr std::size_t kEntrySize = 28;

std::optional<std::vector<GroupCommit>> decode_payload(std::string_view payload) {
  std::vector<GroupCommit> commits;
  while (!payload.empty()) {
    if (payload.size() < 2) return std::nullopt;
    const std::size_t name = load_big_endian<std::uint16_t>(payload.data());
    payload.remove_prefix(2);
    if (payload.size() < name + 4) return std::nullopt;
    GroupCommit& commit = commits.emplace_back();
    commit.group = payload.substr(0, name);
    const std::size_t count = load_big_endian<std::uint32_t>(payload.data() + name);
    payload.remove_prefix(name + 4);
    if (payload.size() / kEntrySize < count) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i, payload.remove_prefix(kEntrySize)) {
      GroupCommit::Entry& entry = commit.entries.emplace_back();
      std::memcpy(entry.topic.data(), payload.data(), 16);
      entry.partition = load_big_endian<std::int32_t>(payload.data() + 16);
      entry.offset = Offset(load_big_endian<std::int64_t>(payload.data() + 20));
    }
  }
  return commits;
}

// The frame that `bytes` begin with, and its size.
std::optional<std::pair<std::vector<GroupCommit>, std::size_t>> take_frame(std::string_view bytes) {
  if (bytes.size() < kFrameHeader || load_big_endian<std::uint32_t>(bytes.data()) != kMagic) return std::nullopt;
  const std::size_t length = load_big_endian<std::uint32_t>(bytes.data() + 4);
  if (length > bytes.size() - kFrameHeader) return std::nullopt;
  const std::string_view payload = bytes.substr(kFrameHeader, length);
  if (crc32c(payload) != load_big_endian<std::uint32_t>(bytes.data() + 8)) return std::nullopt;
  auto commits = decode_payload(payload);
  if (!commits) return std::nullopt;
  return std::pair(std::move(*commits), kFrameHeader + length);
}

}  // namespace

std::string encode_frame(std::span<const GroupCommit> commits) {
  std::string frame(kFrameHeader, '\0');
  for (const GroupCommit& commit : commits) {
    CHECK(commit.group.size() <= UINT16_MAX, "the name's length was checked where it came in");
    append_big_endian<std::uint16_t>(frame, static_cast<std::uint16_t>(commit.group.size()));
    frame += commit.group;
    append_big_endian<std::uint32_t>(frame, static_cast<std::uint32_t>(commit.entries.size()));
    for (const GroupCommit::Entry& entry : commit.entries) {
      frame.append(reinterpret_cast<const char*>(entry.topic.data()), entry.topic.size());
      append_big_endian<std::int32_t>(frame, entry.partition);
      append_big_endian<std::int64_t>(frame, entry.offset.value());
    }
  }
  const std::string_view payload = std::string_view(frame).substr(kFrameHeader);
  const std::uint32_t crc = crc32c(payload);
  store_big_endian<std::uint32_t>(frame.data(), kMagic);
  store_big_endian<std::uint32_t>(frame.data() + 4, static_cast<std::uint32_t>(payload.size()));
  store_big_endian<std::uint32_t>(frame.data() + 8, crc);
  return frame;
}

JournalScan scan_journal(std::string_view bytes) {
  JournalScan scan;
  std::size_t position = 0;
  while (position < bytes.size()) {
    if (auto frame = take_frame(bytes.substr(position))) {
      if (position != scan.valid_size) scan.damaged = true;
      std::ranges::move(frame->first, std::back_inserter(scan.commits));
      position += frame->second;
      scan.valid_size = position;
    } else {
      ++position;
    }
  }
  return scan;
}

Result<void> GroupJournal::load(RecoveryReport& report) {
  const auto bytes = options_.disk.read_file(options_.path);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return {};
  TRY(bytes);
  const JournalScan scan = scan_journal(*bytes);
  for (const GroupCommit& commit : scan.commits) apply(commit);
  size_ = scan.valid_size;
  if (scan.damaged) {
    report.damage.push_back(fmt::format(
        "{}: some committed positions cannot be read; their groups go on from older ones", options_.path.string()));
    options_.logger.error("the journal of group positions is damaged", {{"file", options_.path.string()}});
  }
  if (options_.read_only) return {};
  if (scan.damaged) {
    // The evidence is kept; the positions that are left are written anew.
    TRY(options_.disk.write_file(disk::Path(options_.path) += ".damaged", *bytes));
    return compact();
  }
  TRY_ASSIGN(file_, options_.disk.open_append(options_.path));
  if (scan.valid_size < bytes->size()) {
    report.torn_bytes_cut += bytes->size() - scan.valid_size;
    TRY(file_->truncate(scan.valid_size));
  }
  TRY(file_->sync());
  return size_ > options_.compact_at ? compact() : Result<void>();
}

Error GroupJournal::fence(const Error& cause) {
  file_.reset();
  fence_ = fmt::format("writing {} failed, so no positions are taken until the next start: {}", options_.path.string(),
                       cause.message);
  options_.logger.error("the journal of group positions is fenced", {{"cause", *fence_}});
  return Error{ErrorCode::kUnknownOutcome, *fence_};
}

Result<void> GroupJournal::append(const std::vector<GroupCommit>& commits) {
  if (fence_) return fail(ErrorCode::kUnavailable, *fence_);
  if (!file_) {
    auto file = options_.disk.open_append(options_.path);
    if (!file) return fail(ErrorCode::kUnavailable, file.error().message);
    if (auto synced = options_.disk.sync_folder(options_.path.parent_path()); !synced)
      return fail(fence(synced.error()));
    file_ = std::move(*file);
  }
  const std::string frame = encode_frame(commits);
  if (auto written = file_->append(frame); !written) {
    auto cut = file_->truncate(size_);
    if (cut) cut = file_->sync();
    if (!cut || written.error().code != ErrorCode::kUnavailable) return fail(fence(written.error()));
    return fail(std::move(written).error().with_context("no position was stored"));
  }
  size_ += frame.size();
  unpublished_ = commits;
  return {};
}

Result<void> GroupJournal::sync() {
  if (options_.durability == Durability::kPower)
    if (auto synced = file_->sync(); !synced) return fail(fence(synced.error()));
  for (const GroupCommit& commit : unpublished_) apply(commit);
  unpublished_.clear();
  if (size_ > std::max(options_.compact_at, compact_above_))
    if (auto compacted = compact(); !compacted)
      options_.logger.warning("rewriting the group positions failed", {{"cause", compacted.error().message}});
  return {};
}

void GroupJournal::apply(const GroupCommit& commit) {
  const std::scoped_lock lock(mutex_);
  auto& positions = groups_[commit.group];
  for (const GroupCommit::Entry& entry : commit.entries) positions[{entry.topic, entry.partition}] = entry.offset;
}

// One frame a group, so that damage costs one group at most.
std::string GroupJournal::snapshot() const {
  const std::scoped_lock lock(mutex_);
  std::string bytes;
  for (const auto& [group, positions] : groups_) {
    GroupCommit commit{group, {}};
    for (const auto& [position, offset] : positions)
      commit.entries.push_back({position.first, position.second, offset});
    bytes += encode_frame({&commit, 1});
  }
  return bytes;
}

// Replaces the file by what is live in it. Where that fails it is not known which of the two is there, hence
// the fence.
Result<void> GroupJournal::compact() {
  const std::string bytes = snapshot();
  file_.reset();
  if (auto written = options_.disk.write_file(options_.path, bytes); !written) return fail(fence(written.error()));
  size_ = bytes.size();
  compact_above_ = 4 * size_;
  return {};
}

std::vector<GroupCommit::Entry> GroupJournal::positions(const std::string& group) const {
  const std::scoped_lock lock(mutex_);
  std::vector<GroupCommit::Entry> entries;
  const auto at = groups_.find(group);
  if (at == groups_.end()) return entries;
  for (const auto& [position, offset] : at->second) entries.push_back({position.first, position.second, offset});
  return entries;
}

void GroupJournal::forget_topic(const Uuid& topic) {
  const std::scoped_lock lock(mutex_);
  for (auto& [group, positions] : groups_)
    std::erase_if(positions, [&](const auto& item) { return item.first.first == topic.bytes; });
  std::erase_if(groups_, [](const auto& item) { return item.second.empty(); });
}

}  // namespace pinflow::log
