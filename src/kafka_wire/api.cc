#include "kafka_wire/api.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace pinflow::kafka_wire {

namespace {

constexpr std::int16_t kNever = ApiInfo::kNeverFlexible;

// Produce 0 to 2 are announced because librdkafka up to 2.11.0 takes an overlap with Produce 0 for "this broker knows
// compression"; they are answered with UNSUPPORTED_VERSION. Produce stays below 12 (KIP-890 changes transactions there), Fetch
// below 17.
constexpr std::array kApis = {
    ApiInfo{ApiKey::kProduce, "Produce", 0, 3, 11, 9},
    ApiInfo{ApiKey::kFetch, "Fetch", 4, 4, 16, 12},
    ApiInfo{ApiKey::kListOffsets, "ListOffsets", 0, 0, 9, 6},
    ApiInfo{ApiKey::kMetadata, "Metadata", 0, 0, 12, 9},
    ApiInfo{ApiKey::kOffsetCommit, "OffsetCommit", 1, 1, 9, 8},
    ApiInfo{ApiKey::kOffsetFetch, "OffsetFetch", 1, 1, 9, 6},
    ApiInfo{ApiKey::kFindCoordinator, "FindCoordinator", 0, 0, 6, 3},
    ApiInfo{ApiKey::kJoinGroup, "JoinGroup", 0, 0, 9, 6},
    ApiInfo{ApiKey::kHeartbeat, "Heartbeat", 0, 0, 4, 4},
    ApiInfo{ApiKey::kLeaveGroup, "LeaveGroup", 0, 0, 5, 4},
    ApiInfo{ApiKey::kSyncGroup, "SyncGroup", 0, 0, 5, 4},
    ApiInfo{ApiKey::kDescribeGroups, "DescribeGroups", 0, 0, 6, 5},
    ApiInfo{ApiKey::kListGroups, "ListGroups", 0, 0, 5, 3},
    ApiInfo{ApiKey::kSaslHandshake, "SaslHandshake", 0, 0, 1, kNever},
    ApiInfo{ApiKey::kApiVersions, "ApiVersions", 0, 0, 4, 3},
    ApiInfo{ApiKey::kCreateTopics, "CreateTopics", 0, 0, 7, 5},
    ApiInfo{ApiKey::kDeleteTopics, "DeleteTopics", 0, 0, 6, 4},
    ApiInfo{ApiKey::kDeleteRecords, "DeleteRecords", 0, 0, 2, 2},
    ApiInfo{ApiKey::kInitProducerId, "InitProducerId", 0, 0, 5, 2},
    ApiInfo{ApiKey::kOffsetForLeaderEpoch, "OffsetForLeaderEpoch", 2, 2, 4, 4},
    ApiInfo{ApiKey::kDescribeConfigs, "DescribeConfigs", 0, 0, 4, 4},
    ApiInfo{ApiKey::kAlterConfigs, "AlterConfigs", 0, 0, 2, 2},
    ApiInfo{ApiKey::kSaslAuthenticate, "SaslAuthenticate", 0, 0, 2, 2},
    ApiInfo{ApiKey::kCreatePartitions, "CreatePartitions", 0, 0, 3, 2},
    ApiInfo{ApiKey::kDeleteGroups, "DeleteGroups", 0, 0, 2, 2},
    ApiInfo{ApiKey::kIncrementalAlterConfigs, "IncrementalAlterConfigs", 0, 0, 1, 1},
    ApiInfo{ApiKey::kOffsetDelete, "OffsetDelete", 0, 0, 0, kNever},
    ApiInfo{ApiKey::kDescribeCluster, "DescribeCluster", 0, 0, 1, 0},
};
static_assert(std::ranges::is_sorted(kApis, {}, &ApiInfo::key));

struct KnownName {
  std::int16_t key;
  std::string_view name;
};

// Kinds that clients ask for and we do not offer.
constexpr std::array kOthers = {
    KnownName{24, "AddPartitionsToTxn"},
    KnownName{25, "AddOffsetsToTxn"},
    KnownName{26, "EndTxn"},
    KnownName{28, "TxnOffsetCommit"},
    KnownName{29, "DescribeAcls"},
    KnownName{30, "CreateAcls"},
    KnownName{31, "DeleteAcls"},
    KnownName{34, "AlterReplicaLogDirs"},
    KnownName{35, "DescribeLogDirs"},
    KnownName{38, "CreateDelegationToken"},
    KnownName{43, "ElectLeaders"},
    KnownName{45, "AlterPartitionReassignments"},
    KnownName{46, "ListPartitionReassignments"},
    KnownName{48, "DescribeClientQuotas"},
    KnownName{49, "AlterClientQuotas"},
    KnownName{50, "DescribeUserScramCredentials"},
    KnownName{51, "AlterUserScramCredentials"},
    KnownName{57, "UpdateFeatures"},
    KnownName{61, "DescribeProducers"},
    KnownName{65, "DescribeTransactions"},
    KnownName{66, "ListTransactions"},
    KnownName{68, "ConsumerGroupHeartbeat"},
    KnownName{69, "ConsumerGroupDescribe"},
    KnownName{71, "GetTelemetrySubscriptions"},
    KnownName{72, "PushTelemetry"},
    KnownName{74, "ListClientMetricsResources"},
    KnownName{75, "DescribeTopicPartitions"},
    KnownName{76, "ShareGroupHeartbeat"},
};

}  // namespace

std::span<const ApiInfo> all_apis() {
  return kApis;
}

const ApiInfo* find_api(std::int16_t key) {
  const auto found = std::ranges::lower_bound(kApis, static_cast<ApiKey>(key), {}, &ApiInfo::key);
  return found != kApis.end() && found->key == static_cast<ApiKey>(key) ? &*found : nullptr;
}

const ApiInfo& api_info(ApiKey key) {
  const ApiInfo* info = find_api(static_cast<std::int16_t>(key));
  CHECK(info != nullptr, "an ApiKey has its row in the table");
  return *info;
}

std::string_view api_name(std::int16_t key) {
  if (const ApiInfo* info = find_api(key)) return info->name;
  const auto other = std::ranges::find(kOthers, key, &KnownName::key);
  return other == kOthers.end() ? "api" : other->name;
}

}  // namespace pinflow::kafka_wire
