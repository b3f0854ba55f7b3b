#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka_wire/api.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/kafka_error.h"

// Consumer groups: membership and positions. All text and bytes are owned.
namespace pinflow::kafka_wire {

struct FindCoordinatorResponse {
  struct Coordinator {
    std::string key{};
    std::int32_t node_id = 0;
    std::string host{};
    std::int32_t port = 0;
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    friend bool operator==(const Coordinator&, const Coordinator&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kFindCoordinator;

  std::int32_t throttle_time_ms = 0;
  // One answer, to v3.
  KafkaError error_code = KafkaError::kNone;
  std::optional<std::string> error_message{};
  std::int32_t node_id = 0;
  std::string host{};
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators{};  // One for each key, from v4 on.
  friend bool operator==(const FindCoordinatorResponse&, const FindCoordinatorResponse&) = default;
};

struct FindCoordinatorRequest {
  static constexpr ApiKey kApi = ApiKey::kFindCoordinator;
  using Response = FindCoordinatorResponse;

  std::string key{};                            // To v3.
  std::int8_t key_type = 0;                     // 0 group, 1 transaction, 2 share group.
  std::vector<std::string> coordinator_keys{};  // From v4 on.
  friend bool operator==(const FindCoordinatorRequest&, const FindCoordinatorRequest&) = default;
};

struct JoinGroupResponse {
  struct Member {
    std::string member_id{};
    std::optional<std::string> group_instance_id{};
    std::string metadata{};
    friend bool operator==(const Member&, const Member&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kJoinGroup;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type{};
  std::optional<std::string> protocol_name{};  // Null from v7 on, empty before.
  std::string leader{};
  bool skip_assignment = false;
  std::string member_id{};
  std::vector<Member> members{};  // For the leader alone.
  friend bool operator==(const JoinGroupResponse&, const JoinGroupResponse&) = default;
};

struct JoinGroupRequest {
  struct Protocol {
    std::string name{};
    std::string metadata{};
    friend bool operator==(const Protocol&, const Protocol&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kJoinGroup;
  using Response = JoinGroupResponse;

  std::string group_id{};
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;  // v0: the session's.
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
  std::string protocol_type{};
  std::vector<Protocol> protocols{};
  std::optional<std::string> reason{};
  friend bool operator==(const JoinGroupRequest&, const JoinGroupRequest&) = default;
};

struct SyncGroupResponse {
  static constexpr ApiKey kApi = ApiKey::kSyncGroup;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::optional<std::string> protocol_type{};
  std::optional<std::string> protocol_name{};
  std::string assignment{};
  friend bool operator==(const SyncGroupResponse&, const SyncGroupResponse&) = default;
};

struct SyncGroupRequest {
  struct Assignment {
    std::string member_id{};
    std::string assignment{};
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kSyncGroup;
  using Response = SyncGroupResponse;

  std::string group_id{};
  std::int32_t generation_id = 0;
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
  std::optional<std::string> protocol_type{};
  std::optional<std::string> protocol_name{};
  std::vector<Assignment> assignments{};
  friend bool operator==(const SyncGroupRequest&, const SyncGroupRequest&) = default;
};

struct HeartbeatResponse {
  static constexpr ApiKey kApi = ApiKey::kHeartbeat;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  friend bool operator==(const HeartbeatResponse&, const HeartbeatResponse&) = default;
};

struct HeartbeatRequest {
  static constexpr ApiKey kApi = ApiKey::kHeartbeat;
  using Response = HeartbeatResponse;

  std::string group_id{};
  std::int32_t generation_id = 0;
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
  friend bool operator==(const HeartbeatRequest&, const HeartbeatRequest&) = default;
};

struct LeaveGroupResponse {
  struct Member {
    std::string member_id{};
    std::optional<std::string> group_instance_id{};
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Member&, const Member&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kLeaveGroup;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::vector<Member> members{};  // From v3 on.
  friend bool operator==(const LeaveGroupResponse&, const LeaveGroupResponse&) = default;
};

struct LeaveGroupRequest {
  struct Member {
    std::string member_id{};
    std::optional<std::string> group_instance_id{};
    std::optional<std::string> reason{};
    friend bool operator==(const Member&, const Member&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kLeaveGroup;
  using Response = LeaveGroupResponse;

  std::string group_id{};
  std::string member_id{};        // To v2.
  std::vector<Member> members{};  // From v3 on.
  friend bool operator==(const LeaveGroupRequest&, const LeaveGroupRequest&) = default;
};

struct OffsetCommitResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetCommit;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetCommitResponse&, const OffsetCommitResponse&) = default;
};

struct OffsetCommitRequest {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::int64_t commit_timestamp = -1;  // v1 alone.
    std::optional<std::string> committed_metadata{};
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetCommit;
  using Response = OffsetCommitResponse;

  std::string group_id{};
  std::int32_t generation_id = -1;  // From v9 on also the member epoch of KIP-848.
  std::string member_id{};
  std::optional<std::string> group_instance_id{};
  std::int64_t retention_time_ms = -1;  // v2 to v4.
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetCommitRequest&, const OffsetCommitRequest&) = default;
};

struct OffsetFetchResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;  // -1: none.
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata{};
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct Group {
    std::string group_id{};
    std::vector<Topic> topics{};
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Group&, const Group&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetFetch;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};                // To v7.
  KafkaError error_code = KafkaError::kNone;  // v2 to v7.
  std::vector<Group> groups{};                // From v8 on.
  friend bool operator==(const OffsetFetchResponse&, const OffsetFetchResponse&) = default;
};

struct OffsetFetchRequest {
  struct Topic {
    std::string name{};
    std::vector<std::int32_t> partition_indexes{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct Group {
    std::string group_id{};
    std::optional<std::string> member_id{};
    std::int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics{};  // Null: all that have a position.
    friend bool operator==(const Group&, const Group&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetFetch;
  using Response = OffsetFetchResponse;

  std::string group_id{};                      // To v7.
  std::optional<std::vector<Topic>> topics{};  // To v7; null from v2 on: all that have a position.
  std::vector<Group> groups{};                 // From v8 on.
  bool require_stable = false;
  friend bool operator==(const OffsetFetchRequest&, const OffsetFetchRequest&) = default;
};

struct OffsetDeleteResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetDelete;

  KafkaError error_code = KafkaError::kNone;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetDeleteResponse&, const OffsetDeleteResponse&) = default;
};

struct OffsetDeleteRequest {
  struct Partition {
    std::int32_t partition_index = 0;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetDelete;
  using Response = OffsetDeleteResponse;

  std::string group_id{};
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetDeleteRequest&, const OffsetDeleteRequest&) = default;
};

struct DescribeGroupsResponse {
  struct Member {
    std::string member_id{};
    std::optional<std::string> group_instance_id{};
    std::string client_id{};
    std::string client_host{};
    std::string member_metadata{};
    std::string member_assignment{};
    friend bool operator==(const Member&, const Member&) = default;
  };
  struct Group {
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    std::string group_id{};
    std::string group_state{};
    std::string protocol_type{};
    std::string protocol_data{};
    std::vector<Member> members{};
    std::int32_t authorized_operations = INT32_MIN;  // Not asked for.
    friend bool operator==(const Group&, const Group&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDescribeGroups;

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups{};
  friend bool operator==(const DescribeGroupsResponse&, const DescribeGroupsResponse&) = default;
};

struct DescribeGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kDescribeGroups;
  using Response = DescribeGroupsResponse;

  std::vector<std::string> groups{};
  bool include_authorized_operations = false;
  friend bool operator==(const DescribeGroupsRequest&, const DescribeGroupsRequest&) = default;
};

struct ListGroupsResponse {
  struct Group {
    std::string group_id{};
    std::string protocol_type{};
    std::string group_state{};
    std::string group_type{};
    friend bool operator==(const Group&, const Group&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kListGroups;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::vector<Group> groups{};
  friend bool operator==(const ListGroupsResponse&, const ListGroupsResponse&) = default;
};

struct ListGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kListGroups;
  using Response = ListGroupsResponse;

  std::vector<std::string> states_filter{};  // Empty: all.
  std::vector<std::string> types_filter{};   // Empty: all.
  friend bool operator==(const ListGroupsRequest&, const ListGroupsRequest&) = default;
};

struct DeleteGroupsResponse {
  struct Result {
    std::string group_id{};
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Result&, const Result&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDeleteGroups;

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results{};
  friend bool operator==(const DeleteGroupsResponse&, const DeleteGroupsResponse&) = default;
};

struct DeleteGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::kDeleteGroups;
  using Response = DeleteGroupsResponse;

  std::vector<std::string> groups_names{};
  friend bool operator==(const DeleteGroupsRequest&, const DeleteGroupsRequest&) = default;
};

}  // namespace pinflow::kafka_wire
