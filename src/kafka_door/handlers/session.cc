#include "kafka_door/handlers/session.h"

#include <algorithm>

#include "base/names.h"

namespace pinflow::kafka_door {

using kafka_wire::KafkaError;
using kafka_wire::MetadataRequest;
using kafka_wire::MetadataResponse;

namespace {
// Whoever may talk to us may do everything: the bits of Kafka's operations READ 3, WRITE 4, CREATE 5, DELETE 6, ALTER 7, DESCRIBE 8,
// CLUSTER_ACTION 9, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11, IDEMPOTENT_WRITE 12 (KIP-430).
constexpr std::int32_t kTopicOperations = 0b0'1101'1111'1000;
constexpr std::int32_t kClusterOperations = 0b1'1111'1010'0000;

std::vector<MetadataResponse::Partition> partitions_of(Context& context, const log::Topic& topic) {
  std::vector<MetadataResponse::Partition> partitions;
  partitions.reserve(static_cast<std::size_t>(topic.partitions));
  for (std::int32_t index = 0; index < topic.partitions; ++index) {
    MetadataResponse::Partition partition;
    partition.partition_index = index;
    partition.leader_id = kBrokerId;
    partition.leader_epoch = context.log.leader_epoch({topic.name, log::PartitionId(index)}).value_or(0);
    partition.replica_nodes = {kBrokerId};
    partition.isr_nodes = {kBrokerId};
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

MetadataResponse::Topic describe(Context& context, const log::Topic& topic, const MetadataRequest& request) {
  MetadataResponse::Topic described;
  described.name = topic.name;
  described.topic_id = topic.id;
  described.partitions = partitions_of(context, topic);
  if (request.include_topic_authorized_operations) described.topic_authorized_operations = kTopicOperations;
  return described;
}

MetadataResponse::Topic failed(const MetadataRequest::Topic& asked, KafkaError error) {
  MetadataResponse::Topic topic;
  topic.error_code = error;
  topic.name = asked.name;
  topic.topic_id = asked.topic_id;
  return topic;
}

MetadataResponse::Topic look_up(Context& context, const MetadataRequest::Topic& asked, const MetadataRequest& request) {
  if (!asked.name) {
    const auto topic = context.log.topic_by_id(asked.topic_id);
    return topic ? describe(context, *topic, request) : failed(asked, KafkaError::kUnknownTopicId);
  }
  if (!check_name("topic", *asked.name)) return failed(asked, KafkaError::kInvalidTopicException);
  const auto topic = context.log.topic(*asked.name);
  return topic ? describe(context, *topic, request) : failed(asked, KafkaError::kUnknownTopicOrPartition);
}

void answer_metadata(Context& context, const Call& call, const MetadataRequest& request, Reply reply) {
  MetadataResponse response;
  response.brokers.push_back({kBrokerId, advertised_host(context, call), advertised_port(context, call), std::nullopt});
  response.cluster_id = context.cluster_id;
  response.controller_id = kBrokerId;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  const bool all = !request.topics || (reply.version() == 0 && request.topics->empty());
  if (all) {
    for (const log::Topic& topic : context.log.topics()) response.topics.push_back(describe(context, topic, request));
  } else {
    for (const auto& asked : *request.topics) response.topics.push_back(look_up(context, asked, request));
  }
  reply.send(response);
}

// Names of topics to be made before the answer.
std::vector<std::string> missing_topics(Context& context, const MetadataRequest& request) {
  std::vector<std::string> missing;
  if (!context.options.auto_create_topics || !request.allow_auto_topic_creation || !request.topics) return missing;
  for (const auto& asked : *request.topics) {
    if (asked.name && check_name("topic", *asked.name) && !context.log.topic(*asked.name))
      missing.push_back(*asked.name);
  }
  return missing;
}
}  // namespace

std::string advertised_host(const Context& context, const Call& call) {
  const std::string& configured = context.options.advertised_host;
  return configured.empty() ? call.connection->dialled_host : configured;
}

std::int32_t advertised_port(const Context& context, const Call& call) {
  const std::uint16_t configured = context.options.advertised_port;
  return configured == 0 ? call.connection->dialled_port : configured;
}

void api_versions(Context& /*context*/, Call /*call*/, kafka_wire::ApiVersionsRequest /*request*/, Reply reply) {
  reply.send(kafka_wire::api_versions_response());
}

void metadata(Context& context, Call call, MetadataRequest request, Reply reply) {
  auto missing = missing_topics(context, request);
  if (missing.empty()) return answer_metadata(context, call, request, std::move(reply));
  run_blocking(
      context, std::move(reply),
      [&context, call = std::move(call), request = std::move(request), missing = std::move(missing)](Reply later) {
        for (const std::string& name : missing) {
          const auto made = context.log.create_topic({name, context.options.default_partitions, {}});
          if (made) {
            context.logger.info("a topic is made because a Kafka client asked for it",
                                {{"topic", name}, {"client", call.connection->client_host}});
          } else if (made.error().code != ErrorCode::kConflict) {
            context.logger.warning("a topic that a Kafka client asked for cannot be made",
                                   {{"topic", name}, {"error", made.error().message}});
          }
        }
        answer_metadata(context, call, request, std::move(later));
      });
}

void describe_cluster(Context& context, Call call, kafka_wire::DescribeClusterRequest request, Reply reply) {
  kafka_wire::DescribeClusterResponse response;
  if (request.endpoint_type != 1) {
    response.error_code = KafkaError::kInvalidRequest;
    response.error_message = "there are no controllers of their own here; ask for brokers";
    return reply.send(response);
  }
  response.cluster_id = context.cluster_id;
  response.controller_id = kBrokerId;
  response.brokers.push_back({kBrokerId, advertised_host(context, call), advertised_port(context, call), std::nullopt});
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  reply.send(response);
}

}  // namespace pinflow::kafka_door
