#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "app/kafka_admin.h"
#include "kafka_wire/consumer_protocol.h"
#include "kafka_wire/messages/groups.h"
#include "kafka_wire/messages/produce_fetch.h"

namespace pinflow::app {

using kafka_wire::Client;
using kafka_wire::Cluster;
using kafka_wire::error_of;
using kafka_wire::KafkaError;
using kafka_wire::ListOffsetsRequest;

namespace {

std::string no_group(const std::string& group) {
  return fmt::format("there is no consumer group '{}'; `pinflow groups list` shows those that are", group);
}

// The partitions that a member reads; nothing for other protocols than "consumer", whose bytes only their members understand.
Result<std::vector<TopicPartitionName>> partitions_of(const std::string& protocol_type, const std::string& assignment) {
  std::vector<TopicPartitionName> partitions;
  if (protocol_type != "consumer") return partitions;
  TRY_ASSIGN(const auto assigned, kafka_wire::read_assignment(assignment));
  for (const auto& topic : assigned.assigned_partitions)
    for (const std::int32_t partition : topic.partitions) partitions.push_back({topic.topic, partition});
  std::ranges::sort(partitions);
  return partitions;
}

// What the group has committed.
Result<Offsets> committed_offsets(Client& coordinator, const std::string& group) {
  constexpr std::int16_t kOneGroupEach = 7;  // The last version that asks for one group at a time.
  TRY_ASSIGN(const auto response, coordinator.call(kafka_wire::OffsetFetchRequest{.group_id = group}, kOneGroupEach));
  if (response.error_code != KafkaError::kNone)
    return fail(error_of(response.error_code, fmt::format("positions of group '{}'", group)));
  Offsets offsets;
  for (const auto& topic : response.topics)
    for (const auto& partition : topic.partitions)
      if (partition.error_code == KafkaError::kNone && partition.committed_offset >= 0)
        offsets[{topic.name, partition.partition_index}] = partition.committed_offset;
  return offsets;
}

// The ends of these partitions; of topics that are gone, none.
Result<Offsets> ends_of(Cluster& cluster, const std::vector<GroupDescription::Position>& positions) {
  std::set<std::string> topics;
  for (const auto& position : positions) topics.insert(position.partition.topic);
  if (topics.empty()) return Offsets{};
  TRY_ASSIGN(const auto metadata, cluster.metadata({topics.begin(), topics.end()}));
  Leaders wanted;
  for (const auto& topic : metadata.topics)
    for (const auto& partition : topic.partitions)
      wanted[{topic.name.value_or(""), partition.partition_index}] = partition.leader_id;
  return list_offsets(cluster, wanted, ListOffsetsRequest::kLatest);
}

// Puts committed and assigned partitions together, with their ends.
Result<void> fill_positions(Cluster& cluster, Client& coordinator, GroupDescription& group) {
  TRY_ASSIGN(const Offsets committed, committed_offsets(coordinator, group.id));
  std::map<TopicPartitionName, GroupDescription::Position> positions;
  for (const auto& [name, offset] : committed) positions[name] = {.partition = name, .committed = offset};
  for (const auto& member : group.members) {
    for (const TopicPartitionName& name : member.partitions) {
      positions[name].partition = name;
      positions[name].member = member.id;
    }
  }
  for (auto& [name, position] : positions) group.positions.push_back(std::move(position));
  TRY_ASSIGN(const Offsets ends, ends_of(cluster, group.positions));
  for (auto& position : group.positions)
    if (const auto end = ends.find(position.partition); end != ends.end()) position.end = end->second;
  return {};
}

}  // namespace

Result<std::vector<GroupListing>> list_groups(Cluster& cluster) {
  TRY_ASSIGN(const auto metadata, cluster.metadata({}));
  std::vector<GroupListing> groups;
  for (const auto& broker : metadata.brokers) {
    TRY_ASSIGN(Client* const client, cluster.node(broker.node_id));
    TRY_ASSIGN(const auto response, client->call(kafka_wire::ListGroupsRequest{}));
    if (response.error_code != KafkaError::kNone)
      return fail(
          error_of(response.error_code, fmt::format("groups of the broker at {}", client->endpoint().to_string())));
    for (const auto& group : response.groups)
      groups.push_back({group.group_id, group.group_state, group.protocol_type});
  }
  std::ranges::sort(groups, {}, &GroupListing::id);
  return groups;
}

Result<GroupDescription> describe_group(Cluster& cluster, const std::string& id) {
  TRY_ASSIGN(Client* const coordinator, cluster.coordinator(id));
  TRY_ASSIGN(const auto response, coordinator->call(kafka_wire::DescribeGroupsRequest{.groups = {id}}));
  if (response.groups.size() != 1)
    return fail(ErrorCode::kInvalid, fmt::format("the Kafka broker describes no group '{}'", id));
  const auto& found = response.groups[0];
  if (found.error_code == KafkaError::kGroupIdNotFound) return fail(ErrorCode::kNotFound, no_group(id));
  if (found.error_code != KafkaError::kNone)
    return fail(error_of(found.error_code, fmt::format("group '{}'", id), found.error_message.value_or("")));
  GroupDescription group{.id = id,
                         .state = found.group_state,
                         .protocol = found.protocol_data,
                         .coordinator = coordinator->endpoint().to_string()};
  for (const auto& member : found.members) {
    TRY_ASSIGN(auto partitions, partitions_of(found.protocol_type, member.member_assignment));
    group.members.push_back({.id = member.member_id,
                             .instance_id = member.group_instance_id.value_or(""),
                             .client_id = member.client_id,
                             .host = member.client_host,
                             .partitions = std::move(partitions)});
  }
  TRY(fill_positions(cluster, *coordinator, group));
  // Brokers without an error code for it say "Dead" of a group that they have never heard of.
  if (group.state == "Dead" && group.positions.empty()) return fail(ErrorCode::kNotFound, no_group(id));
  return group;
}

Result<std::vector<ResetLine>> plan_reset(Cluster& cluster, const Leaders& partitions, const Offsets& current,
                                          const ResetTarget& target) {
  TRY_ASSIGN(const Offsets begins, list_offsets(cluster, partitions, ListOffsetsRequest::kEarliest));
  TRY_ASSIGN(const Offsets ends, list_offsets(cluster, partitions, ListOffsetsRequest::kLatest));
  Offsets at_time;
  if (target.kind == ResetTarget::Kind::kTime) {
    TRY_ASSIGN(at_time, list_offsets(cluster, partitions, target.time.time_since_epoch().count()));
  }
  std::vector<ResetLine> lines;
  for (const auto& [name, leader] : partitions) {
    const auto begin = begins.find(name);
    const auto end = ends.find(name);
    if (begin == begins.end() || end == ends.end())
      return fail(ErrorCode::kUnavailable,
                  fmt::format("the offsets of {} are not to be had now: it may have no leader", name.to_string()));
    ResetLine line{.partition = name};
    if (const auto now = current.find(name); now != current.end()) line.from = now->second;
    switch (target.kind) {
      case ResetTarget::Kind::kEarliest:
        line.to = begin->second;
        break;
      case ResetTarget::Kind::kLatest:
        line.to = end->second;
        break;
      case ResetTarget::Kind::kOffset:
        line.to = std::clamp(target.offset, begin->second, end->second);
        line.clipped = line.to != target.offset;
        break;
      case ResetTarget::Kind::kTime:
        // No record is that young: go on with what comes next.
        line.to = at_time.contains(name) && at_time[name] >= 0 ? at_time[name] : end->second;
        break;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<void> commit_reset(Cluster& cluster, const std::string& group, const std::vector<ResetLine>& lines) {
  kafka_wire::OffsetCommitRequest request{.group_id = group};
  for (const ResetLine& line : lines) {
    if (request.topics.empty() || request.topics.back().name != line.partition.topic)
      request.topics.push_back({.name = line.partition.topic});
    request.topics.back().partitions.push_back(
        {.partition_index = line.partition.partition, .committed_offset = line.to, .committed_metadata = ""});
  }
  TRY_ASSIGN(Client* const coordinator, cluster.coordinator(group));
  TRY_ASSIGN(const auto response, coordinator->call(request));
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code == KafkaError::kNone) continue;
      const bool joined = partition.error_code == KafkaError::kUnknownMemberId ||
                          partition.error_code == KafkaError::kRebalanceInProgress;
      return fail(error_of(partition.error_code,
                           fmt::format("position of group '{}' in {}:{}", group, topic.name, partition.partition_index),
                           joined ? "a member joined in the meantime; stop it and try again" : ""));
    }
  }
  return {};
}

}  // namespace pinflow::app
