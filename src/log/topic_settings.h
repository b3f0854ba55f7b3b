#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pinflow::log {

using TopicConfigs = std::vector<std::pair<std::string, std::string>>;

// Kafka's topic settings (https://kafka.apache.org/documentation/#topicconfigs) as values. -1: without limit.
struct TopicSettings {
  bool delete_old = true;  // cleanup.policy has `delete`.
  bool compact = false;    // cleanup.policy has `compact`.
  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = -1;
  std::int64_t segment_bytes = 0;
  std::int64_t segment_ms = 0;
  std::int64_t max_message_bytes = 0;  // Of one batch as sent.
  bool log_append_time = false;        // message.timestamp.type
  std::int64_t timestamp_before_max_ms = 0;
  std::int64_t timestamp_after_max_ms = 0;
  std::int64_t delete_retention_ms = 0;
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = 0;
  double min_cleanable_dirty_ratio = 0.5;
};

enum class SettingType { kBoolean, kString, kInt, kLong, kDouble, kList };  // As DescribeConfigs tells them.

// A setting that a topic may have.
struct TopicSetting {
  std::string_view name;
  SettingType type;
  std::string default_value;  // With this log's own defaults in place of Kafka's.
  std::string_view documentation;
  bool has_effect;  // False: taken and kept for the sake of clients, but nothing depends on it here.
};

// What topics have that set nothing themselves: the log's options (config section `log`).
struct TopicDefaults {
  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = -1;
  std::int64_t segment_bytes = std::int64_t{256} << 20;
  std::int64_t segment_ms = std::int64_t{7} * 24 * 3600 * 1000;
  std::int64_t max_message_bytes = (std::int64_t{1} << 20) + 12;
};

// All settings in order of name.
std::vector<TopicSetting> topic_setting_list(const TopicDefaults& defaults);

// Settings that begin so are notes of this program's own parts, not Kafka's: clients neither see nor change them.
bool is_own_setting(std::string_view name);

// The name that the default of a topic's setting has as a setting of Kafka's broker; the same name where there is none.
std::string_view broker_setting_name(std::string_view topic_setting);

enum class SettingOperation { kSet, kDelete, kAppend, kSubtract };  // As IncrementalAlterConfigs has them.

struct SettingChange {
  std::string name;
  std::optional<std::string> value;  // None for kDelete.
  SettingOperation operation = SettingOperation::kSet;
};

// The settings after some changes, of which nothing is checked but that they can be made: read_topic_settings says whether the result
// is allowed. kInvalid: a setting that topics do not have, no value, or adding to what is no list. kConflict: one is there twice.
Result<TopicConfigs> changed_settings(TopicConfigs configs, std::span<const SettingChange> changes,
                                      const TopicDefaults& defaults);

// The value that a topic has set itself, or null.
const std::string* find_setting(const TopicConfigs& configs, std::string_view name);

// Reads settings. kInvalid names the setting, its value and what is allowed; an unknown name gives the nearest known one.
Result<TopicSettings> read_topic_settings(const TopicConfigs& configs, const TopicDefaults& defaults);

}  // namespace pinflow::log
