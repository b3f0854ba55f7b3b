#include "groups/internal/coordinator_core.h"

#include <algorithm>

#include "base/check.h"
#include "groups/internal/group_snapshot.h"

namespace pinflow::groups {
namespace {

constexpr std::size_t kMostName = 1'024;  // Bytes of a group's name, as the log has it.

std::size_t size_of(const JoinRequest& request) {
  std::size_t bytes = request.client_id.size() + request.client_host.size() + request.protocol_type.size() +
                      request.instance_id.value_or("").size();
  for (const JoinProtocol& protocol : request.protocols)
    bytes += sizeof(protocol) + protocol.name.size() + protocol.metadata.size();
  return bytes;
}

}  // namespace

bool is_group_name(const std::string& name) {
  return !name.empty() && name.size() <= kMostName;
}

GroupError from_log(const Result<void>& stored) {
  if (stored) return GroupError::kNone;
  switch (stored.error().code) {
    case ErrorCode::kOverloaded:
      return GroupError::kCoordinatorLoadInProgress;
    case ErrorCode::kNotFound:
      return GroupError::kUnknownTopicOrPartition;
    case ErrorCode::kInvalid:
      return GroupError::kUnknownServerError;
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCorrupt:
    case ErrorCode::kCancelled:
      return GroupError::kCoordinatorNotAvailable;
  }
  CHECK(false, "an error of no code");
}

void GroupCoordinator::Core::load() {
  const SteadyTime now = clock_.steady_now();
  const std::scoped_lock lock(mutex_);
  for (std::string& name : log_.groups()) names_.insert(std::move(name));
  for (const auto& [name, state] : log_.group_states()) {
    const auto snapshot = decode_snapshot(state);
    if (!snapshot) {
      logger_.warning("a consumer group begins anew, its positions are kept",
                      {{"group", name}, {"cause", snapshot.error().message}});
      continue;
    }
    const GroupPtr group = make(name);
    group->restore(*snapshot, now);
    bytes_ += group->bytes();
    schedule(*group);
  }
  next_check_ = now + options_.retention_check_interval;
}

void GroupCoordinator::Core::stop() {
  in_turn([&](Turn& turn) {
    stopped_ = true;
    for (const auto& [name, group] : groups_) group->abandon(turn);
    groups_.clear();
    wakes_.clear();
    tell_ = nullptr;
  });
}

GroupCoordinator::Core::GroupPtr GroupCoordinator::Core::find(const std::string& name) const {
  const auto at = groups_.find(name);
  return at == groups_.end() ? nullptr : at->second;
}

GroupCoordinator::Core::GroupPtr GroupCoordinator::Core::make(const std::string& name) {
  return groups_.emplace(name, std::make_shared<Group>(name, options_)).first->second;
}

void GroupCoordinator::Core::settle(const GroupPtr& group, std::size_t bytes_before, Turn& turn) {
  // With no delay at all what is due now must not wait for the driver.
  for (auto due = group->next_deadline(); due && *due <= turn.now; due = group->next_deadline()) group->advance(turn);
  start_write(group, turn);
  bytes_ = bytes_ - bytes_before + group->bytes();
  if (!group->is_over()) return schedule(*group);
  if (group->wake) wakes_.erase({*group->wake, group->name()});
  groups_.erase(group->name());
}

void GroupCoordinator::Core::start_write(const GroupPtr& group, Turn& turn) {
  auto write = group->begin_write();
  if (!write) return;
  if (write->forget_positions) {
    names_.erase(group->name());
  } else {
    names_.insert(group->name());
  }
  turn.effects.push_back([core = weak_from_this(), &log = log_, group, write = std::move(*write)]() mutable {
    auto done = [core, group](const Result<void>& stored) {
      if (const auto alive = core.lock()) alive->written(group, from_log(stored));
    };
    if (write.forget_positions) return log.delete_group(group->name(), std::move(done));
    log.store_group_state(group->name(), std::move(write.state), std::move(done));
  });
}

void GroupCoordinator::Core::written(const GroupPtr& group, GroupError error) {
  in_turn([&](Turn& turn) {
    if (stopped_) return;
    if (error != GroupError::kNone)
      logger_.warning("the state of a consumer group could not be stored", {{"group", group->name()}});
    const std::size_t before = group->bytes();
    group->written(error, turn);
    settle(group, before, turn);
  });
}

// A group is looked at no later than its next deadline. Heartbeats move that back all the time, which is noticed then.
void GroupCoordinator::Core::schedule(Group& group) {
  const auto next = group.next_deadline();
  if (!next || (group.wake && *group.wake <= *next)) return;
  if (group.wake) wakes_.erase({*group.wake, group.name()});
  group.wake = next;
  wakes_.insert({*next, group.name()});
}

SteadyTime GroupCoordinator::Core::next_deadline() {
  const std::scoped_lock lock(mutex_);
  announced_ = wakes_.empty() ? next_check_ : std::min(next_check_, wakes_.begin()->first);
  return announced_;
}

void GroupCoordinator::Core::tell_if_earlier(Turn& turn) {
  if (wakes_.empty() || wakes_.begin()->first >= announced_) return;
  announced_ = wakes_.begin()->first;
  if (tell_) turn.effects.push_back(tell_);
}

void GroupCoordinator::Core::advance() {
  const bool check = in_turn([&](Turn& turn) {
    while (!wakes_.empty() && wakes_.begin()->first <= turn.now) {
      const GroupPtr group = find(wakes_.begin()->second);
      wakes_.erase(wakes_.begin());
      CHECK(group, "a group that is looked at exists");
      group->wake.reset();
      settle(group, group->bytes(), turn);
    }
    if (stopped_ || turn.now < next_check_) return false;
    next_check_ = turn.now + options_.retention_check_interval;
    return true;
  });
  if (check) drop_unused();
}

GroupError GroupCoordinator::Core::check_join(const JoinRequest& request) const {
  if (stopped_) return GroupError::kCoordinatorNotAvailable;
  if (!is_group_name(request.group)) return GroupError::kInvalidGroupId;
  if (request.session_timeout < options_.min_session_timeout || request.session_timeout > options_.max_session_timeout)
    return GroupError::kInvalidSessionTimeout;
  const std::size_t bytes = size_of(request);
  if (bytes > options_.max_member_size.count()) return GroupError::kInvalidRequest;
  if (bytes_ + bytes > options_.max_memory.count()) return GroupError::kCoordinatorNotAvailable;
  if (groups_.contains(request.group)) return GroupError::kNone;
  // Only a new member can begin a group.
  if (!request.member_id.empty()) return GroupError::kUnknownMemberId;
  return groups_.size() < options_.max_groups ? GroupError::kNone : GroupError::kCoordinatorNotAvailable;
}

void GroupCoordinator::Core::join(JoinRequest request, JoinDone done) {
  // One vote a protocol.
  std::set<std::string> names;
  std::erase_if(request.protocols, [&](const JoinProtocol& protocol) { return !names.insert(protocol.name).second; });
  request.rebalance_timeout = std::max(request.rebalance_timeout, std::chrono::milliseconds(1));
  in_turn([&](Turn& turn) {
    if (const GroupError error = check_join(request); error != GroupError::kNone) {
      JoinReply refused;
      refused.error = error;
      refused.member_id = request.member_id;
      turn.effects.push_back(
          [done = std::move(done), refused = std::move(refused)]() mutable { done(std::move(refused)); });
      return;
    }
    GroupPtr group = find(request.group);
    if (!group) group = make(request.group);
    const std::size_t before = group->bytes();
    group->join(request, std::move(done), turn);
    settle(group, before, turn);
  });
}

void GroupCoordinator::Core::sync(SyncRequest request, SyncDone done) {
  in_turn([&](Turn& turn) {
    GroupError error = GroupError::kNone;
    const GroupPtr group = find(request.group);
    if (!is_group_name(request.group)) {
      error = GroupError::kInvalidGroupId;
    } else if (stopped_) {
      error = GroupError::kCoordinatorNotAvailable;
    } else if (!group) {
      error = GroupError::kUnknownMemberId;
    }
    if (error != GroupError::kNone) {
      turn.effects.push_back([done = std::move(done), error]() mutable { done({error, {}, {}, {}}); });
      return;
    }
    const std::size_t before = group->bytes();
    group->sync(request, std::move(done), turn);
    settle(group, before, turn);
  });
}

GroupError GroupCoordinator::Core::heartbeat(const HeartbeatRequest& request) {
  if (!is_group_name(request.group)) return GroupError::kInvalidGroupId;
  return in_turn([&](Turn& turn) {
    if (stopped_) return GroupError::kCoordinatorNotAvailable;
    const GroupPtr group = find(request.group);
    return group ? group->heartbeat(request, turn) : GroupError::kUnknownMemberId;
  });
}

LeaveReply GroupCoordinator::Core::leave(const LeaveRequest& request) {
  if (!is_group_name(request.group)) return {GroupError::kInvalidGroupId, {}};
  return in_turn([&](Turn& turn) -> LeaveReply {
    if (stopped_) return {GroupError::kCoordinatorNotAvailable, {}};
    LeaveReply reply;
    const GroupPtr group = find(request.group);
    if (group && group->state() == GroupState::kDead) return {GroupError::kCoordinatorNotAvailable, {}};
    const std::size_t before = group ? group->bytes() : 0;
    for (const LeavingMember& member : request.members)
      reply.members.push_back(group ? group->leave(member, turn) : GroupError::kUnknownMemberId);
    if (group) settle(group, before, turn);
    return reply;
  });
}

}  // namespace pinflow::groups
