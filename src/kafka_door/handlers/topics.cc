#include "kafka_door/handlers/topics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/names.h"
#include "kafka_door/handlers/configs.h"
#include "kafka_door/handlers/offsets.h"

namespace pinflow::kafka_door {

using kafka_wire::CreatePartitionsRequest;
using kafka_wire::CreateTopicsRequest;
using kafka_wire::CreateTopicsResponse;
using kafka_wire::DeleteRecordsRequest;
using kafka_wire::DeleteTopicsRequest;
using kafka_wire::KafkaError;

namespace {
constexpr std::int32_t kMostPartitions =
    10'000;  // Of one topic: a slip of the hand shall not fill the disk with files.

struct Refusal {
  KafkaError error;
  std::string message;
};

bool is_ours(const std::vector<std::int32_t>& brokers) {
  return brokers.size() == 1 && brokers.front() == kBrokerId;
}

Refusal wrong_assignment() {
  return {KafkaError::kInvalidReplicaAssignment,
          fmt::format("partitions must be numbered from 0 and each be assigned to the one broker, {}", kBrokerId)};
}

// What a failed change of topics is to a client.
KafkaError change_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return KafkaError::kInvalidConfig;
    case ErrorCode::kNotFound:
      return KafkaError::kUnknownTopicOrPartition;
    case ErrorCode::kConflict:
      return KafkaError::kTopicAlreadyExists;
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kCancelled:
    case ErrorCode::kCorrupt:
      return KafkaError::kKafkaStorageError;
  }
  return KafkaError::kUnknownServerError;
}

// How many partitions are wanted; reads the assignment, where the client makes it itself.
std::expected<std::int32_t, Refusal> partitions_of(const Context& context, const CreateTopicsRequest::Topic& asked) {
  if (!asked.assignments.empty()) {
    if (asked.num_partitions != -1 || asked.replication_factor != -1) {
      return std::unexpected(Refusal{KafkaError::kInvalidRequest,
                                     "with an assignment, the numbers of partitions and replicas must not be given"});
    }
    std::vector<bool> seen(asked.assignments.size());
    for (const auto& assignment : asked.assignments) {
      const auto index = static_cast<std::size_t>(assignment.partition_index);
      if (assignment.partition_index < 0 || index >= seen.size() || seen[index] || !is_ours(assignment.broker_ids)) {
        return std::unexpected(wrong_assignment());
      }
      seen[index] = true;
    }
    return static_cast<std::int32_t>(asked.assignments.size());
  }
  if (asked.num_partitions == 0 || asked.num_partitions < -1 || asked.num_partitions > kMostPartitions) {
    return std::unexpected(Refusal{KafkaError::kInvalidPartitions, fmt::format("a topic has 1 to {} partitions, not {}",
                                                                               kMostPartitions, asked.num_partitions)});
  }
  if (asked.replication_factor != -1 && asked.replication_factor != 1) {
    return std::unexpected(Refusal{
        KafkaError::kInvalidReplicationFactor,
        fmt::format("there is one broker, so the replication factor can be 1, not {}", asked.replication_factor)});
  }
  return asked.num_partitions == -1 ? context.options.default_partitions : asked.num_partitions;
}

std::expected<log::TopicSpec, Refusal> check_topic(Context& context, const CreateTopicsRequest& request,
                                                   const CreateTopicsRequest::Topic& asked) {
  if (std::ranges::count(request.topics, asked.name, &CreateTopicsRequest::Topic::name) > 1) {
    return std::unexpected(Refusal{KafkaError::kInvalidRequest, "the topic is there twice in one request"});
  }
  if (const auto valid = check_name("topic", asked.name); !valid) {
    return std::unexpected(Refusal{KafkaError::kInvalidTopicException, valid.error().message});
  }
  if (context.log.topic(asked.name)) {
    return std::unexpected(
        Refusal{KafkaError::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", asked.name)});
  }
  const auto partitions = partitions_of(context, asked);
  if (!partitions) return std::unexpected(partitions.error());
  log::TopicSpec spec{asked.name, *partitions, {}};
  for (const auto& config : asked.configs) {
    if (!config.value) {
      return std::unexpected(
          Refusal{KafkaError::kInvalidConfig, fmt::format("the setting {} has no value", config.name)});
    }
    spec.configs.emplace_back(config.name, *config.value);
  }
  if (const auto settings = log::read_topic_settings(spec.configs, context.options.topic_defaults); !settings) {
    return std::unexpected(Refusal{KafkaError::kInvalidConfig, settings.error().message});
  }
  return spec;
}

CreateTopicsResponse::Topic create_one(Context& context, const CreateTopicsRequest& request,
                                       const CreateTopicsRequest::Topic& asked) {
  CreateTopicsResponse::Topic answered;
  answered.name = asked.name;
  const auto spec = check_topic(context, request, asked);
  if (!spec) {
    answered.error_code = spec.error().error;
    answered.error_message = spec.error().message;
    return answered;
  }
  if (!request.validate_only) {
    const auto made = context.log.create_topic(*spec);
    if (!made) {
      answered.error_code = change_error(made.error());
      answered.error_message = made.error().message;
      return answered;
    }
    answered.topic_id = made->id;
    context.logger.info("a topic is made for a Kafka client",
                        {{"topic", asked.name}, {"partitions", spec->partitions}});
  }
  answered.num_partitions = spec->partitions;
  answered.replication_factor = 1;
  auto& configs = answered.configs.emplace();
  for (auto& config : describe_topic_configs(context, spec->configs, {})) {
    configs.push_back({config.name, config.value, config.read_only, config.config_source, config.is_sensitive});
  }
  return answered;
}

kafka_wire::DeleteTopicsResponse::Topic delete_one(Context& context, const DeleteTopicsRequest::Topic& asked) {
  kafka_wire::DeleteTopicsResponse::Topic answered;
  answered.name = asked.name;
  answered.topic_id = asked.topic_id;
  std::optional<log::Topic> topic;
  if (!asked.name) {
    if (auto found = context.log.topic_by_id(asked.topic_id)) topic = std::move(*found);
  } else if (auto found = context.log.topic(*asked.name)) {
    topic = std::move(*found);
  }
  if (!topic) {
    answered.error_code = asked.name ? KafkaError::kUnknownTopicOrPartition : KafkaError::kUnknownTopicId;
    return answered;
  }
  answered.name = topic->name;
  answered.topic_id = topic->id;
  if (const auto gone = context.log.delete_topic(topic->name); !gone) {
    answered.error_code = change_error(gone.error());
    answered.error_message = gone.error().message;
  } else {
    context.logger.info("a topic is deleted for a Kafka client", {{"topic", topic->name}});
  }
  return answered;
}

std::optional<Refusal> grow(Context& context, const CreatePartitionsRequest::Topic& asked, bool validate_only) {
  const auto topic = context.log.topic(asked.name);
  if (!topic) return Refusal{KafkaError::kUnknownTopicOrPartition, "there is no such topic"};
  if (asked.count <= topic->partitions || asked.count > kMostPartitions) {
    return Refusal{KafkaError::kInvalidPartitions,
                   fmt::format("the topic has {} partitions; it can get more, up to {}, but not {}", topic->partitions,
                               kMostPartitions, asked.count)};
  }
  if (asked.assignments) {
    const bool fits =
        std::cmp_equal(asked.assignments->size(), asked.count - topic->partitions) &&
        std::ranges::all_of(*asked.assignments, is_ours, &CreatePartitionsRequest::Assignment::broker_ids);
    if (!fits) return wrong_assignment();
  }
  if (validate_only) return std::nullopt;
  const auto grown = context.log.add_partitions(asked.name, asked.count);
  if (grown) return std::nullopt;
  return Refusal{
      grown.error().code == ErrorCode::kInvalid ? KafkaError::kInvalidPartitions : change_error(grown.error()),
      grown.error().message};
}

kafka_wire::DeleteRecordsResponse::Partition trim(Context& context, const std::string& topic,
                                                  const DeleteRecordsRequest::Partition& asked) {
  kafka_wire::DeleteRecordsResponse::Partition answered;
  answered.partition_index = asked.partition_index;
  answered.low_watermark = -1;
  const log::TopicPartition partition{topic, log::PartitionId(asked.partition_index)};
  const auto range = context.log.offsets(partition);
  if (!range) {
    answered.error_code = read_error(range.error());
    return answered;
  }
  const log::Offset before = asked.offset == -1 ? range->end : log::Offset(asked.offset);
  if (before < log::Offset(0) || before > range->end) {
    answered.error_code = KafkaError::kOffsetOutOfRange;
    return answered;
  }
  if (before <= range->begin) {
    answered.low_watermark = range->begin.value();
    return answered;
  }
  const auto start = context.log.delete_records(partition, before);
  if (start) {
    answered.low_watermark = start->value();
  } else {
    answered.error_code = read_error(start.error());
  }
  return answered;
}
}  // namespace

void create_topics(Context& context, Call /*call*/, CreateTopicsRequest request, Reply reply) {
  run_blocking(context, std::move(reply), [&context, request = std::move(request)](Reply later) {
    CreateTopicsResponse response;
    for (const auto& asked : request.topics) response.topics.push_back(create_one(context, request, asked));
    later.send(response);
  });
}

void delete_topics(Context& context, Call /*call*/, DeleteTopicsRequest request, Reply reply) {
  for (std::string& name : request.topic_names) request.topics.push_back({std::move(name), {}});
  run_blocking(context, std::move(reply), [&context, request = std::move(request)](Reply later) {
    kafka_wire::DeleteTopicsResponse response;
    for (const auto& asked : request.topics) response.topics.push_back(delete_one(context, asked));
    later.send(response);
  });
}

void create_partitions(Context& context, Call /*call*/, CreatePartitionsRequest request, Reply reply) {
  run_blocking(context, std::move(reply), [&context, request = std::move(request)](Reply later) {
    kafka_wire::CreatePartitionsResponse response;
    for (const auto& asked : request.topics) {
      auto& answered = response.topics.emplace_back();
      answered.name = asked.name;
      if (auto refusal = grow(context, asked, request.validate_only)) {
        answered.error_code = refusal->error;
        answered.error_message = std::move(refusal->message);
      }
    }
    later.send(response);
  });
}

void delete_records(Context& context, Call /*call*/, DeleteRecordsRequest request, Reply reply) {
  run_blocking(context, std::move(reply), [&context, request = std::move(request)](Reply later) {
    kafka_wire::DeleteRecordsResponse response;
    for (const auto& topic : request.topics) {
      auto& answered = response.topics.emplace_back();
      answered.name = topic.name;
      for (const auto& asked : topic.partitions) answered.partitions.push_back(trim(context, topic.name, asked));
    }
    later.send(response);
  });
}

}  // namespace pinflow::kafka_door
