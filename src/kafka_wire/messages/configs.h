#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka_wire/api.h"
#include "kafka_wire/codec.h"
#include "kafka_wire/kafka_error.h"

// Settings of topics and brokers: reading and changing them. All text is owned.
namespace pinflow::kafka_wire {

enum class ConfigResourceType : std::int8_t { kUnknown = 0, kTopic = 2, kBroker = 4, kBrokerLogger = 8, kGroup = 32 };

// Where the value of a setting comes from.
enum class ConfigSource : std::int8_t {
  kUnknown = 0,
  kDynamicTopicConfig = 1,
  kDynamicBrokerConfig = 2,
  kDynamicDefaultBrokerConfig = 3,
  kStaticBrokerConfig = 4,
  kDefaultConfig = 5,
};

enum class ConfigType : std::int8_t {
  kUnknown = 0,
  kBoolean = 1,
  kString = 2,
  kInt = 3,
  kShort = 4,
  kLong = 5,
  kDouble = 6,
  kList = 7,
  kClass = 8,
  kPassword = 9,
};

// What IncrementalAlterConfigs does to one setting; the last two are for lists.
enum class ConfigOperation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

struct DescribeConfigsResponse {
  struct Synonym {
    std::string name{};
    std::optional<std::string> value{};
    ConfigSource source = ConfigSource::kUnknown;
    friend bool operator==(const Synonym&, const Synonym&) = default;
  };
  struct Config {
    std::string name{};
    std::optional<std::string> value{};
    bool read_only = false;
    bool is_default = false;                                     // v0 alone.
    ConfigSource config_source = static_cast<ConfigSource>(-1);  // From v1 on.
    bool is_sensitive = false;
    std::vector<Synonym> synonyms{};
    ConfigType config_type = ConfigType::kUnknown;
    std::optional<std::string> documentation{};
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Resource {
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    std::vector<Config> configs{};
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDescribeConfigs;

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> resources{};
  friend bool operator==(const DescribeConfigsResponse&, const DescribeConfigsResponse&) = default;
};

struct DescribeConfigsRequest {
  struct Resource {
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    std::optional<std::vector<std::string>> configuration_keys{};  // Null: all.
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kDescribeConfigs;
  using Response = DescribeConfigsResponse;

  std::vector<Resource> resources{};
  bool include_synonyms = false;
  bool include_documentation = false;
  friend bool operator==(const DescribeConfigsRequest&, const DescribeConfigsRequest&) = default;
};

struct IncrementalAlterConfigsResponse {
  struct Resource {
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kIncrementalAlterConfigs;

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> resources{};
  friend bool operator==(const IncrementalAlterConfigsResponse&, const IncrementalAlterConfigsResponse&) = default;
};

struct IncrementalAlterConfigsRequest {
  struct Config {
    std::string name{};
    ConfigOperation operation = ConfigOperation::kSet;
    std::optional<std::string> value{};
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Resource {
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    std::vector<Config> configs{};
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kIncrementalAlterConfigs;
  using Response = IncrementalAlterConfigsResponse;

  std::vector<Resource> resources{};
  bool validate_only = false;
  friend bool operator==(const IncrementalAlterConfigsRequest&, const IncrementalAlterConfigsRequest&) = default;
};

struct AlterConfigsResponse {
  struct Resource {
    KafkaError error_code = KafkaError::kNone;
    std::optional<std::string> error_message{};
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kAlterConfigs;

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> resources{};
  friend bool operator==(const AlterConfigsResponse&, const AlterConfigsResponse&) = default;
};

struct AlterConfigsRequest {
  struct Config {
    std::string name{};
    std::optional<std::string> value{};
    friend bool operator==(const Config&, const Config&) = default;
  };
  struct Resource {
    ConfigResourceType resource_type = ConfigResourceType::kUnknown;
    std::string resource_name{};
    std::vector<Config> configs{};  // All that shall differ from the default afterwards.
    friend bool operator==(const Resource&, const Resource&) = default;
  };
  static constexpr ApiKey kApi = ApiKey::kAlterConfigs;
  using Response = AlterConfigsResponse;

  std::vector<Resource> resources{};
  bool validate_only = false;
  friend bool operator==(const AlterConfigsRequest&, const AlterConfigsRequest&) = default;
};

}  // namespace pinflow::kafka_wire
