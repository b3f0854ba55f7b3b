#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doors/kafka_rest_v3/answers.h"
#include "log/topic_settings.h"

namespace pinflow::doors::kafka_rest_v3 {

// The bodies of requests that change topics and settings. What is wrong with one: 422 / 42206 (empty, or a member missing that must be
// there), 400 / 400 (no JSON, unknown members, wrong kinds), 400 / 40002 (what a broker of Kafka would not do).

struct CreateTopicBody {
  std::string topic;
  std::optional<std::int32_t> partitions;
  log::TopicConfigs configs;
  bool validate_only = false;
};
std::expected<CreateTopicBody, Refusal> read_create_topic(std::string_view body);

struct AlterConfigsBody {
  std::vector<log::SettingChange> changes;
  bool validate_only = false;
};
std::expected<AlterConfigsBody, Refusal> read_alter_configs(std::string_view body);

// {"value": ...}; null is no value.
std::expected<std::optional<std::string>, Refusal> read_config_value(std::string_view body);

// {"partitions_count": n}
std::expected<std::int32_t, Refusal> read_partitions_count(std::string_view body);

}  // namespace pinflow::doors::kafka_rest_v3
