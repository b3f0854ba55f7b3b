#include "log/internal/group_journal.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "log/crc32c.h"
#include "log/internal/bytes.h"

namespace pinflow::log {
namespace {

constexpr std::uint32_t kMagic1 = 0x50464731;  // "PFG1": commits without time, epoch and metadata.
constexpr std::uint32_t kMagic2 = 0x50464732;  // "PFG2": changes.
constexpr std::size_t kFrameHeader = 12;       // Magic, length, checksum.
constexpr std::size_t kOldEntrySize = 28;
constexpr std::size_t kLeastPositionSize = 42;
constexpr std::size_t kPlaceSize = 20;  // Topic and partition alone.

// Takes values from the front of a payload. After the first that is not there, all are zero and ok() is false.
class Reader final {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class Int>
  Int integer() {
    if (!ok_ || bytes_.size() < sizeof(Int)) {
      ok_ = false;
      return 0;
    }
    const Int value = load_big_endian<Int>(bytes_.data());
    bytes_.remove_prefix(sizeof(Int));
    return value;
  }
  std::string text(std::size_t size) {
    if (!ok_ || bytes_.size() < size) {
      ok_ = false;
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  void topic(std::array<std::uint8_t, 16>& id) {
    const std::string raw = text(id.size());
    if (ok_) std::memcpy(id.data(), raw.data(), id.size());
  }
  // A count of things that take at least `least` bytes each, so that it reserves no more memory than the bytes can fill.
  std::size_t count(std::size_t least) {
    const std::size_t n = integer<std::uint32_t>();
    if (n > bytes_.size() / least) ok_ = false;
    return ok_ ? n : 0;
  }

  bool ok() const { return ok_; }
  bool more() const { return ok_ && !bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

GroupChange read_old_commit(Reader& reader) {
  GroupChange change;
  change.group = reader.text(reader.integer<std::uint16_t>());
  change.positions.resize(reader.count(kOldEntrySize));
  for (GroupPosition& position : change.positions) {
    reader.topic(position.topic);
    position.partition = reader.integer<std::int32_t>();
    position.offset = Offset(reader.integer<std::int64_t>());
  }
  return change;
}

void read_positions(Reader& reader, GroupChange& change) {
  change.positions.resize(reader.count(kLeastPositionSize));
  for (GroupPosition& position : change.positions) {
    reader.topic(position.topic);
    position.partition = reader.integer<std::int32_t>();
    position.offset = Offset(reader.integer<std::int64_t>());
    position.leader_epoch = reader.integer<std::int32_t>();
    position.committed = WallTime(std::chrono::milliseconds(reader.integer<std::int64_t>()));
    position.metadata = reader.text(reader.integer<std::uint16_t>());
  }
}

// False: a kind that this program does not know, or bytes that end early.
bool read_change(Reader& reader, GroupChange& change) {
  change.kind = static_cast<GroupChange::Kind>(reader.integer<std::uint8_t>());
  change.group = reader.text(reader.integer<std::uint16_t>());
  switch (change.kind) {
    case GroupChange::Kind::kCommit:
      read_positions(reader, change);
      return reader.ok();
    case GroupChange::Kind::kForgetPositions:
      change.positions.resize(reader.count(kPlaceSize));
      for (GroupPosition& position : change.positions) {
        reader.topic(position.topic);
        position.partition = reader.integer<std::int32_t>();
      }
      return reader.ok();
    case GroupChange::Kind::kForgetOld:
      change.before = WallTime(std::chrono::milliseconds(reader.integer<std::int64_t>()));
      return reader.ok();
    case GroupChange::Kind::kState:
      change.state = reader.text(reader.integer<std::uint32_t>());
      return reader.ok();
    case GroupChange::Kind::kForgetGroup:
      return reader.ok();
  }
  return false;
}

std::optional<std::vector<GroupChange>> decode_payload(std::string_view payload, bool old_format) {
  Reader reader(payload);
  std::vector<GroupChange> changes;
  while (reader.more()) {
    if (old_format) {
      changes.push_back(read_old_commit(reader));
    } else if (!read_change(reader, changes.emplace_back())) {
      return std::nullopt;
    }
  }
  if (!reader.ok()) return std::nullopt;
  return changes;
}

struct Frame {
  std::vector<GroupChange> changes;
  std::size_t size = 0;
  bool old_format = false;
};

// The frame that `bytes` begin with.
std::optional<Frame> take_frame(std::string_view bytes) {
  if (bytes.size() < kFrameHeader) return std::nullopt;
  const auto magic = load_big_endian<std::uint32_t>(bytes.data());
  if (magic != kMagic1 && magic != kMagic2) return std::nullopt;
  const std::size_t length = load_big_endian<std::uint32_t>(bytes.data() + 4);
  if (length > bytes.size() - kFrameHeader) return std::nullopt;
  const std::string_view payload = bytes.substr(kFrameHeader, length);
  if (crc32c(payload) != load_big_endian<std::uint32_t>(bytes.data() + 8)) return std::nullopt;
  auto changes = decode_payload(payload, magic == kMagic1);
  if (!changes) return std::nullopt;
  return Frame{std::move(*changes), kFrameHeader + length, magic == kMagic1};
}

void append_topic(std::string& out, const GroupPosition& position) {
  out.append(reinterpret_cast<const char*>(position.topic.data()), position.topic.size());
  append_big_endian<std::int32_t>(out, position.partition);
}

void append_change(std::string& out, const GroupChange& change) {
  CHECK(change.group.size() <= UINT16_MAX, "the name's length was checked where it came in");
  out += static_cast<char>(change.kind);
  append_big_endian<std::uint16_t>(out, static_cast<std::uint16_t>(change.group.size()));
  out += change.group;
  const auto count = static_cast<std::uint32_t>(change.positions.size());
  switch (change.kind) {
    case GroupChange::Kind::kCommit:
      append_big_endian<std::uint32_t>(out, count);
      for (const GroupPosition& position : change.positions) {
        CHECK(position.metadata.size() <= kMostPositionMetadata, "the metadata's length was checked where it came in");
        append_topic(out, position);
        append_big_endian<std::int64_t>(out, position.offset.value());
        append_big_endian<std::int32_t>(out, position.leader_epoch);
        append_big_endian<std::int64_t>(out, position.committed.time_since_epoch().count());
        append_big_endian<std::uint16_t>(out, static_cast<std::uint16_t>(position.metadata.size()));
        out += position.metadata;
      }
      break;
    case GroupChange::Kind::kForgetPositions:
      append_big_endian<std::uint32_t>(out, count);
      for (const GroupPosition& position : change.positions) append_topic(out, position);
      break;
    case GroupChange::Kind::kForgetOld:
      append_big_endian<std::int64_t>(out, change.before.time_since_epoch().count());
      break;
    case GroupChange::Kind::kState:
      append_big_endian<std::uint32_t>(out, static_cast<std::uint32_t>(change.state.size()));
      out += change.state;
      break;
    case GroupChange::Kind::kForgetGroup:
      break;
  }
}

}  // namespace

std::string encode_frame(std::span<const GroupChange> changes) {
  std::string frame(kFrameHeader, '\0');
  for (const GroupChange& change : changes) append_change(frame, change);
  const std::string_view payload = std::string_view(frame).substr(kFrameHeader);
  const std::uint32_t crc = crc32c(payload);
  store_big_endian<std::uint32_t>(frame.data(), kMagic2);
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
      scan.old_format = scan.old_format || frame->old_format;
      std::ranges::move(frame->changes, std::back_inserter(scan.changes));
      position += frame->size;
      scan.valid_size = position;
    } else {
      ++position;
    }
  }
  return scan;
}

Result<void> GroupJournal::load(RecoveryReport& report, WallTime now) {
  const auto bytes = options_.disk.read_file(options_.path);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return {};
  TRY(bytes);
  JournalScan scan = scan_journal(*bytes);
  for (GroupChange& change : scan.changes) {
    for (GroupPosition& position : change.positions)
      if (position.committed == WallTime{}) position.committed = now;
    apply(std::move(change));
  }
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
  return size_ > options_.compact_at || scan.old_format ? compact() : Result<void>();
}

Error GroupJournal::fence(const Error& cause) {
  file_.reset();
  fence_ = fmt::format("writing {} failed, so no positions are taken until the next start: {}", options_.path.string(),
                       cause.message);
  options_.logger.error("the journal of group positions is fenced", {{"cause", *fence_}});
  return Error{ErrorCode::kUnknownOutcome, *fence_};
}

Result<void> GroupJournal::append(std::vector<GroupChange> changes) {
  if (fence_) return fail(ErrorCode::kUnavailable, *fence_);
  if (!file_) {
    auto file = options_.disk.open_append(options_.path);
    if (!file) return fail(ErrorCode::kUnavailable, file.error().message);
    if (auto synced = options_.disk.sync_folder(options_.path.parent_path()); !synced)
      return fail(fence(synced.error()));
    file_ = std::move(*file);
  }
  const std::string frame = encode_frame(changes);
  if (auto written = file_->append(frame); !written) {
    auto cut = file_->truncate(size_);
    if (cut) cut = file_->sync();
    if (!cut || written.error().code != ErrorCode::kUnavailable) return fail(fence(written.error()));
    return fail(std::move(written).error().with_context("no position was stored"));
  }
  size_ += frame.size();
  unpublished_ = std::move(changes);
  return {};
}

Result<void> GroupJournal::sync() {
  if (options_.durability == Durability::kPower)
    if (auto synced = file_->sync(); !synced) return fail(fence(synced.error()));
  for (GroupChange& change : unpublished_) apply(std::move(change));
  unpublished_.clear();
  if (size_ > std::max(options_.compact_at, compact_above_))
    if (auto compacted = compact(); !compacted)
      options_.logger.warning("rewriting the group positions failed", {{"cause", compacted.error().message}});
  return {};
}

void GroupJournal::apply(GroupChange change) {
  const std::scoped_lock lock(mutex_);
  const auto at = groups_.try_emplace(change.group).first;
  Group& group = at->second;
  switch (change.kind) {
    case GroupChange::Kind::kCommit:
      for (GroupPosition& position : change.positions)
        group.places[{position.topic, position.partition}] = {position.offset, position.leader_epoch,
                                                              position.committed, std::move(position.metadata)};
      break;
    case GroupChange::Kind::kForgetPositions:
      for (const GroupPosition& position : change.positions) group.places.erase({position.topic, position.partition});
      break;
    case GroupChange::Kind::kForgetOld:
      std::erase_if(group.places, [&](const auto& place) { return place.second.committed < change.before; });
      break;
    case GroupChange::Kind::kState:
      group.state = std::move(change.state);
      break;
    case GroupChange::Kind::kForgetGroup:
      group = {};
      break;
  }
  if (group.empty()) groups_.erase(at);
}

std::vector<GroupPosition> GroupJournal::list(const Group& group) {
  std::vector<GroupPosition> positions;
  positions.reserve(group.places.size());
  for (const auto& [key, place] : group.places)
    positions.push_back({key.first, key.second, place.offset, place.leader_epoch, place.committed, place.metadata});
  return positions;
}

// One frame a group, so that damage costs one group at most.
std::string GroupJournal::snapshot() const {
  const std::scoped_lock lock(mutex_);
  std::string bytes;
  for (const auto& [name, group] : groups_) {
    std::vector<GroupChange> changes;
    if (!group.places.empty()) changes.push_back({GroupChange::Kind::kCommit, name, list(group), {}, {}});
    if (!group.state.empty()) changes.push_back({GroupChange::Kind::kState, name, {}, {}, group.state});
    bytes += encode_frame(changes);
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

std::vector<GroupPosition> GroupJournal::positions(const std::string& group) const {
  const std::scoped_lock lock(mutex_);
  const auto at = groups_.find(group);
  return at == groups_.end() ? std::vector<GroupPosition>() : list(at->second);
}

bool GroupJournal::has_older(const std::string& group, WallTime before) const {
  const std::scoped_lock lock(mutex_);
  const auto at = groups_.find(group);
  return at != groups_.end() &&
         std::ranges::any_of(at->second.places, [&](const auto& place) { return place.second.committed < before; });
}

bool GroupJournal::knows(const std::string& group) const {
  const std::scoped_lock lock(mutex_);
  return groups_.contains(group);
}

std::vector<std::string> GroupJournal::groups() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> names;
  names.reserve(groups_.size());
  for (const auto& [name, group] : groups_) names.push_back(name);
  return names;
}

std::vector<std::pair<std::string, std::string>> GroupJournal::states() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::pair<std::string, std::string>> states;
  for (const auto& [name, group] : groups_)
    if (!group.state.empty()) states.emplace_back(name, group.state);
  return states;
}

template <class Unwanted>
void GroupJournal::forget_if(Unwanted unwanted) {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, group] : groups_)
    std::erase_if(group.places, [&](const auto& place) { return unwanted(place.first.first); });
  std::erase_if(groups_, [](const auto& item) { return item.second.empty(); });
}

void GroupJournal::forget_topic(const Uuid& topic) {
  forget_if([&](const auto& id) { return id == topic.bytes; });
}

void GroupJournal::keep_topics(std::span<const Uuid> topics) {
  std::set<std::array<std::uint8_t, 16>> known;
  for (const Uuid& topic : topics) known.insert(topic.bytes);
  forget_if([&](const auto& id) { return !known.contains(id); });
}

}  // namespace pinflow::log
