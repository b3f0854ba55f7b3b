#pragma once

#include "kafka_wire/internal/schema.h"
#include "kafka_wire/messages/topics.h"

namespace pinflow::kafka_wire {

template <>
struct Table<CreateTopicsRequest::Assignment> {
  using T = CreateTopicsRequest::Assignment;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(broker_ids));
};
template <>
struct Table<CreateTopicsRequest::Config> {
  using T = CreateTopicsRequest::Config;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(value));
};
template <>
struct Table<CreateTopicsRequest::Topic> {
  using T = CreateTopicsRequest::Topic;
  static constexpr auto fields =
      std::tuple(FIELD(name), FIELD(num_partitions), FIELD(replication_factor), FIELD(assignments), FIELD(configs));
};
template <>
struct Table<CreateTopicsRequest> {
  using T = CreateTopicsRequest;
  static constexpr auto fields = std::tuple(FIELD(topics), FIELD(timeout_ms), FIELD(validate_only, .first = 1));
};
template <>
struct Table<CreateTopicsResponse::Config> {
  using T = CreateTopicsResponse::Config;
  static constexpr auto fields =
      std::tuple(FIELD(name), FIELD(value), FIELD(read_only), FIELD(config_source), FIELD(is_sensitive));
};
template <>
struct Table<CreateTopicsResponse::Topic> {
  using T = CreateTopicsResponse::Topic;
  static constexpr auto fields =
      std::tuple(FIELD(name), FIELD(topic_id, .first = 7), FIELD(error_code), FIELD(error_message, .first = 1),
                 FIELD(topic_config_error_code, .first = 5, .tag = 0), FIELD(num_partitions, .first = 5),
                 FIELD(replication_factor, .first = 5), FIELD(configs, .first = 5));
};
template <>
struct Table<CreateTopicsResponse> {
  using T = CreateTopicsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 2), FIELD(topics));
};

template <>
struct Table<DeleteTopicsRequest::Topic> {
  using T = DeleteTopicsRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(topic_id));
};
template <>
struct Table<DeleteTopicsRequest> {
  using T = DeleteTopicsRequest;
  static constexpr auto fields =
      std::tuple(FIELD(topics, .first = 6), FIELD(topic_names, .last = 5), FIELD(timeout_ms));
};
template <>
struct Table<DeleteTopicsResponse::Topic> {
  using T = DeleteTopicsResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name, .nullable = 6), FIELD(topic_id, .first = 6), FIELD(error_code),
                                            FIELD(error_message, .first = 5));
};
template <>
struct Table<DeleteTopicsResponse> {
  using T = DeleteTopicsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(topics));
};

template <>
struct Table<CreatePartitionsRequest::Assignment> {
  using T = CreatePartitionsRequest::Assignment;
  static constexpr auto fields = std::tuple(FIELD(broker_ids));
};
template <>
struct Table<CreatePartitionsRequest::Topic> {
  using T = CreatePartitionsRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(count), FIELD(assignments));
};
template <>
struct Table<CreatePartitionsRequest> {
  using T = CreatePartitionsRequest;
  static constexpr auto fields = std::tuple(FIELD(topics), FIELD(timeout_ms), FIELD(validate_only));
};
template <>
struct Table<CreatePartitionsResponse::Topic> {
  using T = CreatePartitionsResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(error_code), FIELD(error_message));
};
template <>
struct Table<CreatePartitionsResponse> {
  using T = CreatePartitionsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(topics));
};

template <>
struct Table<DeleteRecordsRequest::Partition> {
  using T = DeleteRecordsRequest::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(offset));
};
template <>
struct Table<DeleteRecordsRequest::Topic> {
  using T = DeleteRecordsRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<DeleteRecordsRequest> {
  using T = DeleteRecordsRequest;
  static constexpr auto fields = std::tuple(FIELD(topics), FIELD(timeout_ms));
};
template <>
struct Table<DeleteRecordsResponse::Partition> {
  using T = DeleteRecordsResponse::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(low_watermark), FIELD(error_code));
};
template <>
struct Table<DeleteRecordsResponse::Topic> {
  using T = DeleteRecordsResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<DeleteRecordsResponse> {
  using T = DeleteRecordsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms), FIELD(topics));
};

}  // namespace pinflow::kafka_wire
