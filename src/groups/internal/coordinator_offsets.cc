#include <algorithm>

#include "groups/internal/coordinator_core.h"

namespace pinflow::groups {

// Bounds how many groups the log is made to keep.
bool GroupCoordinator::Core::learn_name(const std::string& name) {
  if (names_.contains(name)) return true;
  if (names_.size() >= options_.max_groups) return false;
  names_.insert(name);
  return true;
}

GroupError GroupCoordinator::Core::check_position(const log::GroupOffset& position,
                                                  std::map<std::string, std::int32_t>& partitions) {
  const std::string& topic = position.partition.topic;
  auto known = partitions.find(topic);
  if (known == partitions.end()) {
    const auto found = log_.topic(topic);
    known = partitions.emplace(topic, found ? found->partitions : 0).first;
  }
  const std::int32_t partition = position.partition.partition.value();
  if (partition < 0 || partition >= known->second) return GroupError::kUnknownTopicOrPartition;
  if (position.metadata.size() > options_.max_offset_metadata) return GroupError::kOffsetMetadataTooLarge;
  if (position.offset < log::Offset(0)) return GroupError::kInvalidRequest;
  return GroupError::kNone;
}

void GroupCoordinator::Core::commit(CommitRequest request, OffsetsDone done) {
  if (!is_group_name(request.group)) return done({GroupError::kInvalidGroupId, {}});
  const GroupError refused = in_turn([&](Turn& turn) {
    if (stopped_) return GroupError::kCoordinatorNotAvailable;
    const GroupPtr group = find(request.group);
    if (!group && request.generation >= 0) return GroupError::kIllegalGeneration;
    const GroupError error = group ? group->check_commit(request, turn) : GroupError::kNone;
    if (error == GroupError::kNone && !learn_name(request.group)) return GroupError::kCoordinatorNotAvailable;
    return error;
  });
  if (refused != GroupError::kNone) return done({refused, {}});
  OffsetsReply reply;
  std::vector<log::GroupOffset> good;
  std::map<std::string, std::int32_t> partitions;
  for (log::GroupOffset& position : request.offsets) {
    reply.partitions.push_back(check_position(position, partitions));
    if (reply.partitions.back() == GroupError::kNone) good.push_back(std::move(position));
  }
  if (good.empty()) return done(std::move(reply));
  log_.commit_offsets_later(std::move(request.group), std::move(good),
                            [done = std::move(done), reply = std::move(reply)](const Result<void>& stored) mutable {
                              for (GroupError& error : reply.partitions)
                                if (error == GroupError::kNone) error = from_log(stored);
                              done(std::move(reply));
                            });
}

std::vector<log::GroupOffset> GroupCoordinator::Core::committed(const std::string& group) {
  auto offsets = log_.committed_offsets(group);
  return offsets ? std::move(*offsets) : std::vector<log::GroupOffset>();
}

void GroupCoordinator::Core::delete_offsets(DeleteOffsetsRequest request, OffsetsDone done) {
  OffsetsReply reply;
  std::vector<log::TopicPartition> good;
  if (!is_group_name(request.group)) return done({GroupError::kInvalidGroupId, {}});
  const bool has_positions = !committed(request.group).empty();
  in_turn([&](Turn&) {
    const GroupPtr group = find(request.group);
    if (stopped_) {
      reply.error = GroupError::kCoordinatorNotAvailable;
    } else if (!group) {
      reply.error = has_positions ? GroupError::kNone : GroupError::kGroupIdNotFound;
    } else {
      reply.error = group->check_delete_offsets();
    }
    if (reply.error != GroupError::kNone) return;
    for (log::TopicPartition& partition : request.partitions) {
      const bool wanted = group && group->is_subscribed(partition.topic);
      reply.partitions.push_back(wanted ? GroupError::kGroupSubscribedToTopic : GroupError::kNone);
      if (!wanted) good.push_back(std::move(partition));
    }
  });
  if (good.empty()) return done(std::move(reply));
  log_.delete_offsets(std::move(request.group), std::move(good),
                      [done = std::move(done), reply = std::move(reply)](const Result<void>& stored) mutable {
                        for (GroupError& error : reply.partitions)
                          if (error == GroupError::kNone) error = from_log(stored);
                        done(std::move(reply));
                      });
}

DescribedGroup GroupCoordinator::Core::describe(const std::string& name) {
  DescribedGroup described;
  described.group = name;
  {
    const std::scoped_lock lock(mutex_);
    if (const GroupPtr group = find(name)) return group->describe();
  }
  if (!committed(name).empty()) described.state = GroupState::kEmpty;
  return described;
}

std::vector<ListedGroup> GroupCoordinator::Core::list() {
  std::map<std::string, ListedGroup> listed;
  for (std::string& name : log_.groups()) listed[name] = {name, "", GroupState::kEmpty};
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, group] : groups_) listed[name] = {name, group->protocol_type(), group->state()};
  }
  std::vector<ListedGroup> groups;
  for (auto& [name, group] : listed)
    if (group.state != GroupState::kDead) groups.push_back(std::move(group));
  return groups;
}

void GroupCoordinator::Core::delete_group(const std::string& name, GroupDone done) {
  if (!is_group_name(name)) return done(GroupError::kInvalidGroupId);
  const bool has_positions = !committed(name).empty();
  auto shared = std::make_shared<GroupDone>(std::move(done));  // Shared: called by the group, or here when it refuses.
  in_turn([&](Turn& turn) {
    GroupError error = GroupError::kNone;
    GroupPtr group = find(name);
    if (stopped_) {
      error = GroupError::kCoordinatorNotAvailable;
    } else if (!group && !has_positions) {
      error = GroupError::kGroupIdNotFound;
    } else {
      if (!group) group = make(name);
      error = group->remove(true, [shared](GroupError outcome) { (*shared)(outcome); });
      settle(group, group->bytes(), turn);
    }
    if (error != GroupError::kNone) turn.effects.push_back([shared, error] { (*shared)(error); });
  });
}

void GroupCoordinator::Core::drop_unused() {
  const WallTime now = clock_.now();
  std::vector<std::string> names = log_.groups();
  for (const std::string& name : names) drop_unused(name, now);
  const std::scoped_lock lock(mutex_);
  names_.insert(std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
}

// Positions of a group without members, and the group itself when it has no positions left.
void GroupCoordinator::Core::drop_unused(const std::string& name, WallTime now) {
  const bool has_positions = !committed(name).empty();
  const bool old = in_turn([&](Turn& turn) {
    const GroupPtr group = find(name);
    if (stopped_ || (group && group->state() != GroupState::kEmpty)) return false;
    if (!has_positions && group) {
      const std::size_t before = group->bytes();
      (void)group->remove(false, [](GroupError) {});  // A commit on its way shall stay.
      settle(group, before, turn);
      return false;
    }
    return options_.offsets_retention && (!group || now - group->since() >= *options_.offsets_retention);
  });
  // Takes nothing where all are younger. A member that comes meanwhile commits anew, which is never old.
  if (old) log_.delete_old_offsets(name, now - *options_.offsets_retention, [](const Result<void>&) {});
}

}  // namespace pinflow::groups
