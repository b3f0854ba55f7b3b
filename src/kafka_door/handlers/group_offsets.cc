#include <algorithm>

#include "groups/coordinator.h"
#include "kafka_door/handlers/groups.h"

namespace pinflow::kafka_door {

using kafka_wire::KafkaError;
using kafka_wire::OffsetFetchRequest;
using kafka_wire::OffsetFetchResponse;

namespace {

KafkaError to_kafka(groups::GroupError error) {
  return static_cast<KafkaError>(static_cast<std::int16_t>(error));
}

OffsetFetchResponse::Partition place_of(const log::GroupOffset& position) {
  return {position.partition.partition.value(), position.offset.value(), position.leader_epoch, position.metadata,
          KafkaError::kNone};
}

// All positions of a group, as topics.
std::vector<OffsetFetchResponse::Topic> all_places(const std::vector<log::GroupOffset>& positions) {
  std::vector<OffsetFetchResponse::Topic> topics;
  for (const log::GroupOffset& position : positions) {
    if (topics.empty() || topics.back().name != position.partition.topic)
      topics.push_back({position.partition.topic, {}});
    topics.back().partitions.push_back(place_of(position));
  }
  return topics;
}

// The positions asked for; a partition without one has offset -1, which is no error.
std::vector<OffsetFetchResponse::Topic> places(Context& context, const std::string& group,
                                               const std::optional<std::vector<OffsetFetchRequest::Topic>>& asked) {
  const std::vector<log::GroupOffset> positions = context.coordinator.committed(group);
  if (!asked) return all_places(positions);
  std::vector<OffsetFetchResponse::Topic> topics;
  for (const OffsetFetchRequest::Topic& topic : *asked) {
    auto& answered = topics.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t index : topic.partition_indexes) {
      const log::TopicPartition wanted{topic.name, log::PartitionId(index)};
      const auto at = std::ranges::lower_bound(positions, wanted, {}, &log::GroupOffset::partition);
      answered.partitions.push_back(at != positions.end() && at->partition == wanted
                                        ? place_of(*at)
                                        : OffsetFetchResponse::Partition{index, -1, -1, "", KafkaError::kNone});
    }
  }
  return topics;
}

// Puts the errors of all partitions in the order of the request into its answer.
template <class Topics>
void fill_errors(Topics& topics, const groups::OffsetsReply& reply) {
  auto next = reply.partitions.begin();
  for (auto& topic : topics) {
    for (auto& partition : topic.partitions)
      partition.error_code = to_kafka(reply.error == groups::GroupError::kNone ? *next++ : reply.error);
  }
}

}  // namespace

void offset_commit(Context& context, Call /*call*/, kafka_wire::OffsetCommitRequest request, Reply reply) {
  groups::CommitRequest commit{std::move(request.group_id),
                               request.generation_id,
                               std::move(request.member_id),
                               std::move(request.group_instance_id),
                               {}};
  kafka_wire::OffsetCommitResponse response;
  for (auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (auto& partition : topic.partitions) {
      answered.partitions.push_back({partition.partition_index, KafkaError::kNone});
      commit.offsets.push_back({{topic.name, log::PartitionId(partition.partition_index)},
                                log::Offset(partition.committed_offset),
                                partition.committed_leader_epoch,
                                std::move(partition.committed_metadata).value_or("")});
    }
  }
  context.coordinator.commit(std::move(commit), [reply = std::move(reply), response = std::move(response)](
                                                    const groups::OffsetsReply& committed) mutable {
    fill_errors(response.topics, committed);
    reply.send(response);
  });
}

void offset_fetch(Context& context, Call /*call*/, OffsetFetchRequest request, Reply reply) {
  OffsetFetchResponse response;
  if (reply.version() < 8) {
    response.topics = places(context, request.group_id, request.topics);
    return reply.send(response);
  }
  for (OffsetFetchRequest::Group& group : request.groups) {
    auto topics = places(context, group.group_id, group.topics);
    response.groups.push_back({std::move(group.group_id), std::move(topics), KafkaError::kNone});
  }
  reply.send(response);
}

void offset_delete(Context& context, Call /*call*/, kafka_wire::OffsetDeleteRequest request, Reply reply) {
  groups::DeleteOffsetsRequest deletion{std::move(request.group_id), {}};
  kafka_wire::OffsetDeleteResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back({partition.partition_index, KafkaError::kNone});
      deletion.partitions.push_back({topic.name, log::PartitionId(partition.partition_index)});
    }
  }
  context.coordinator.delete_offsets(
      std::move(deletion), [&log = context.log, reply = std::move(reply),
                            response = std::move(response)](const groups::OffsetsReply& deleted) mutable {
        response.error_code = to_kafka(deleted.error);
        if (deleted.error != groups::GroupError::kNone) {
          response.topics.clear();
          return reply.send(response);
        }
        fill_errors(response.topics, deleted);
        for (auto& topic : response.topics) {
          const auto known = log.topic(topic.name);
          for (auto& partition : topic.partitions) {
            const bool exists =
                known && partition.partition_index >= 0 && partition.partition_index < known->partitions;
            if (!exists) partition.error_code = KafkaError::kUnknownTopicOrPartition;
          }
        }
        reply.send(response);
      });
}

}  // namespace pinflow::kafka_door
