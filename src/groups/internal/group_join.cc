#include <algorithm>

#include "base/check.h"
#include "base/uuid.h"
#include "groups/internal/group.h"

namespace pinflow::groups {
namespace {

// A new member cannot send heartbeats while it waits, and its connection may be gone unseen. So it does not stay longer than this.
constexpr std::chrono::minutes kNewMemberWaits{5};

JoinReply refusal(GroupError error, std::string member_id) {
  JoinReply reply;
  reply.error = error;
  reply.member_id = std::move(member_id);
  return reply;
}

}  // namespace

void Group::join(JoinRequest& request, JoinDone done, Turn& turn) {
  if (state_ == GroupState::kDead) {
    answer(done, refusal(GroupError::kCoordinatorNotAvailable, request.member_id), turn);
  } else if (!accepts(request)) {
    if (members_.contains(request.member_id)) expel(request.member_id, turn);
    answer(done, refusal(GroupError::kGroupMaxSizeReached, ""), turn);
  } else if (!supports(request)) {
    answer(done, refusal(GroupError::kInconsistentGroupProtocol, request.member_id), turn);
  } else if (request.member_id.empty()) {
    join_new(request, std::move(done), turn);
  } else {
    join_again(request, std::move(done), turn);
  }
  try_complete_join(turn);
}

// While the group gathers, those who have joined already count; else its members do.
bool Group::accepts(const JoinRequest& request) const {
  const auto member = members_.find(request.member_id);
  const bool known =
      member != members_.end() || (request.instance_id && static_members_.contains(*request.instance_id));
  switch (state_) {
    case GroupState::kEmpty:
    case GroupState::kDead:
      return true;
    case GroupState::kPreparingRebalance: {
      if (member != members_.end() && member->second.joining) return true;
      const auto waiting = std::ranges::count_if(members_, [](const auto& item) { return bool(item.second.joining); });
      return static_cast<std::size_t>(waiting) < options_.max_group_size;
    }
    case GroupState::kCompletingRebalance:
    case GroupState::kStable:
      return known || members_.size() < options_.max_group_size;
  }
  CHECK(false, "a state of no group");
}

// A group speaks one protocol type, and needs one protocol that all of its members know.
bool Group::supports(const JoinRequest& request) const {
  if (request.protocol_type.empty() || request.protocols.empty()) return false;
  if (members_.empty()) return true;
  return request.protocol_type == protocol_type_ && std::ranges::any_of(request.protocols, [&](const auto& protocol) {
           const auto at = supported_.find(protocol.name);
           return at != supported_.end() && at->second == members_.size();
         });
}

std::string Group::new_member_id(const JoinRequest& request, Turn& turn) const {
  return fmt::format("{}-{}", request.instance_id.value_or(request.client_id), Uuid::random(turn.random).to_string());
}

void Group::join_new(JoinRequest& request, JoinDone done, Turn& turn) {
  std::string id = new_member_id(request, turn);
  if (request.instance_id) {
    if (const auto old = static_members_.find(*request.instance_id); old != static_members_.end())
      return replace_static(old->second, request, std::move(done), turn);
    return add_member(std::move(id), request, std::move(done), turn);
  }
  if (!request.needs_member_id) return add_member(std::move(id), request, std::move(done), turn);
  if (pending_.size() >= options_.max_group_size)
    return answer(done, refusal(GroupError::kGroupMaxSizeReached, ""), turn);
  pending_[id] = turn.now + request.session_timeout;
  answer(done, refusal(GroupError::kMemberIdRequired, id), turn);
}

void Group::join_again(JoinRequest& request, JoinDone done, Turn& turn) {
  if (!request.instance_id && pending_.contains(request.member_id))
    return add_member(request.member_id, request, std::move(done), turn);
  if (const GroupError error = check_member(request.member_id, request.instance_id); error != GroupError::kNone)
    return answer(done, refusal(error, request.member_id), turn);
  Member& member = members_.at(request.member_id);
  const bool same = member.protocols == request.protocols;
  // Who lost the answer to its join gets it again. In a stable group the leader joins again because it wants a new
  // assignment; a follower with other metadata needs one.
  const bool knows_it =
      same && (state_ == GroupState::kCompletingRebalance || (state_ == GroupState::kStable && leader_ != member.id));
  if (knows_it) {
    renew(member, turn);
    return answer(done, current_generation(member), turn);
  }
  update_member(member, request, std::move(done), turn);
  prepare_rebalance(turn);
}

JoinReply Group::current_generation(const Member& member) const {
  JoinReply reply{GroupError::kNone, generation_, protocol_type_, protocol_, leader_, false, member.id, {}};
  if (leader_ != member.id) return reply;
  for (const auto& [id, other] : members_) {
    const std::string* metadata = other.metadata(protocol_);
    reply.members.push_back({id, other.instance_id, metadata != nullptr ? *metadata : std::string()});
  }
  return reply;
}

void Group::add_member(std::string id, JoinRequest& request, JoinDone done, Turn& turn) {
  pending_.erase(id);
  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (leader_.empty()) leader_ = id;
  if (request.instance_id) static_members_[*request.instance_id] = id;
  Member member{id,
                request.instance_id,
                std::move(request.client_id),
                std::move(request.client_host),
                request.session_timeout,
                request.rebalance_timeout,
                std::move(request.protocols),
                {},
                turn.now + kNewMemberWaits,
                true,
                std::move(done),
                {}};
  count_protocols(member, 1);
  bytes_ += member.bytes();
  const bool is_new = members_.emplace(std::move(id), std::move(member)).second;
  CHECK(is_new, "two members have one id: the coordinator's seed was used twice");
  if (state_ == GroupState::kPreparingRebalance && initial_join_) new_member_added_ = true;
  prepare_rebalance(turn);
}

void Group::update_member(Member& member, JoinRequest& request, JoinDone done, Turn& turn) {
  // Whoever waits for the answer to an earlier join is no longer listened to.
  answer(member.joining, refusal(GroupError::kRebalanceInProgress, member.id), turn);
  count_protocols(member, -1);
  bytes_ -= member.bytes();
  member.protocols = std::move(request.protocols);
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.client_id = std::move(request.client_id);
  member.client_host = std::move(request.client_host);
  member.joining = std::move(done);
  bytes_ += member.bytes();
  count_protocols(member, 1);
}

// A static member that started again takes its own place under a new id, so that its twin, if one still runs, is fenced.
void Group::replace_static(std::string old_id, JoinRequest& request, JoinDone done, Turn& turn) {
  const std::string leader_before = leader_;
  auto node = members_.extract(old_id);
  Member& old = node.mapped();
  answer(old.joining, refusal(GroupError::kFencedInstanceId, old_id), turn);
  answer(old.syncing, {GroupError::kFencedInstanceId, {}, {}, {}}, turn);
  bytes_ -= old.bytes();
  old.id = new_member_id(request, turn);
  bytes_ += old.bytes();
  node.key() = old.id;
  if (leader_ == old_id) leader_ = old.id;
  if (pending_sync_.erase(old_id) > 0) pending_sync_.insert(old.id);
  static_members_[*request.instance_id] = old.id;
  Member& member = members_.insert(std::move(node)).position->second;
  renew(member, turn);
  update_member(member, request, std::move(done), turn);
  if (state_ == GroupState::kStable && select_protocol() == protocol_) {
    rejoin_static_stable(member, request.can_skip_assignment, leader_before);
  } else {
    prepare_rebalance(turn);
  }
}

// No rebalance: the assignment stays, under the new id. A client that cannot skip the assignment is told the leader's old id,
// so that it does not take itself for the leader.
void Group::rejoin_static_stable(Member& member, bool can_skip_assignment, const std::string& leader_before) {
  store(snapshot(), [this, id = member.id, can_skip_assignment, leader_before](GroupError error, Turn& then) {
    const auto at = members_.find(id);
    if (at == members_.end() || !at->second.joining || state_ != GroupState::kStable) return;
    Member& member = at->second;
    renew(member, then);
    member.is_new = false;
    if (error != GroupError::kNone) return answer(member.joining, refusal(error, ""), then);
    JoinReply reply = current_generation(member);
    if (can_skip_assignment) {
      reply.skip_assignment = leader_ == id;
    } else {
      reply.members.clear();
      reply.leader = leader_before;
    }
    answer(member.joining, std::move(reply), then);
  });
}

}  // namespace pinflow::groups
