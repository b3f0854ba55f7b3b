#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "kafka_wire/api.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/kafka_error.h"

// What a client asks first: versions, who it is (SASL), the cluster and its topics. All text is owned.
namespace pinflow::kafka_wire {

// "Not asked for", in fields that say which operations a principal may do (KIP-430).
inline constexpr std::int32_t kNoAuthorizedOperations = INT32_MIN;

struct ApiVersionsResponse {
  struct ApiVersion {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
    friend bool operator==(const ApiVersion&, const ApiVersion&) = default;
  };
  struct SupportedFeature {
    std::string name{};
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
    friend bool operator==(const SupportedFeature&, const SupportedFeature&) = default;
  };
  struct FinalizedFeature {
    std::string name{};
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;
    friend bool operator==(const FinalizedFeature&, const FinalizedFeature&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kApiVersions;

  KafkaError error_code = KafkaError::kNone;
  std::vector<ApiVersion> api_keys{};
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features{};
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features{};
  bool zk_migration_ready = false;
  friend bool operator==(const ApiVersionsResponse&, const ApiVersionsResponse&) = default;
};

struct ApiVersionsRequest {
  static constexpr ApiKey kApi = ApiKey::kApiVersions;
  using Response = ApiVersionsResponse;

  std::string client_software_name{};
  std::string client_software_version{};
  friend bool operator==(const ApiVersionsRequest&, const ApiVersionsRequest&) = default;
};

// The answer that lists our table. A request of a version we do not know gets this with kUnsupportedVersion in the form of v0.
ApiVersionsResponse api_versions_response(KafkaError error = KafkaError::kNone);

struct SaslHandshakeResponse {
  static constexpr ApiKey kApi = ApiKey::kSaslHandshake;

  KafkaError error_code = KafkaError::kNone;
  std::vector<std::string> mechanisms{};
  friend bool operator==(const SaslHandshakeResponse&, const SaslHandshakeResponse&) = default;
};

struct SaslHandshakeRequest {
  static constexpr ApiKey kApi = ApiKey::kSaslHandshake;
  using Response = SaslHandshakeResponse;

  std::string mechanism{};
  friend bool operator==(const SaslHandshakeRequest&, const SaslHandshakeRequest&) = default;
};

struct SaslAuthenticateResponse {
  static constexpr ApiKey kApi = ApiKey::kSaslAuthenticate;

  KafkaError error_code = KafkaError::kNone;
  std::optional<std::string> error_message{};
  std::string auth_bytes{};
  std::int64_t session_lifetime_ms = 0;
  friend bool operator==(const SaslAuthenticateResponse&, const SaslAuthenticateResponse&) = default;
};

struct SaslAuthenticateRequest {
  static constexpr ApiKey kApi = ApiKey::kSaslAuthenticate;
  using Response = SaslAuthenticateResponse;

  std::string auth_bytes{};
  friend bool operator==(const SaslAuthenticateRequest&, const SaslAuthenticateRequest&) = default;
};

struct MetadataResponse {
  struct Broker {
    std::int32_t node_id = 0;
    std::string host{};
    std::int32_t port = 0;
    std::optional<std::string> rack{};
    friend bool operator==(const Broker&, const Broker&) = default;
  };
  struct Partition {
    KafkaError error_code = KafkaError::kNone;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes{};
    std::vector<std::int32_t> isr_nodes{};
    std::vector<std::int32_t> offline_replicas{};
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> name{};  // Null from v12 on, for an unknown topic id.
    Uuid topic_id{};
    bool is_internal = false;
    std::vector<Partition> partitions{};
    std::int32_t topic_authorized_operations = kNoAuthorizedOperations;
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kMetadata;

  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers{};
  std::optional<std::string> cluster_id{};
  std::int32_t controller_id = -1;
  std::vector<Topic> topics{};
  std::int32_t cluster_authorized_operations = kNoAuthorizedOperations;
  friend bool operator==(const MetadataResponse&, const MetadataResponse&) = default;
};

struct MetadataRequest {
  struct Topic {
    Uuid topic_id{};                    // All zero when asked by name.
    std::optional<std::string> name{};  // Null from v10 on, when asked by id.
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kMetadata;
  using Response = MetadataResponse;

  std::optional<std::vector<Topic>> topics{};  // Null: all topics. In v0, which knows no null, an empty list means all.
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
  friend bool operator==(const MetadataRequest&, const MetadataRequest&) = default;
};

struct DescribeClusterResponse {
  struct Broker {
    std::int32_t broker_id = 0;
    std::string host{};
    std::int32_t port = 0;
    std::optional<std::string> rack{};
    friend bool operator==(const Broker&, const Broker&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDescribeCluster;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::optional<std::string> error_message{};
  std::int8_t endpoint_type = 1;  // 1 brokers, 2 controllers.
  std::string cluster_id{};
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers{};
  std::int32_t cluster_authorized_operations = kNoAuthorizedOperations;
  friend bool operator==(const DescribeClusterResponse&, const DescribeClusterResponse&) = default;
};

struct DescribeClusterRequest {
  static constexpr ApiKey kApi = ApiKey::kDescribeCluster;
  using Response = DescribeClusterResponse;

  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;
  friend bool operator==(const DescribeClusterRequest&, const DescribeClusterRequest&) = default;
};

}  // namespace pinflow::kafka_wire
