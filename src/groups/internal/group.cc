#include "groups/internal/group.h"

#include <algorithm>

#include "base/check.h"
#include "groups/internal/subscription.h"

namespace pinflow::groups {

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::kEmpty:
      return "Empty";
    case GroupState::kPreparingRebalance:
      return "PreparingRebalance";
    case GroupState::kCompletingRebalance:
      return "CompletingRebalance";
    case GroupState::kStable:
      return "Stable";
    case GroupState::kDead:
      return "Dead";
  }
  CHECK(false, "a state of no group");
}

std::size_t Group::Member::bytes() const {
  std::size_t sum = sizeof(Member) + 2 * id.size() + client_id.size() + client_host.size() + assignment.size();
  for (const JoinProtocol& protocol : protocols)
    sum += sizeof(protocol) + protocol.name.size() + protocol.metadata.size();
  return sum;
}

const std::string* Group::Member::metadata(const std::string& protocol) const {
  const auto at = std::ranges::find(protocols, protocol, &JoinProtocol::name);
  return at == protocols.end() ? nullptr : &at->metadata;
}

void Group::restore(const GroupSnapshot& snapshot, SteadyTime now) {
  generation_ = snapshot.generation;
  since_ = snapshot.since;
  protocol_type_ = snapshot.protocol_type;
  protocol_ = snapshot.protocol;
  leader_ = snapshot.leader;
  stored_ = true;
  state_ = snapshot.members.empty() ? GroupState::kEmpty : GroupState::kStable;
  for (const GroupSnapshot::Member& from : snapshot.members) {
    Member member{from.id,
                  from.instance_id,
                  from.client_id,
                  from.client_host,
                  from.session_timeout,
                  from.rebalance_timeout,
                  from.protocols,
                  from.assignment,
                  now + from.session_timeout,
                  false,
                  {},
                  {}};
    count_protocols(member, 1);
    if (member.instance_id) static_members_[*member.instance_id] = member.id;
    bytes_ += member.bytes();
    members_.emplace(from.id, std::move(member));
  }
}

GroupSnapshot Group::snapshot() const {
  GroupSnapshot snapshot{generation_, since_, protocol_type_, protocol_, leader_, {}};
  for (const auto& [id, member] : members_)
    snapshot.members.push_back({id, member.instance_id, member.client_id, member.client_host, member.session_timeout,
                                member.rebalance_timeout, member.protocols, member.assignment});
  return snapshot;
}

// The latest state is all that counts, so one that has not set out yet is replaced.
void Group::store(const GroupSnapshot& snapshot, std::move_only_function<void(GroupError, Turn&)> then) {
  stored_ = true;
  const std::size_t under_way = writing_ ? 1 : 0;
  if (writes_.size() == under_way || writes_.back().forget_positions) writes_.emplace_back();
  writes_.back().state = encode_snapshot(snapshot);
  if (then) writes_.back().then.push_back(std::move(then));
}

std::optional<Group::Write> Group::begin_write() {
  if (writing_ || writes_.empty()) return std::nullopt;
  writing_ = true;
  return Write{writes_.front().forget_positions, std::move(writes_.front().state), {}};
}

void Group::written(GroupError error, Turn& turn) {
  CHECK(writing_, "a write that was never begun");
  writing_ = false;
  Write write = std::move(writes_.front());
  writes_.pop_front();
  for (auto& then : write.then) then(error, turn);
}

void Group::answer(JoinDone& done, JoinReply reply, Turn& turn) {
  if (!done) return;
  turn.effects.push_back(
      [done = std::exchange(done, {}), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

void Group::answer(SyncDone& done, SyncReply reply, Turn& turn) {
  if (!done) return;
  turn.effects.push_back(
      [done = std::exchange(done, {}), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

SyncReply Group::synced(const Member& member) const {
  return {GroupError::kNone, protocol_type_, protocol_, member.assignment};
}

GroupError Group::check_member(const std::string& id, const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const auto at = static_members_.find(*instance_id);
    if (at == static_members_.end()) return GroupError::kUnknownMemberId;
    if (at->second != id) return GroupError::kFencedInstanceId;
  }
  return members_.contains(id) ? GroupError::kNone : GroupError::kUnknownMemberId;
}

GroupError Group::heartbeat(const HeartbeatRequest& request, Turn& turn) {
  if (state_ == GroupState::kDead) return GroupError::kCoordinatorNotAvailable;
  if (const GroupError error = check_member(request.member_id, request.instance_id); error != GroupError::kNone)
    return error;
  if (request.generation != generation_) return GroupError::kIllegalGeneration;
  if (state_ == GroupState::kEmpty) return GroupError::kUnknownMemberId;
  Member& member = members_.at(request.member_id);
  if (!member.is_new) renew(member, turn);
  // A member that completes the rebalance has nothing to do but go on; only a new rebalance needs it to join again.
  return state_ == GroupState::kPreparingRebalance ? GroupError::kRebalanceInProgress : GroupError::kNone;
}

GroupError Group::leave(const LeavingMember& leaving, Turn& turn) {
  if (state_ == GroupState::kDead) return GroupError::kCoordinatorNotAvailable;
  std::string id = leaving.member_id;
  if (id.empty() && leaving.instance_id) {
    const auto at = static_members_.find(*leaving.instance_id);
    if (at == static_members_.end()) return GroupError::kUnknownMemberId;
    id = at->second;
  } else if (!leaving.instance_id && pending_.erase(id) > 0) {
    try_complete_join(turn);
    return GroupError::kNone;
  }
  if (const GroupError error = check_member(id, leaving.instance_id); error != GroupError::kNone) return error;
  expel(id, turn);
  return GroupError::kNone;
}

GroupError Group::check_commit(const CommitRequest& request, Turn& turn) {
  if (state_ == GroupState::kDead) return GroupError::kCoordinatorNotAvailable;
  if (request.generation < 0 && state_ == GroupState::kEmpty) return GroupError::kNone;
  if (request.generation < 0 && request.member_id.empty() && !request.instance_id) return GroupError::kUnknownMemberId;
  if (const GroupError error = check_member(request.member_id, request.instance_id); error != GroupError::kNone)
    return error;
  if (request.generation != generation_) return GroupError::kIllegalGeneration;
  // The member knows this generation but not yet its part in it: it shall wait for that.
  if (state_ == GroupState::kCompletingRebalance) return GroupError::kRebalanceInProgress;
  Member& member = members_.at(request.member_id);
  if (!member.is_new) renew(member, turn);
  return GroupError::kNone;
}

GroupError Group::check_delete_offsets() const {
  if (state_ == GroupState::kDead) return GroupError::kGroupIdNotFound;
  if (state_ == GroupState::kEmpty || protocol_type_ == "consumer") return GroupError::kNone;
  return GroupError::kNonEmptyGroup;
}

// A member whose metadata says nothing that we understand may want any topic.
bool Group::is_subscribed(const std::string& topic) const {
  for (const auto& [id, member] : members_) {
    const std::string* metadata = member.metadata(protocol_);
    const auto topics = metadata != nullptr ? subscribed_topics(*metadata) : std::nullopt;
    if (!topics || std::ranges::find(*topics, topic) != topics->end()) return true;
  }
  return false;
}

DescribedGroup Group::describe() const {
  const bool stable = state_ == GroupState::kStable;
  DescribedGroup described{name_, state_, protocol_type_, stable ? protocol_ : "", {}};
  if (state_ == GroupState::kDead) return described;
  for (const auto& [id, member] : members_) {
    DescribedMember& to = described.members.emplace_back();
    to = {id, member.instance_id, member.client_id, member.client_host, {}, {}};
    if (!stable) continue;
    if (const std::string* metadata = member.metadata(protocol_)) to.metadata = *metadata;
    to.assignment = member.assignment;
  }
  return described;
}

GroupError Group::remove(bool with_positions, GroupDone done) {
  if (state_ == GroupState::kDead) return GroupError::kGroupIdNotFound;
  if (state_ != GroupState::kEmpty) return GroupError::kNonEmptyGroup;
  state_ = GroupState::kDead;
  Write& write = writes_.emplace_back();
  write.forget_positions = with_positions;
  write.then.push_back([this, done = std::move(done)](GroupError error, Turn& then) mutable {
    stored_ = error != GroupError::kNone;
    if (stored_) state_ = GroupState::kEmpty;
    then.effects.push_back([done = std::move(done), error]() mutable { done(error); });
  });
  return GroupError::kNone;
}

bool Group::is_over() const {
  return members_.empty() && pending_.empty() && writes_.empty() && !stored_ &&
         (state_ == GroupState::kEmpty || state_ == GroupState::kDead);
}

void Group::count_protocols(const Member& member, int by) {
  for (const JoinProtocol& protocol : member.protocols) {
    const auto at = supported_.try_emplace(protocol.name, 0).first;
    at->second += static_cast<std::size_t>(by);
    if (at->second == 0) supported_.erase(at);
  }
}

void Group::remove_member(std::string id, GroupError reason, Turn& turn) {
  const auto at = members_.find(id);
  CHECK(at != members_.end(), "who is removed is a member");
  Member member = std::move(at->second);
  members_.erase(at);
  bytes_ -= member.bytes();
  count_protocols(member, -1);
  pending_sync_.erase(id);
  if (member.instance_id) static_members_.erase(*member.instance_id);
  if (leader_ == id) leader_ = members_.empty() ? "" : members_.begin()->first;
  JoinReply refused;
  refused.error = reason;
  refused.member_id = id;
  answer(member.joining, std::move(refused), turn);
  answer(member.syncing, {reason, {}, {}, {}}, turn);
}

void Group::expel(const std::string& id, Turn& turn) {
  // A removed member whose client still lives joins anew after this error.
  remove_member(id, GroupError::kUnknownMemberId, turn);
  if (state_ == GroupState::kStable || state_ == GroupState::kCompletingRebalance) prepare_rebalance(turn);
  try_complete_join(turn);
}

std::chrono::milliseconds Group::rebalance_timeout() const {
  std::chrono::milliseconds longest{1};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

std::optional<SteadyTime> Group::next_deadline() const {
  std::optional<SteadyTime> next;
  const auto consider = [&](SteadyTime time) { next = next ? std::min(*next, time) : time; };
  if (join_deadline_) consider(*join_deadline_);
  if (sync_deadline_) consider(*sync_deadline_);
  for (const auto& [id, until] : pending_) consider(until);
  for (const auto& [id, member] : members_)
    if (member.may_expire()) consider(member.deadline);
  return next;
}

void Group::advance(Turn& turn) {
  if (std::erase_if(pending_, [&](const auto& pending) { return pending.second <= turn.now; }) > 0)
    try_complete_join(turn);
  std::vector<std::string> expired;
  for (const auto& [id, member] : members_)
    if (member.may_expire() && member.deadline <= turn.now) expired.push_back(id);
  // What happened to one may have ended the wait of another.
  for (const std::string& id : expired)
    if (const auto at = members_.find(id);
        at != members_.end() && at->second.may_expire() && at->second.deadline <= turn.now)
      expel(id, turn);
  if (join_deadline_ && *join_deadline_ <= turn.now) on_join_deadline(turn);
  if (sync_deadline_ && *sync_deadline_ <= turn.now) on_sync_deadline(turn);
}

void Group::abandon(Turn& turn) {
  while (!members_.empty()) remove_member(members_.begin()->first, GroupError::kCoordinatorNotAvailable, turn);
  for (Write& write : std::exchange(writes_, {}))
    for (auto& then : write.then) then(GroupError::kCoordinatorNotAvailable, turn);
  state_ = GroupState::kDead;
}

}  // namespace pinflow::groups
