#include "kafka_door/handlers/offsets.h"

namespace pinflow::kafka_door {

using kafka_wire::KafkaError;
using kafka_wire::ListOffsetsRequest;
using kafka_wire::ListOffsetsResponse;
using kafka_wire::OffsetForLeaderEpochRequest;
using kafka_wire::OffsetForLeaderEpochResponse;

namespace {
Result<std::optional<log::TimedOffset>> find(log::BrokerLog& log, const log::TopicPartition& partition,
                                             std::int64_t timestamp) {
  if (timestamp == ListOffsetsRequest::kMaxTimestamp) return log.find_latest_time(partition);
  if (timestamp >= 0) return log.find_time(partition, WallTime(std::chrono::milliseconds(timestamp)));
  TRY_ASSIGN(const log::OffsetRange range, log.offsets(partition));
  TRY_ASSIGN(const std::int32_t epoch, log.leader_epoch(partition));
  static constexpr WallTime kNoTime{std::chrono::milliseconds(-1)};
  switch (timestamp) {
    case ListOffsetsRequest::kLatest:
      return log::TimedOffset{range.end, kNoTime, epoch};
    case ListOffsetsRequest::kEarliest:
    case ListOffsetsRequest::kEarliestLocal:
      return log::TimedOffset{range.begin, kNoTime, epoch};
    default:  // kLatestTiered: nothing is stored elsewhere.
      return std::nullopt;
  }
}

ListOffsetsResponse::Partition answer(log::BrokerLog& log, const std::string& topic,
                                      const ListOffsetsRequest::Partition& asked) {
  ListOffsetsResponse::Partition answered;
  answered.partition_index = asked.partition_index;
  const log::TopicPartition partition{topic, log::PartitionId(asked.partition_index)};
  answered.error_code = check_leader_epoch(log, partition, asked.current_leader_epoch);
  if (asked.timestamp < ListOffsetsRequest::kLatestTiered) answered.error_code = KafkaError::kUnsupportedVersion;
  if (answered.error_code != KafkaError::kNone) return answered;
  const auto found = find(log, partition, asked.timestamp);
  if (!found) {
    answered.error_code = read_error(found.error());
  } else if (*found) {
    const log::TimedOffset& place = **found;
    answered.offset = place.offset.value();
    answered.timestamp = place.timestamp.time_since_epoch().count();
    answered.leader_epoch = place.leader_epoch;
    if (asked.max_num_offsets > 0) answered.old_style_offsets.push_back(answered.offset);
  }
  return answered;
}

bool reads_records(const ListOffsetsRequest& request) {
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.timestamp >= 0 || partition.timestamp == ListOffsetsRequest::kMaxTimestamp) return true;
    }
  }
  return false;
}

void answer_all(Context& context, const ListOffsetsRequest& request, Reply reply) {
  ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back(answer(context.log, topic.name, partition));
    }
  }
  reply.send(response);
}
}  // namespace

KafkaError check_leader_epoch(log::BrokerLog& log, const log::TopicPartition& partition, std::int32_t epoch) {
  const auto ours = log.leader_epoch(partition);
  if (!ours) return KafkaError::kUnknownTopicOrPartition;
  if (epoch < 0 || epoch == *ours) return KafkaError::kNone;
  return epoch < *ours ? KafkaError::kFencedLeaderEpoch : KafkaError::kUnknownLeaderEpoch;
}

KafkaError read_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return KafkaError::kOffsetOutOfRange;
    case ErrorCode::kNotFound:
      return KafkaError::kUnknownTopicOrPartition;
    case ErrorCode::kCorrupt:
      return KafkaError::kCorruptMessage;
    case ErrorCode::kConflict:
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCancelled:
      return KafkaError::kKafkaStorageError;
  }
  return KafkaError::kUnknownServerError;
}

void list_offsets(Context& context, Call /*call*/, ListOffsetsRequest request, Reply reply) {
  if (!reads_records(request)) return answer_all(context, request, std::move(reply));
  run_blocking(context, std::move(reply), [&context, request = std::move(request)](Reply later) {
    answer_all(context, request, std::move(later));
  });
}

void offset_for_leader_epoch(Context& context, Call /*call*/, OffsetForLeaderEpochRequest request, Reply reply) {
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.topic = topic.topic;
    for (const auto& asked : topic.partitions) {
      const log::TopicPartition partition{topic.topic, log::PartitionId(asked.partition)};
      auto& place = answered.partitions.emplace_back();
      place.partition = asked.partition;
      place.error_code = check_leader_epoch(context.log, partition, asked.current_leader_epoch);
      if (place.error_code != KafkaError::kNone) continue;
      const auto end = context.log.epoch_end(partition, asked.leader_epoch);
      if (!end) {
        place.error_code = read_error(end.error());
        continue;
      }
      place.leader_epoch = end->leader_epoch;
      place.end_offset = end->leader_epoch < 0 ? -1 : end->end.value();
    }
  }
  reply.send(response);
}

}  // namespace pinflow::kafka_door
