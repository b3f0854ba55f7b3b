#include "log/internal/group_store.h"

#include <algorithm>
#include <map>

namespace pinflow::log {
namespace {

constexpr std::size_t kMostGroupName = 1024;

std::size_t memory_of(const GroupChange& change) {
  std::size_t bytes = sizeof(GroupChange) + change.group.size() + change.state.size();
  for (const GroupPosition& position : change.positions) bytes += sizeof(GroupPosition) + position.metadata.size();
  return bytes;
}

}  // namespace

Result<void> GroupStore::check(const std::string& group) const {
  if (committer_ == nullptr) return fail(ErrorCode::kInvalid, "the log is open for reading only");
  if (!group.empty() && group.size() <= kMostGroupName) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("a group's name has 1 to {} bytes, not {}", kMostGroupName, group.size()));
}

void GroupStore::submit(GroupChange change, Done done) {
  if (auto checked = check(change.group); !checked) return done(std::move(checked));
  PositionsRequest request;
  request.bytes = memory_of(change);
  request.change = std::move(change);
  request.done = std::move(done);
  if (auto accepted = committer_->submit(request); !accepted) request.done(std::move(accepted));
}

Result<void> GroupStore::fill(GroupChange& change, const std::vector<GroupOffset>& offsets) const {
  TRY(check(change.group));
  const WallTime now = clock_.now();
  change.positions.reserve(offsets.size());
  for (const GroupOffset& position : offsets) {
    TRY_ASSIGN(const auto found, topics_.find(position.partition));
    if (position.offset < Offset(0))
      return fail(ErrorCode::kInvalid, fmt::format("group {}: offset {} is negative", change.group, position.offset));
    if (position.metadata.size() > kMostPositionMetadata)
      return fail(ErrorCode::kInvalid, fmt::format("group {}: the metadata of a position has {} bytes, at most {} fit",
                                                   change.group, position.metadata.size(), kMostPositionMetadata));
    change.positions.push_back({found.first->topic.id.bytes, position.partition.partition.value(), position.offset,
                                position.leader_epoch, now, position.metadata});
  }
  return {};
}

void GroupStore::commit(std::string group, const std::vector<GroupOffset>& offsets, Done done) {
  GroupChange change{GroupChange::Kind::kCommit, std::move(group), {}, {}, {}};
  if (auto filled = fill(change, offsets); !filled) return done(std::move(filled));
  if (change.positions.empty()) return done({});
  submit(std::move(change), std::move(done));
}

void GroupStore::delete_offsets(std::string group, const std::vector<TopicPartition>& partitions, Done done) {
  GroupChange change{GroupChange::Kind::kForgetPositions, std::move(group), {}, {}, {}};
  for (const TopicPartition& partition : partitions) {
    const auto topic = topics_.find(partition.topic);
    if (!topic) continue;  // The positions of a deleted topic went with it.
    GroupPosition& position = change.positions.emplace_back();
    position.topic = (*topic)->topic.id.bytes;
    position.partition = partition.partition.value();
  }
  if (change.positions.empty()) return done({});
  submit(std::move(change), std::move(done));
}

void GroupStore::delete_old_offsets(std::string group, WallTime before, Done done) {
  // A commit on its way has a later time, so the look at memory cannot miss anything that must go.
  if (!journal_.has_older(group, before)) return done({});
  submit({GroupChange::Kind::kForgetOld, std::move(group), {}, before, {}}, std::move(done));
}

void GroupStore::delete_group(std::string group, Done done) {
  submit({GroupChange::Kind::kForgetGroup, std::move(group), {}, {}, {}}, std::move(done));
}

void GroupStore::store_state(std::string group, std::string state, Done done) {
  submit({GroupChange::Kind::kState, std::move(group), {}, {}, std::move(state)}, std::move(done));
}

std::vector<GroupOffset> GroupStore::committed(const std::string& group) const {
  std::vector<GroupOffset> offsets;
  const std::array<std::uint8_t, 16>* last = nullptr;  // Positions of one topic lie side by side.
  std::optional<std::string> name;
  const std::vector<GroupPosition> positions = journal_.positions(group);
  offsets.reserve(positions.size());
  for (const GroupPosition& position : positions) {
    if (last == nullptr || *last != position.topic) name = topics_.name_of({position.topic});
    last = &position.topic;
    if (name)
      offsets.push_back(
          {{*name, PartitionId(position.partition)}, position.offset, position.leader_epoch, position.metadata});
  }
  std::ranges::sort(offsets, {}, &GroupOffset::partition);
  return offsets;
}

}  // namespace pinflow::log
