#include "app/kafka_admin.h"

#include <algorithm>

#include <fmt/format.h>

#include "kafka_wire/messages/configs.h"
#include "kafka_wire/messages/produce_fetch.h"

namespace pinflow::app {

using kafka_wire::Client;
using kafka_wire::Cluster;
using kafka_wire::error_of;
using kafka_wire::KafkaError;
using kafka_wire::ListOffsetsRequest;
using kafka_wire::MetadataResponse;

namespace {

Result<MetadataResponse::Topic> checked(MetadataResponse::Topic topic) {
  const std::string name = topic.name.value_or("");
  if (topic.error_code == KafkaError::kUnknownTopicOrPartition)
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no topic '{}'; `pinflow topics list` shows those that are", name));
  if (topic.error_code != KafkaError::kNone) return fail(error_of(topic.error_code, fmt::format("topic '{}'", name)));
  return topic;
}

bool has_id(const Uuid& id) {
  return id != Uuid{};
}

// Reads the settings that were set for these topics.
Result<std::map<std::string, std::vector<std::pair<std::string, std::string>>>> settings_of(
    Cluster& cluster, const std::vector<std::string>& topics) {
  using namespace kafka_wire;
  DescribeConfigsRequest request;
  for (const std::string& topic : topics)
    request.resources.push_back({.resource_type = ConfigResourceType::kTopic, .resource_name = topic});
  TRY_ASSIGN(const auto response, cluster.any().call(request));
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> settings;
  for (const auto& resource : response.resources) {
    if (resource.error_code != KafkaError::kNone)
      return fail(error_of(resource.error_code, fmt::format("settings of topic '{}'", resource.resource_name),
                           resource.error_message.value_or("")));
    auto& own = settings[resource.resource_name];
    for (const auto& config : resource.configs)
      if (config.config_source == ConfigSource::kDynamicTopicConfig)
        own.emplace_back(config.name, config.is_sensitive ? "(hidden)" : config.value.value_or(""));
    std::ranges::sort(own);
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<Cluster>> connect_kafka(const Environment& environment, const std::string& bootstrap) {
  const std::string address =
      bootstrap.empty() ? fmt::format("127.0.0.1:{}", environment.config().kafka.port) : bootstrap;
  auto cluster = Cluster::connect(address);
  if (cluster || cluster.error().code != ErrorCode::kUnavailable) return cluster;
  return fail(
      ErrorCode::kUnavailable,
      fmt::format("{}. {}", cluster.error().message,
                  bootstrap.empty()
                      ? "Start `pinflow up`, or name a running Kafka with --bootstrap HOST:PORT"
                      : "Is this the address and port of a running Kafka? For pinflow's own, leave --bootstrap out"));
}

Result<Leaders> find_leaders(Cluster& cluster, const std::vector<std::string>& topics) {
  TRY_ASSIGN(auto response, cluster.metadata(topics));
  Leaders leaders;
  for (MetadataResponse::Topic& found : response.topics) {
    TRY_ASSIGN(const auto topic, checked(std::move(found)));
    for (const MetadataResponse::Partition& partition : topic.partitions)
      leaders[{*topic.name, partition.partition_index}] = partition.leader_id;
  }
  return leaders;
}

Result<Offsets> list_offsets(Cluster& cluster, const Leaders& partitions, std::int64_t timestamp) {
  // One request for each leader.
  std::map<std::int32_t, ListOffsetsRequest> requests;
  for (const auto& [name, leader] : partitions) {
    if (leader < 0) continue;
    auto& topics = requests[leader].topics;
    if (topics.empty() || topics.back().name != name.topic) topics.push_back({.name = name.topic});
    topics.back().partitions.push_back({.partition_index = name.partition, .timestamp = timestamp});
  }
  Offsets offsets;
  for (const auto& [leader, request] : requests) {
    TRY_ASSIGN(Client* const client, cluster.node(leader));
    TRY_ASSIGN(const auto response, client->call(request));
    for (const auto& topic : response.topics)
      for (const auto& partition : topic.partitions)
        if (partition.error_code == KafkaError::kNone)
          offsets[{topic.name, partition.partition_index}] = partition.offset;
  }
  return offsets;
}

Result<std::vector<TopicListing>> list_topics(Cluster& cluster, bool with_internal) {
  TRY_ASSIGN(const auto response, cluster.metadata_of_all());
  std::vector<TopicListing> topics;
  for (const MetadataResponse::Topic& topic : response.topics)
    if (with_internal || !topic.is_internal)
      topics.push_back({topic.name.value_or(""), topic.partitions.size(), topic.is_internal});
  std::ranges::sort(topics, {}, &TopicListing::name);
  return topics;
}

Result<std::vector<TopicDescription>> describe_topics(Cluster& cluster, std::vector<std::string> names) {
  if (names.empty()) {
    TRY_ASSIGN(const auto all, list_topics(cluster, false));
    for (const TopicListing& topic : all) names.push_back(topic.name);
  }
  if (names.empty()) return std::vector<TopicDescription>{};
  TRY_ASSIGN(auto response, cluster.metadata(names));
  std::vector<TopicDescription> topics;
  Leaders leaders;
  for (MetadataResponse::Topic& found : response.topics) {
    TRY_ASSIGN(auto topic, checked(std::move(found)));
    TopicDescription description{.name = *topic.name, .id = has_id(topic.topic_id) ? topic.topic_id.to_string() : ""};
    std::ranges::sort(topic.partitions, {}, &MetadataResponse::Partition::partition_index);
    for (const MetadataResponse::Partition& partition : topic.partitions) {
      description.partitions.push_back({.partition = partition.partition_index, .leader = partition.leader_id});
      description.replicas = static_cast<std::int32_t>(partition.replica_nodes.size());
      leaders[{description.name, partition.partition_index}] = partition.leader_id;
    }
    topics.push_back(std::move(description));
  }
  std::ranges::sort(topics, {}, &TopicDescription::name);
  TRY_ASSIGN(const Offsets begins, list_offsets(cluster, leaders, ListOffsetsRequest::kEarliest));
  TRY_ASSIGN(const Offsets ends, list_offsets(cluster, leaders, ListOffsetsRequest::kLatest));
  TRY_ASSIGN(auto settings, settings_of(cluster, names));
  for (TopicDescription& topic : topics) {
    topic.settings = std::move(settings[topic.name]);
    for (TopicDescription::Partition& partition : topic.partitions) {
      const TopicPartitionName name{topic.name, partition.partition};
      if (const auto begin = begins.find(name); begin != begins.end()) partition.begin = begin->second;
      if (const auto end = ends.find(name); end != ends.end()) partition.end = end->second;
    }
  }
  return topics;
}

}  // namespace pinflow::app
