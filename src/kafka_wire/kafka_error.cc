#include "kafka_wire/kafka_error.h"

#include <algorithm>
#include <array>

namespace pinflow::kafka_wire {

namespace {

struct ErrorInfo {
  std::int16_t code;
  bool retriable;
  std::string_view name;
};

constexpr bool kRetry = true;
constexpr bool kFinal = false;

constexpr std::array kErrors = {
    ErrorInfo{-1, kFinal, "UNKNOWN_SERVER_ERROR"},
    ErrorInfo{0, kFinal, "NONE"},
    ErrorInfo{1, kFinal, "OFFSET_OUT_OF_RANGE"},
    ErrorInfo{2, kRetry, "CORRUPT_MESSAGE"},
    ErrorInfo{3, kRetry, "UNKNOWN_TOPIC_OR_PARTITION"},
    ErrorInfo{4, kFinal, "INVALID_FETCH_SIZE"},
    ErrorInfo{5, kRetry, "LEADER_NOT_AVAILABLE"},
    ErrorInfo{6, kRetry, "NOT_LEADER_OR_FOLLOWER"},
    ErrorInfo{7, kRetry, "REQUEST_TIMED_OUT"},
    ErrorInfo{8, kFinal, "BROKER_NOT_AVAILABLE"},
    ErrorInfo{10, kFinal, "MESSAGE_TOO_LARGE"},
    ErrorInfo{12, kFinal, "OFFSET_METADATA_TOO_LARGE"},
    ErrorInfo{13, kRetry, "NETWORK_EXCEPTION"},
    ErrorInfo{14, kRetry, "COORDINATOR_LOAD_IN_PROGRESS"},
    ErrorInfo{15, kRetry, "COORDINATOR_NOT_AVAILABLE"},
    ErrorInfo{16, kRetry, "NOT_COORDINATOR"},
    ErrorInfo{17, kFinal, "INVALID_TOPIC_EXCEPTION"},
    ErrorInfo{18, kFinal, "RECORD_LIST_TOO_LARGE"},
    ErrorInfo{19, kRetry, "NOT_ENOUGH_REPLICAS"},
    ErrorInfo{21, kFinal, "INVALID_REQUIRED_ACKS"},
    ErrorInfo{22, kFinal, "ILLEGAL_GENERATION"},
    ErrorInfo{23, kFinal, "INCONSISTENT_GROUP_PROTOCOL"},
    ErrorInfo{24, kFinal, "INVALID_GROUP_ID"},
    ErrorInfo{25, kFinal, "UNKNOWN_MEMBER_ID"},
    ErrorInfo{26, kFinal, "INVALID_SESSION_TIMEOUT"},
    ErrorInfo{27, kFinal, "REBALANCE_IN_PROGRESS"},
    ErrorInfo{28, kFinal, "INVALID_COMMIT_OFFSET_SIZE"},
    ErrorInfo{29, kFinal, "TOPIC_AUTHORIZATION_FAILED"},
    ErrorInfo{30, kFinal, "GROUP_AUTHORIZATION_FAILED"},
    ErrorInfo{31, kFinal, "CLUSTER_AUTHORIZATION_FAILED"},
    ErrorInfo{32, kFinal, "INVALID_TIMESTAMP"},
    ErrorInfo{33, kFinal, "UNSUPPORTED_SASL_MECHANISM"},
    ErrorInfo{34, kFinal, "ILLEGAL_SASL_STATE"},
    ErrorInfo{35, kFinal, "UNSUPPORTED_VERSION"},
    ErrorInfo{36, kFinal, "TOPIC_ALREADY_EXISTS"},
    ErrorInfo{37, kFinal, "INVALID_PARTITIONS"},
    ErrorInfo{38, kFinal, "INVALID_REPLICATION_FACTOR"},
    ErrorInfo{39, kFinal, "INVALID_REPLICA_ASSIGNMENT"},
    ErrorInfo{40, kFinal, "INVALID_CONFIG"},
    ErrorInfo{41, kRetry, "NOT_CONTROLLER"},
    ErrorInfo{42, kFinal, "INVALID_REQUEST"},
    ErrorInfo{43, kFinal, "UNSUPPORTED_FOR_MESSAGE_FORMAT"},
    ErrorInfo{44, kFinal, "POLICY_VIOLATION"},
    ErrorInfo{45, kFinal, "OUT_OF_ORDER_SEQUENCE_NUMBER"},
    ErrorInfo{46, kFinal, "DUPLICATE_SEQUENCE_NUMBER"},
    ErrorInfo{47, kFinal, "INVALID_PRODUCER_EPOCH"},
    ErrorInfo{48, kFinal, "INVALID_TXN_STATE"},
    ErrorInfo{49, kFinal, "INVALID_PRODUCER_ID_MAPPING"},
    ErrorInfo{50, kFinal, "INVALID_TRANSACTION_TIMEOUT"},
    ErrorInfo{53, kFinal, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"},
    ErrorInfo{54, kFinal, "SECURITY_DISABLED"},
    ErrorInfo{55, kFinal, "OPERATION_NOT_ATTEMPTED"},
    ErrorInfo{56, kRetry, "KAFKA_STORAGE_ERROR"},
    ErrorInfo{58, kFinal, "SASL_AUTHENTICATION_FAILED"},
    ErrorInfo{59, kFinal, "UNKNOWN_PRODUCER_ID"},
    ErrorInfo{60, kFinal, "REASSIGNMENT_IN_PROGRESS"},
    ErrorInfo{68, kFinal, "NON_EMPTY_GROUP"},
    ErrorInfo{69, kFinal, "GROUP_ID_NOT_FOUND"},
    ErrorInfo{70, kRetry, "FETCH_SESSION_ID_NOT_FOUND"},
    ErrorInfo{71, kRetry, "INVALID_FETCH_SESSION_EPOCH"},
    ErrorInfo{72, kRetry, "LISTENER_NOT_FOUND"},
    ErrorInfo{73, kFinal, "TOPIC_DELETION_DISABLED"},
    ErrorInfo{74, kRetry, "FENCED_LEADER_EPOCH"},
    ErrorInfo{75, kRetry, "UNKNOWN_LEADER_EPOCH"},
    ErrorInfo{76, kFinal, "UNSUPPORTED_COMPRESSION_TYPE"},
    ErrorInfo{77, kFinal, "STALE_BROKER_EPOCH"},
    ErrorInfo{78, kRetry, "OFFSET_NOT_AVAILABLE"},
    ErrorInfo{79, kFinal, "MEMBER_ID_REQUIRED"},
    ErrorInfo{81, kFinal, "GROUP_MAX_SIZE_REACHED"},
    ErrorInfo{82, kFinal, "FENCED_INSTANCE_ID"},
    ErrorInfo{86, kFinal, "GROUP_SUBSCRIBED_TO_TOPIC"},
    ErrorInfo{87, kFinal, "INVALID_RECORD"},
    ErrorInfo{88, kRetry, "UNSTABLE_OFFSET_COMMIT"},
    ErrorInfo{89, kRetry, "THROTTLING_QUOTA_EXCEEDED"},
    ErrorInfo{90, kFinal, "PRODUCER_FENCED"},
    ErrorInfo{100, kRetry, "UNKNOWN_TOPIC_ID"},
    ErrorInfo{103, kRetry, "INCONSISTENT_TOPIC_ID"},
};
static_assert(std::ranges::is_sorted(kErrors, {}, &ErrorInfo::code));

const ErrorInfo* find(KafkaError error) {
  const auto code = static_cast<std::int16_t>(error);
  const auto found = std::ranges::lower_bound(kErrors, code, {}, &ErrorInfo::code);
  return found != kErrors.end() && found->code == code ? &*found : nullptr;
}

}  // namespace

std::string_view to_string(KafkaError error) {
  const ErrorInfo* info = find(error);
  return info != nullptr ? info->name : "UNKNOWN_ERROR";
}

bool is_retriable(KafkaError error) {
  const ErrorInfo* info = find(error);
  return info != nullptr && info->retriable;
}

}  // namespace pinflow::kafka_wire
