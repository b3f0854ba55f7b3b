#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "kafka_wire/api.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/kafka_error.h"
#include "kafka_wire/messages/configs.h"

// Making, growing, trimming and deleting topics. All text is owned.
namespace pinflow::kafka_wire {

struct CreateTopicsResponse {
  struct Config {
    std::string name{};
    std::optional<std::string> value{};
    bool read_only = false;
    ConfigSource config_source = static_cast<ConfigSource>(-1);
    bool is_sensitive = false;
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Topic {
    std::string name{};
    Uuid topic_id{};
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    KafkaError topic_config_error_code = KafkaError::kNone;  // Why `configs` is null.
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const CreateTopicsResponse&, const CreateTopicsResponse&) = default;
};

struct CreateTopicsRequest {
  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids{};
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };
  struct Config {
    std::string name{};
    std::optional<std::string> value{};
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Topic {
    std::string name{};
    std::int32_t num_partitions = 0;      // -1: the broker's default, or as many as `assignments` has.
    std::int16_t replication_factor = 0;  // -1 likewise.
    std::vector<Assignment> assignments{};
    std::vector<Config> configs{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kCreateTopics;
  using Response = CreateTopicsResponse;

  std::vector<Topic> topics{};
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;
  friend bool operator==(const CreateTopicsRequest&, const CreateTopicsRequest&) = default;
};

struct DeleteTopicsResponse {
  struct Topic {
    std::optional<std::string> name{};
    Uuid topic_id{};
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const DeleteTopicsResponse&, const DeleteTopicsResponse&) = default;
};

struct DeleteTopicsRequest {
  struct Topic {
    std::optional<std::string> name{};  // Null when the id says it.
    Uuid topic_id{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDeleteTopics;
  using Response = DeleteTopicsResponse;

  std::vector<Topic> topics{};             // From v6 on.
  std::vector<std::string> topic_names{};  // To v5.
  std::int32_t timeout_ms = 60000;
  friend bool operator==(const DeleteTopicsRequest&, const DeleteTopicsRequest&) = default;
};

struct CreatePartitionsResponse {
  struct Topic {
    std::string name{};
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kCreatePartitions;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const CreatePartitionsResponse&, const CreatePartitionsResponse&) = default;
};

struct CreatePartitionsRequest {
  struct Assignment {
    std::vector<std::int32_t> broker_ids{};
    friend bool operator==(const Assignment&, const Assignment&) = default;
  };
  struct Topic {
    std::string name{};
    std::int32_t count = 0;  // Of all partitions afterwards.
    std::optional<std::vector<Assignment>> assignments{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kCreatePartitions;
  using Response = CreatePartitionsResponse;

  std::vector<Topic> topics{};
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;
  friend bool operator==(const CreatePartitionsRequest&, const CreatePartitionsRequest&) = default;
};

struct DeleteRecordsResponse {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = 0;
    KafkaError error_code = KafkaError::kNone;
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDeleteRecords;

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics{};
  friend bool operator==(const DeleteRecordsResponse&, const DeleteRecordsResponse&) = default;
};

struct DeleteRecordsRequest {
  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t offset = 0;  // The first that stays; -1: none stays.
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  struct Topic {
    std::string name{};
    std::vector<Partition> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDeleteRecords;
  using Response = DeleteRecordsResponse;

  std::vector<Topic> topics{};
  std::int32_t timeout_ms = 60000;
  friend bool operator==(const DeleteRecordsRequest&, const DeleteRecordsRequest&) = default;
};

}  // namespace pinflow::kafka_wire
