#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "kafka_wire/api.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/kafka_error.h"

// The data path. Topic names and records of Produce and Fetch are views, in both directions: of the receive buffer after
// decode_body, of whatever the caller keeps alive until an encoded frame is sent. Everything else owns its text.
namespace pinflow::kafka_wire {

struct LeaderIdAndEpoch {
  std::int32_t leader_id = -1;
  std::int32_t leader_epoch = -1;
  friend bool operator==(const LeaderIdAndEpoch&, const LeaderIdAndEpoch&) = default;
};

// Where a new leader listens (KIP-951).
struct NodeEndpoint {
  std::int32_t node_id = 0;
  std::string host{};
  std::int32_t port = 0;
  std::optional<std::string> rack{};
  friend bool operator==(const NodeEndpoint&, const NodeEndpoint&) = default;
};

struct ProduceResponse {
  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message{};
    friend bool operator==(const RecordError&, const RecordError&) = default;
  };
  struct Partition {
    std::int32_t index = 0;
    KafkaError error_code = KafkaError::kNone;
    std::int64_t base_offset = 0;
    std::int64_t log_append_time_ms = -1;  // -1 where the record's own time counts.
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors{};
    std::optional<std::string> error_message{};
    LeaderIdAndEpoch current_leader{};
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string_view name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kProduce;

  std::vector<Topic> topics{};
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints{};
  friend bool operator==(const ProduceResponse&, const ProduceResponse&) = default;
};

struct ProduceRequest {
  struct Partition {
    std::int32_t index = 0;
    std::optional<std::string_view> records{};
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string_view name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kProduce;
  using Response = ProduceResponse;

  std::optional<std::string> transactional_id{};
  std::int16_t acks = 0;  // 0 no answer at all, 1 leader, -1 all.
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const ProduceRequest&, const ProduceRequest&) = default;
};

struct InitProducerIdResponse {
  static constexpr ApiKey kApi = ApiKey::kInitProducerId;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;
  friend bool operator==(const InitProducerIdResponse&, const InitProducerIdResponse&) = default;
};

struct InitProducerIdRequest {
  static constexpr ApiKey kApi = ApiKey::kInitProducerId;
  using Response = InitProducerIdResponse;

  std::optional<std::string> transactional_id{};
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  friend bool operator==(const InitProducerIdRequest&, const InitProducerIdRequest&) = default;
};

struct FetchResponse {
  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;
    friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;
  };
  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;
    friend bool operator==(const SnapshotId&, const SnapshotId&) = default;
  };
  struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;
    friend bool operator==(const AbortedTransaction&, const AbortedTransaction&) = default;
  };
  struct Partition {
    std::int32_t partition_index = 0;
    KafkaError error_code = KafkaError::kNone;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch{};
    LeaderIdAndEpoch current_leader{};
    SnapshotId snapshot_id{};
    std::optional<std::vector<AbortedTransaction>> aborted_transactions{};
    std::int32_t preferred_read_replica = -1;
    std::optional<std::string_view> records{};
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string_view topic{};  // To v12.
    Uuid topic_id{};           // From v13 on.
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kFetch;

  std::int32_t throttle_time_ms = 0;
  KafkaError error_code = KafkaError::kNone;
  std::int32_t session_id = 0;  // 0: no session.
  std::vector<Topic> topics{};
  std::vector<NodeEndpoint> node_endpoints{};
  friend bool operator==(const FetchResponse&, const FetchResponse&) = default;
};

struct FetchRequest {
  struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;
    friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
  };
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string_view topic{};  // To v12.
    Uuid topic_id{};           // From v13 on.
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  struct ForgottenTopic {
    std::string_view topic{};
    Uuid topic_id{};
    std::vector<std::int32_t> partitions{};
    friend bool operator==(const ForgottenTopic&, const ForgottenTopic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kFetch;
  using Response = FetchResponse;

  std::optional<std::string> cluster_id{};
  std::int32_t replica_id = -1;  // To v14; -1 for consumers.
  ReplicaState replica_state{};  // From v15 on.
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = INT32_MAX;
  std::int8_t isolation_level = 0;  // 0 read uncommitted, 1 read committed.
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<Topic> topics{};
  std::vector<ForgottenTopic> forgotten_topics{};
  std::string rack_id{};
  friend bool operator==(const FetchRequest&, const FetchRequest&) = default;
};

struct ListOffsetsResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    KafkaError error_code = KafkaError::kNone;
    std::vector<std::int64_t> old_style_offsets{};  // v0 alone.
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kListOffsets;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const ListOffsetsResponse&, const ListOffsetsResponse&) = default;
};

struct ListOffsetsRequest {
  // Special timestamps.
  static constexpr std::int64_t kLatest = -1;
  static constexpr std::int64_t kEarliest = -2;
  static constexpr std::int64_t kMaxTimestamp = -3;   // From v7 on.
  static constexpr std::int64_t kEarliestLocal = -4;  // From v8 on.
  static constexpr std::int64_t kLatestTiered = -5;   // From v9 on.

  struct Partition {
    std::int32_t partition_index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;
    std::int32_t max_num_offsets = 1;  // v0 alone.
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kListOffsets;
  using Response = ListOffsetsResponse;

  std::int32_t replica_id = -1;
  std::int8_t isolation_level = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const ListOffsetsRequest&, const ListOffsetsRequest&) = default;
};

struct OffsetForLeaderEpochResponse {
  struct Partition {
    KafkaError error_code = KafkaError::kNone;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string topic{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetForLeaderEpoch;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetForLeaderEpochResponse&, const OffsetForLeaderEpochResponse&) = default;
};

struct OffsetForLeaderEpochRequest {
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string topic{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kOffsetForLeaderEpoch;
  using Response = OffsetForLeaderEpochResponse;

  std::int32_t replica_id = -2;
  std::vector<Topic> topics{};
  friend bool operator==(const OffsetForLeaderEpochRequest&, const OffsetForLeaderEpochRequest&) = default;
};

}  // namespace pinflow::kafka_wire
