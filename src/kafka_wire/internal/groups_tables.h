#pragma once

#include "kafka_wire/internal/schema.h"
#include "kafka_wire/messages/groups.h"

namespace pinflow::kafka_wire {

template <>
struct Table<FindCoordinatorRequest> {
  using T = FindCoordinatorRequest;
  static constexpr auto fields =
      std::tuple(FIELD(key, .last = 3), FIELD(key_type, .first = 1), FIELD(coordinator_keys, .first = 4));
};
template <>
struct Table<FindCoordinatorResponse::Coordinator> {
  using T = FindCoordinatorResponse::Coordinator;
  static constexpr auto fields =
      std::tuple(FIELD(key), FIELD(node_id), FIELD(host), FIELD(port), FIELD(error_code), FIELD(error_message));
};
template <>
struct Table<FindCoordinatorResponse> {
  using T = FindCoordinatorResponse;
  static constexpr auto fields = std::tuple(
      FIELD(throttle_time_ms, .first = 1), FIELD(error_code, .last = 3), FIELD(error_message, .first = 1, .last = 3),
      FIELD(node_id, .last = 3), FIELD(host, .last = 3), FIELD(port, .last = 3), FIELD(coordinators, .first = 4));
};

template <>
struct Table<JoinGroupRequest::Protocol> {
  using T = JoinGroupRequest::Protocol;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(metadata, .wire = Wire::kBytes));
};
template <>
struct Table<JoinGroupRequest> {
  using T = JoinGroupRequest;
  static constexpr auto fields = std::tuple(
      FIELD(group_id), FIELD(session_timeout_ms), FIELD(rebalance_timeout_ms, .first = 1), FIELD(member_id),
      FIELD(group_instance_id, .first = 5), FIELD(protocol_type), FIELD(protocols), FIELD(reason, .first = 8));
};
template <>
struct Table<JoinGroupResponse::Member> {
  using T = JoinGroupResponse::Member;
  static constexpr auto fields =
      std::tuple(FIELD(member_id), FIELD(group_instance_id, .first = 5), FIELD(metadata, .wire = Wire::kBytes));
};
template <>
struct Table<JoinGroupResponse> {
  using T = JoinGroupResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms, .first = 2), FIELD(error_code), FIELD(generation_id),
                 FIELD(protocol_type, .first = 7), FIELD(protocol_name, .nullable = 7), FIELD(leader),
                 FIELD(skip_assignment, .first = 9), FIELD(member_id), FIELD(members));
};

template <>
struct Table<SyncGroupRequest::Assignment> {
  using T = SyncGroupRequest::Assignment;
  static constexpr auto fields = std::tuple(FIELD(member_id), FIELD(assignment, .wire = Wire::kBytes));
};
template <>
struct Table<SyncGroupRequest> {
  using T = SyncGroupRequest;
  static constexpr auto fields =
      std::tuple(FIELD(group_id), FIELD(generation_id), FIELD(member_id), FIELD(group_instance_id, .first = 3),
                 FIELD(protocol_type, .first = 5), FIELD(protocol_name, .first = 5), FIELD(assignments));
};
template <>
struct Table<SyncGroupResponse> {
  using T = SyncGroupResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(error_code), FIELD(protocol_type, .first = 5),
                 FIELD(protocol_name, .first = 5), FIELD(assignment, .wire = Wire::kBytes));
};

template <>
struct Table<HeartbeatRequest> {
  using T = HeartbeatRequest;
  static constexpr auto fields =
      std::tuple(FIELD(group_id), FIELD(generation_id), FIELD(member_id), FIELD(group_instance_id, .first = 3));
};
template <>
struct Table<HeartbeatResponse> {
  using T = HeartbeatResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(error_code));
};

template <>
struct Table<LeaveGroupRequest::Member> {
  using T = LeaveGroupRequest::Member;
  static constexpr auto fields = std::tuple(FIELD(member_id), FIELD(group_instance_id), FIELD(reason, .first = 5));
};
template <>
struct Table<LeaveGroupRequest> {
  using T = LeaveGroupRequest;
  static constexpr auto fields = std::tuple(FIELD(group_id), FIELD(member_id, .last = 2), FIELD(members, .first = 3));
};
template <>
struct Table<LeaveGroupResponse::Member> {
  using T = LeaveGroupResponse::Member;
  static constexpr auto fields = std::tuple(FIELD(member_id), FIELD(group_instance_id), FIELD(error_code));
};
template <>
struct Table<LeaveGroupResponse> {
  using T = LeaveGroupResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(error_code), FIELD(members, .first = 3));
};

template <>
struct Table<OffsetCommitRequest::Partition> {
  using T = OffsetCommitRequest::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(partition_index), FIELD(committed_offset), FIELD(committed_leader_epoch, .first = 6),
                 FIELD(commit_timestamp, .first = 1, .last = 1), FIELD(committed_metadata));
};
template <>
struct Table<OffsetCommitRequest::Topic> {
  using T = OffsetCommitRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<OffsetCommitRequest> {
  using T = OffsetCommitRequest;
  static constexpr auto fields =
      std::tuple(FIELD(group_id), FIELD(generation_id, .first = 1), FIELD(member_id, .first = 1),
                 FIELD(group_instance_id, .first = 7), FIELD(retention_time_ms, .first = 2, .last = 4), FIELD(topics));
};
template <>
struct Table<OffsetCommitResponse::Partition> {
  using T = OffsetCommitResponse::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(error_code));
};
template <>
struct Table<OffsetCommitResponse::Topic> {
  using T = OffsetCommitResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<OffsetCommitResponse> {
  using T = OffsetCommitResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 3), FIELD(topics));
};

template <>
struct Table<OffsetFetchRequest::Topic> {
  using T = OffsetFetchRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partition_indexes));
};
template <>
struct Table<OffsetFetchRequest::Group> {
  using T = OffsetFetchRequest::Group;
  static constexpr auto fields =
      std::tuple(FIELD(group_id), FIELD(member_id, .first = 9), FIELD(member_epoch, .first = 9), FIELD(topics));
};
template <>
struct Table<OffsetFetchRequest> {
  using T = OffsetFetchRequest;
  static constexpr auto fields = std::tuple(FIELD(group_id, .last = 7), FIELD(topics, .last = 7, .nullable = 2),
                                            FIELD(groups, .first = 8), FIELD(require_stable, .first = 7));
};
template <>
struct Table<OffsetFetchResponse::Partition> {
  using T = OffsetFetchResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(partition_index), FIELD(committed_offset), FIELD(committed_leader_epoch, .first = 5),
                 FIELD(metadata), FIELD(error_code));
};
template <>
struct Table<OffsetFetchResponse::Topic> {
  using T = OffsetFetchResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<OffsetFetchResponse::Group> {
  using T = OffsetFetchResponse::Group;
  static constexpr auto fields = std::tuple(FIELD(group_id), FIELD(topics), FIELD(error_code));
};
template <>
struct Table<OffsetFetchResponse> {
  using T = OffsetFetchResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 3), FIELD(topics, .last = 7),
                                            FIELD(error_code, .first = 2, .last = 7), FIELD(groups, .first = 8));
};

template <>
struct Table<OffsetDeleteRequest::Partition> {
  using T = OffsetDeleteRequest::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index));
};
template <>
struct Table<OffsetDeleteRequest::Topic> {
  using T = OffsetDeleteRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<OffsetDeleteRequest> {
  using T = OffsetDeleteRequest;
  static constexpr auto fields = std::tuple(FIELD(group_id), FIELD(topics));
};
template <>
struct Table<OffsetDeleteResponse::Partition> {
  using T = OffsetDeleteResponse::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(error_code));
};
template <>
struct Table<OffsetDeleteResponse::Topic> {
  using T = OffsetDeleteResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<OffsetDeleteResponse> {
  using T = OffsetDeleteResponse;
  static constexpr auto fields = std::tuple(FIELD(error_code), FIELD(throttle_time_ms), FIELD(topics));
};

template <>
struct Table<DescribeGroupsRequest> {
  using T = DescribeGroupsRequest;
  static constexpr auto fields = std::tuple(FIELD(groups), FIELD(include_authorized_operations, .first = 3));
};
template <>
struct Table<DescribeGroupsResponse::Member> {
  using T = DescribeGroupsResponse::Member;
  static constexpr auto fields =
      std::tuple(FIELD(member_id), FIELD(group_instance_id, .first = 4), FIELD(client_id), FIELD(client_host),
                 FIELD(member_metadata, .wire = Wire::kBytes), FIELD(member_assignment, .wire = Wire::kBytes));
};
template <>
struct Table<DescribeGroupsResponse::Group> {
  using T = DescribeGroupsResponse::Group;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(error_message, .first = 6), FIELD(group_id), FIELD(group_state),
                 FIELD(protocol_type), FIELD(protocol_data), FIELD(members), FIELD(authorized_operations, .first = 3));
};
template <>
struct Table<DescribeGroupsResponse> {
  using T = DescribeGroupsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(groups));
};

template <>
struct Table<ListGroupsRequest> {
  using T = ListGroupsRequest;
  static constexpr auto fields = std::tuple(FIELD(states_filter, .first = 4), FIELD(types_filter, .first = 5));
};
template <>
struct Table<ListGroupsResponse::Group> {
  using T = ListGroupsResponse::Group;
  static constexpr auto fields =
      std::tuple(FIELD(group_id), FIELD(protocol_type), FIELD(group_state, .first = 4), FIELD(group_type, .first = 5));
};
template <>
struct Table<ListGroupsResponse> {
  using T = ListGroupsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(error_code), FIELD(groups));
};

template <>
struct Table<DeleteGroupsRequest> {
  using T = DeleteGroupsRequest;
  static constexpr auto fields = std::tuple(FIELD(groups_names));
};
template <>
struct Table<DeleteGroupsResponse::Result> {
  using T = DeleteGroupsResponse::Result;
  static constexpr auto fields = std::tuple(FIELD(group_id), FIELD(error_code));
};
template <>
struct Table<DeleteGroupsResponse> {
  using T = DeleteGroupsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(results));
};

}  // namespace pinflow::kafka_wire
