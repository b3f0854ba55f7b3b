#pragma once

#include "kafka_wire/internal/schema.h"
#include "kafka_wire/messages/produce_fetch.h"

namespace pinflow::kafka_wire {

template <>
struct Table<LeaderIdAndEpoch> {
  using T = LeaderIdAndEpoch;
  static constexpr auto fields = std::tuple(FIELD(leader_id), FIELD(leader_epoch));
};
template <>
struct Table<NodeEndpoint> {
  using T = NodeEndpoint;
  static constexpr auto fields = std::tuple(FIELD(node_id), FIELD(host), FIELD(port), FIELD(rack));
};

template <>
struct Table<ProduceRequest::Partition> {
  using T = ProduceRequest::Partition;
  static constexpr auto fields = std::tuple(FIELD(index), FIELD(records, .wire = Wire::kRecords));
};
template <>
struct Table<ProduceRequest::Topic> {
  using T = ProduceRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<ProduceRequest> {
  using T = ProduceRequest;
  static constexpr auto fields =
      std::tuple(FIELD(transactional_id, .first = 3), FIELD(acks), FIELD(timeout_ms), FIELD(topics));
};
template <>
struct Table<ProduceResponse::RecordError> {
  using T = ProduceResponse::RecordError;
  static constexpr auto fields = std::tuple(FIELD(batch_index), FIELD(batch_index_error_message));
};
template <>
struct Table<ProduceResponse::Partition> {
  using T = ProduceResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(index), FIELD(error_code), FIELD(base_offset), FIELD(log_append_time_ms, .first = 2),
                 FIELD(log_start_offset, .first = 5), FIELD(record_errors, .first = 8),
                 FIELD(error_message, .first = 8), FIELD(current_leader, .first = 10, .tag = 0));
};
template <>
struct Table<ProduceResponse::Topic> {
  using T = ProduceResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<ProduceResponse> {
  using T = ProduceResponse;
  static constexpr auto fields =
      std::tuple(FIELD(topics), FIELD(throttle_time_ms, .first = 1), FIELD(node_endpoints, .first = 10, .tag = 0));
};

template <>
struct Table<InitProducerIdRequest> {
  using T = InitProducerIdRequest;
  static constexpr auto fields = std::tuple(FIELD(transactional_id), FIELD(transaction_timeout_ms),
                                            FIELD(producer_id, .first = 3), FIELD(producer_epoch, .first = 3));
};
template <>
struct Table<InitProducerIdResponse> {
  using T = InitProducerIdResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms), FIELD(error_code), FIELD(producer_id), FIELD(producer_epoch));
};

template <>
struct Table<FetchRequest::ReplicaState> {
  using T = FetchRequest::ReplicaState;
  static constexpr auto fields = std::tuple(FIELD(replica_id), FIELD(replica_epoch));
};
template <>
struct Table<FetchRequest::Partition> {
  using T = FetchRequest::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition), FIELD(current_leader_epoch, .first = 9),
                                            FIELD(fetch_offset), FIELD(last_fetched_epoch, .first = 12),
                                            FIELD(log_start_offset, .first = 5), FIELD(partition_max_bytes));
};
template <>
struct Table<FetchRequest::Topic> {
  using T = FetchRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic, .last = 12), FIELD(topic_id, .first = 13), FIELD(partitions));
};
template <>
struct Table<FetchRequest::ForgottenTopic> {
  using T = FetchRequest::ForgottenTopic;
  static constexpr auto fields = std::tuple(FIELD(topic, .last = 12), FIELD(topic_id, .first = 13), FIELD(partitions));
};
template <>
struct Table<FetchRequest> {
  using T = FetchRequest;
  static constexpr auto fields = std::tuple(
      FIELD(cluster_id, .first = 12, .tag = 0), FIELD(replica_id, .last = 14),
      FIELD(replica_state, .first = 15, .tag = 1), FIELD(max_wait_ms), FIELD(min_bytes), FIELD(max_bytes, .first = 3),
      FIELD(isolation_level, .first = 4), FIELD(session_id, .first = 7), FIELD(session_epoch, .first = 7),
      FIELD(topics), FIELD(forgotten_topics, .first = 7), FIELD(rack_id, .first = 11));
};
template <>
struct Table<FetchResponse::EpochEndOffset> {
  using T = FetchResponse::EpochEndOffset;
  static constexpr auto fields = std::tuple(FIELD(epoch), FIELD(end_offset));
};
template <>
struct Table<FetchResponse::SnapshotId> {
  using T = FetchResponse::SnapshotId;
  static constexpr auto fields = std::tuple(FIELD(end_offset), FIELD(epoch));
};
template <>
struct Table<FetchResponse::AbortedTransaction> {
  using T = FetchResponse::AbortedTransaction;
  static constexpr auto fields = std::tuple(FIELD(producer_id), FIELD(first_offset));
};
template <>
struct Table<FetchResponse::Partition> {
  using T = FetchResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(partition_index), FIELD(error_code), FIELD(high_watermark),
                 FIELD(last_stable_offset, .first = 4), FIELD(log_start_offset, .first = 5),
                 FIELD(diverging_epoch, .first = 12, .tag = 0), FIELD(current_leader, .first = 12, .tag = 1),
                 FIELD(snapshot_id, .first = 12, .tag = 2), FIELD(aborted_transactions, .first = 4),
                 FIELD(preferred_read_replica, .first = 11), FIELD(records, .wire = Wire::kRecords));
};
template <>
struct Table<FetchResponse::Topic> {
  using T = FetchResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic, .last = 12), FIELD(topic_id, .first = 13), FIELD(partitions));
};
template <>
struct Table<FetchResponse> {
  using T = FetchResponse;
  static constexpr auto fields =
      std::tuple(FIELD(throttle_time_ms, .first = 1), FIELD(error_code, .first = 7), FIELD(session_id, .first = 7),
                 FIELD(topics), FIELD(node_endpoints, .first = 16, .tag = 0));
};

template <>
struct Table<ListOffsetsRequest::Partition> {
  using T = ListOffsetsRequest::Partition;
  static constexpr auto fields = std::tuple(FIELD(partition_index), FIELD(current_leader_epoch, .first = 4),
                                            FIELD(timestamp), FIELD(max_num_offsets, .last = 0));
};
template <>
struct Table<ListOffsetsRequest::Topic> {
  using T = ListOffsetsRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<ListOffsetsRequest> {
  using T = ListOffsetsRequest;
  static constexpr auto fields = std::tuple(FIELD(replica_id), FIELD(isolation_level, .first = 2), FIELD(topics));
};
template <>
struct Table<ListOffsetsResponse::Partition> {
  using T = ListOffsetsResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(partition_index), FIELD(error_code), FIELD(old_style_offsets, .last = 0),
                 FIELD(timestamp, .first = 1), FIELD(offset, .first = 1), FIELD(leader_epoch, .first = 4));
};
template <>
struct Table<ListOffsetsResponse::Topic> {
  using T = ListOffsetsResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(name), FIELD(partitions));
};
template <>
struct Table<ListOffsetsResponse> {
  using T = ListOffsetsResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 2), FIELD(topics));
};

template <>
struct Table<OffsetForLeaderEpochRequest::Partition> {
  using T = OffsetForLeaderEpochRequest::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(partition), FIELD(current_leader_epoch, .first = 2), FIELD(leader_epoch));
};
template <>
struct Table<OffsetForLeaderEpochRequest::Topic> {
  using T = OffsetForLeaderEpochRequest::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic), FIELD(partitions));
};
template <>
struct Table<OffsetForLeaderEpochRequest> {
  using T = OffsetForLeaderEpochRequest;
  static constexpr auto fields = std::tuple(FIELD(replica_id, .first = 3), FIELD(topics));
};
template <>
struct Table<OffsetForLeaderEpochResponse::Partition> {
  using T = OffsetForLeaderEpochResponse::Partition;
  static constexpr auto fields =
      std::tuple(FIELD(error_code), FIELD(partition), FIELD(leader_epoch, .first = 1), FIELD(end_offset));
};
template <>
struct Table<OffsetForLeaderEpochResponse::Topic> {
  using T = OffsetForLeaderEpochResponse::Topic;
  static constexpr auto fields = std::tuple(FIELD(topic), FIELD(partitions));
};
template <>
struct Table<OffsetForLeaderEpochResponse> {
  using T = OffsetForLeaderEpochResponse;
  static constexpr auto fields = std::tuple(FIELD(throttle_time_ms, .first = 2), FIELD(topics));
};

}  // namespace pinflow::kafka_wire
