#pragma once

#include "kafka_wire/internal/schema.h"
#include "kafka_wire/messages/session.h"

namespace pinflow::kafka_wire {

template <>
struct Table<ApiVersionsRequest> {
  using T = ApiVersionsRequest;
  static constexpr auto fields =
      std::tuple(FIELD(client_software_name, .first = 3), FIELD(client_software_version, .first = 3));
};
template <>
struct Table<ApiVersionsResponse::ApiVersion> {
  using T = ApiVersionsResponse::ApiVersion;
  static constexpr auto fields = std::tuple(FIELD(api_key), FIELD(min_version), FIELD(max_version));
};
template <>
struct Table<ApiVersionsResponse::SupportedFeature> {
  using T = ApiVersionsResponse::SupportedFeature;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(min_version), FIELD(max_version));
};
template <>
struct Table<ApiVersionsResponse::FinalizedFeature> {
  using T = ApiVersionsResponse::FinalizedFeature;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(max_version_level), FIELD(min_version_level));
};
template <>
struct Table<ApiVersionsResponse> {
  using T = ApiVersionsResponse;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(api_keys), FIELD(throttle_time_ms, .first = 1),
                 FIELD(supported_features, .first = 3, .tag = 0), FIELD(finalized_features_epoch, .first = 3, .tag = 1),
                 FIELD(finalized_features, .first = 3, .tag = 2), FIELD(zk_migration_ready, .first = 3, .tag = 3));
};

template <>
struct Table<SaslHandshakeRequest> {
  using T = SaslHandshakeRequest;
  static constexpr auto fields = std::tuple(FIELD(mechanism));
};
template <>
struct Table<SaslHandshakeResponse> {
  using T = SaslHandshakeResponse;
  static constexpr auto fields = std::tuple(FIELD(error_code), FIELD(mechanisms));
};
template <>
struct Table<SaslAuthenticateRequest> {
  using T = SaslAuthenticateRequest;
  static constexpr auto fields = std::tuple(FIELD(auth_bytes, .wire = Wire::kBytes));
};
template <>
struct Table<SaslAuthenticateResponse> {
  using T = SaslAuthenticateResponse;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(error_message), FIELD(auth_bytes, .wire = Wire::kBytes),
                 FIELD(session_lifetime_ms, .first = 1));
};

template <>
struct Table<MetadataRequest::Topic> {
  using T = MetadataRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic_id, .first = 10), FIELD(name, .nullable = 10));
};
template <>
struct Table<MetadataRequest> {
  using T = MetadataRequest;
  static constexpr auto fields = std::tuple(FIELD(topics, .nullable = 1), FIELD(allow_auto_topic_creation, .first = 4),
                                            FIELD(include_cluster_authorized_operations, .first = 8, .last = 10),
                                            FIELD(include_topic_authorized_operations, .first = 8));
};
template <>
struct Table<MetadataResponse::Broker> {
  using T = MetadataResponse::Broker;
  static constexpr auto fields = std::tuple(FIELD(node_id), FIELD(host), FIELD(port), FIELD(rack, .first = 1));
};
template <>
struct Table<MetadataResponse::Partition> {
  using T = MetadataResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(partition_index), FIELD(leader_id), FIELD(leader_epoch, .first = 7),
                 FIELD(replica_nodes), FIELD(isr_nodes), FIELD(offline_replicas, .first = 5));
};
template <>
struct Table<MetadataResponse::Topic> {
  using T = MetadataResponse::Topic;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(name, .nullable = 12), FIELD(topic_id, .first = 10),
                 FIELD(is_internal, .first = 1), FIELD(partitions), FIELD(topic_authorized_operations, .first = 8));
};
template <>
struct Table<MetadataResponse> {
  using T = MetadataResponse;
  static constexpr auto fields = std::tuple(
      FIELD(throttle_time_ms, .first = 3), FIELD(brokers), FIELD(cluster_id, .first = 2),
      FIELD(controller_id, .first = 1), FIELD(topics), FIELD(cluster_authorized_operations, .first = 8, .last = 10));
};

template <>
struct Table<DescribeClusterRequest> {
  using T = DescribeClusterRequest;
  static constexpr auto fields =
      std::tuple(FIELD(include_cluster_authorized_operations), FIELD(endpoint_type, .first = 1));
};
template <>
struct Table<DescribeClusterResponse::Broker> {
  using T = DescribeClusterResponse::Broker;
  static constexpr auto fields = std::tuple(FIELD(broker_id), FIELD(host), FIELD(port), FIELD(rack));
};
template <>
struct Table<DescribeClusterResponse> {
  using T = DescribeClusterResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms), FIELD(error_code), FIELD(error_message), FIELD(endpoint_type, .first = 1),
                 FIELD(cluster_id), FIELD(controller_id), FIELD(brokers), FIELD(cluster_authorized_operations));
};

}  // namespace pinflow::kafka_wire
