#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"

namespace pinflow::groups {

// Kafka's error codes as far as groups have them (https://kafka.apache.org/protocol#protocol_error_codes).
enum class GroupError : std::int16_t {
  kUnknownServerError = -1,
  kNone = 0,
  kUnknownTopicOrPartition = 3,
  kOffsetMetadataTooLarge = 12,
  kCoordinatorLoadInProgress = 14,  // Too much waits for the disk: the client tries again after a while.
  kCoordinatorNotAvailable = 15,    // The client looks for its coordinator and tries again.
  kIllegalGeneration = 22,
  kInconsistentGroupProtocol = 23,
  kInvalidGroupId = 24,
  kUnknownMemberId = 25,
  kInvalidSessionTimeout = 26,
  kRebalanceInProgress = 27,
  kInvalidRequest = 42,
  kNonEmptyGroup = 68,
  kGroupIdNotFound = 69,
  kMemberIdRequired = 79,
  kGroupMaxSizeReached = 81,
  kFencedInstanceId = 82,
  kGroupSubscribedToTopic = 86,
};

enum class GroupState : std::uint8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable, kDead };
std::string_view to_string(GroupState state);  // As Kafka spells it: "PreparingRebalance".

// The calls of the classic group protocol in plain values; bytes of members mean nothing here. An instance id is that of a
// static member (KIP-345). Generation -1 and an empty member id: the caller is no member.

struct JoinProtocol {
  std::string name;
  std::string metadata;
  friend bool operator==(const JoinProtocol&, const JoinProtocol&) = default;
};

struct JoinRequest {
  std::string group;
  std::string member_id;  // Empty: a new member.
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<JoinProtocol> protocols;  // The one liked best first.
  std::chrono::milliseconds session_timeout{0};
  std::chrono::milliseconds rebalance_timeout{0};
  bool needs_member_id = true;       // A new member is told its id first (KIP-394). Version 4 and up.
  bool can_skip_assignment = false;  // KIP-814. Version 9 and up.
};

struct JoinedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string metadata;
};

struct JoinReply {
  GroupError error = GroupError::kNone;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<JoinedMember> members;  // For the leader alone.
};

struct MemberAssignment {
  std::string member_id;
  std::string assignment;
};

struct SyncRequest {
  std::string group;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::optional<std::string> protocol_type;  // Held to the group's where given (KIP-559).
  std::optional<std::string> protocol;
  std::vector<MemberAssignment> assignments;  // From the leader.
};

struct SyncReply {
  GroupError error = GroupError::kNone;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::string assignment;
};

struct HeartbeatRequest {
  std::string group;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
};

struct LeavingMember {
  std::string member_id;  // May be empty where the instance id names the member.
  std::optional<std::string> instance_id;
};

struct LeaveRequest {
  std::string group;
  std::vector<LeavingMember> members;
};

struct LeaveReply {
  GroupError error = GroupError::kNone;
  std::vector<GroupError> members;  // One per member of the request, unless `error` is set.
};

struct CommitRequest {
  std::string group;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
  std::vector<log::GroupOffset> offsets;
};

struct DeleteOffsetsRequest {
  std::string group;
  std::vector<log::TopicPartition> partitions;
};

// The answer to a call about partitions: `partitions` has one entry per partition of the request, in its order, unless
// `error` is set.
struct OffsetsReply {
  GroupError error = GroupError::kNone;
  std::vector<GroupError> partitions;
};

struct DescribedMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string metadata;  // Of the group's protocol; this and the assignment only while it is stable.
  std::string assignment;
};

struct DescribedGroup {
  std::string group;
  GroupState state = GroupState::kDead;  // A group that does not exist is dead.
  std::string protocol_type;
  std::string protocol;
  std::vector<DescribedMember> members;
};

struct ListedGroup {
  std::string group;
  std::string protocol_type;
  GroupState state = GroupState::kEmpty;
};

// Each is called once, from any thread, possibly within the call that it answers; must not block.
using JoinDone = std::move_only_function<void(JoinReply)>;
using SyncDone = std::move_only_function<void(SyncReply)>;
using OffsetsDone = std::move_only_function<void(OffsetsReply)>;
using GroupDone = std::move_only_function<void(GroupError)>;

}  // namespace pinflow::groups
