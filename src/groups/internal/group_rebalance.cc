#include <algorithm>

#include "base/check.h"
#include "groups/internal/group.h"

namespace pinflow::groups {

void Group::prepare_rebalance(Turn& turn) {
  if (state_ == GroupState::kPreparingRebalance || state_ == GroupState::kDead) return;
  // Who waits for its part of a generation that ends joins again instead.
  for (auto& [id, member] : members_) {
    if (!member.syncing) continue;
    answer(member.syncing, {GroupError::kRebalanceInProgress, {}, {}, {}}, turn);
    renew(member, turn);
  }
  sync_deadline_.reset();
  pending_sync_.clear();
  initial_join_ = state_ == GroupState::kEmpty;
  new_member_added_ = false;
  if (initial_join_) {
    const auto timeout = rebalance_timeout();
    const auto delay = std::min(options_.initial_rebalance_delay, timeout);
    initial_remaining_ = timeout - delay;
    join_deadline_ = turn.now + delay;
  } else {
    join_deadline_ = turn.now + rebalance_timeout();
  }
  state_ = GroupState::kPreparingRebalance;
}

void Group::try_complete_join(Turn& turn) {
  if (state_ != GroupState::kPreparingRebalance || initial_join_ || !pending_.empty()) return;
  if (std::ranges::all_of(members_, [](const auto& item) { return bool(item.second.joining); })) complete_join(turn);
}

// The first rebalance goes on waiting as long as members arrive.
void Group::on_join_deadline(Turn& turn) {
  if (initial_join_ && std::exchange(new_member_added_, false) && initial_remaining_.count() > 0) {
    const auto delay = std::clamp(options_.initial_rebalance_delay, std::chrono::milliseconds(1), initial_remaining_);
    initial_remaining_ -= delay;
    join_deadline_ = turn.now + delay;
    return;
  }
  complete_join(turn);
}

bool Group::elect_joined_leader() {
  if (const auto leader = members_.find(leader_); leader != members_.end() && leader->second.joining) return true;
  const auto joined = std::ranges::find_if(members_, [](const auto& item) { return bool(item.second.joining); });
  if (joined == members_.end()) return false;
  leader_ = joined->first;
  return true;
}

void Group::complete_join(Turn& turn) {
  std::vector<std::string> missing;
  for (const auto& [id, member] : members_)
    if (!member.joining && !member.instance_id) missing.push_back(id);
  for (const std::string& id : missing) remove_member(id, GroupError::kUnknownMemberId, turn);
  initial_join_ = false;
  if (!elect_joined_leader() && !members_.empty()) {
    // Static members alone, and none has joined: they stay until their sessions end.
    join_deadline_ = turn.now + rebalance_timeout();
    return;
  }
  join_deadline_.reset();
  generation_ = generation_ == INT32_MAX ? 1 : generation_ + 1;
  since_ = turn.wall;
  leader_synced_ = false;
  if (members_.empty()) {
    protocol_.clear();
    state_ = GroupState::kEmpty;
    return store(snapshot(), {});
  }
  protocol_ = select_protocol();
  state_ = GroupState::kCompletingRebalance;
  sync_deadline_ = turn.now + rebalance_timeout();
  for (auto& [id, member] : members_) {
    pending_sync_.insert(id);
    renew(member, turn);
    member.is_new = false;
    if (member.joining) answer(member.joining, current_generation(member), turn);
  }
}

// Each member votes for the first of its protocols that all know; of equals the first by name wins.
std::string Group::select_protocol() const {
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    const auto choice = std::ranges::find_if(member.protocols, [&](const JoinProtocol& protocol) {
      return supported_.at(protocol.name) == members_.size();
    });
    if (choice != member.protocols.end()) ++votes[choice->name];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& item) { return item.second; });
  return most == votes.end() ? std::string() : most->first;
}

void Group::sync(SyncRequest& request, SyncDone done, Turn& turn) {
  const auto refuse = [&](GroupError error) { answer(done, {error, {}, {}, {}}, turn); };
  if (state_ == GroupState::kDead) return refuse(GroupError::kCoordinatorNotAvailable);
  if (const GroupError error = check_member(request.member_id, request.instance_id); error != GroupError::kNone)
    return refuse(error);
  if (request.generation != generation_) return refuse(GroupError::kIllegalGeneration);
  if ((request.protocol_type && *request.protocol_type != protocol_type_) ||
      (request.protocol && *request.protocol != protocol_))
    return refuse(GroupError::kInconsistentGroupProtocol);
  Member& member = members_.at(request.member_id);
  switch (state_) {
    case GroupState::kEmpty:
    case GroupState::kDead:
      return refuse(GroupError::kUnknownMemberId);
    case GroupState::kPreparingRebalance:
      return refuse(GroupError::kRebalanceInProgress);
    case GroupState::kCompletingRebalance:
      answer(member.syncing, {GroupError::kRebalanceInProgress, {}, {}, {}}, turn);
      member.syncing = std::move(done);
      pending_sync_.erase(member.id);
      if (leader_ == member.id && !leader_synced_) lead(request, turn);
      return;
    case GroupState::kStable:
      pending_sync_.erase(member.id);
      if (pending_sync_.empty()) sync_deadline_.reset();
      renew(member, turn);
      return answer(done, synced(member), turn);
  }
}

// The leader has spoken: its bytes go to the members as they are, once they would be found again after a restart.
void Group::lead(SyncRequest& request, Turn& turn) {
  std::size_t bytes = 0;
  for (const MemberAssignment& part : request.assignments) {
    bytes += part.assignment.size();
    if (part.assignment.size() <= options_.max_member_size.count() && bytes <= options_.max_memory.count()) continue;
    pending_sync_.insert(leader_);  // It may do better before the time for that is over.
    return answer(members_.at(leader_).syncing, {GroupError::kInvalidRequest, {}, {}, {}}, turn);
  }
  leader_synced_ = true;
  std::map<std::string, std::string> parts;
  for (MemberAssignment& part : request.assignments) parts[part.member_id] = std::move(part.assignment);
  GroupSnapshot stable = snapshot();
  std::vector<MemberAssignment> assignments;
  for (GroupSnapshot::Member& member : stable.members) {
    const auto part = parts.find(member.id);
    member.assignment = part == parts.end() ? std::string() : std::move(part->second);
    assignments.push_back({member.id, member.assignment});
  }
  store(stable, [this, generation = generation_, assignments = std::move(assignments)](GroupError error, Turn& then) {
    complete_sync(generation, assignments, error, then);
  });
}

void Group::complete_sync(std::int32_t generation, const std::vector<MemberAssignment>& assignments, GroupError error,
                          Turn& turn) {
  if (state_ != GroupState::kCompletingRebalance || generation_ != generation) return;
  if (error != GroupError::kNone) {
    for (auto& [id, member] : members_) answer(member.syncing, {error, {}, {}, {}}, turn);
    return prepare_rebalance(turn);
  }
  state_ = GroupState::kStable;
  since_ = turn.wall;
  for (const MemberAssignment& part : assignments) {
    const auto at = members_.find(part.member_id);
    if (at == members_.end()) continue;
    bytes_ -= at->second.bytes();
    at->second.assignment = part.assignment;
    bytes_ += at->second.bytes();
  }
  if (pending_sync_.empty()) sync_deadline_.reset();
  for (auto& [id, member] : members_) {
    if (!member.syncing) continue;
    renew(member, turn);
    answer(member.syncing, synced(member), turn);
  }
}

// Who has not asked for its part in time is as good as gone.
void Group::on_sync_deadline(Turn& turn) {
  sync_deadline_.reset();
  const auto silent = std::exchange(pending_sync_, {});
  for (const std::string& id : silent)
    if (members_.contains(id)) remove_member(id, GroupError::kUnknownMemberId, turn);
  if (!silent.empty()) prepare_rebalance(turn);
  try_complete_join(turn);
}

}  // namespace pinflow::groups
