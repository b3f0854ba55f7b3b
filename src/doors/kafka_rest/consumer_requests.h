#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doors/kafka_rest/media_type.h"
#include "doors/kafka_rest/profile.h"
#include "doors/kafka_rest/refusal.h"
#include "log/log.h"

// The bodies of requests to consumers, as values. Each function checks the whole body; members that it does not know are passed over, as
// clients send settings of their own libraries. Names of topics are held to Kafka's rule.
namespace pinflow::doors::kafka_rest {

enum class OffsetReset { kEarliest, kLatest, kNone };

// POST /consumers/{group}. Values may be JSON's own or strings of them ("false").
struct InstanceSettings {
  std::string name;  // Empty: we choose one.
  EmbeddedFormat format = EmbeddedFormat::kBinary;
  OffsetReset reset = OffsetReset::kLatest;
  bool auto_commit = true;
  std::size_t min_bytes = 1;                      // Of a read; less is given when its time is over.
  std::optional<std::chrono::milliseconds> wait;  // consumer.request.timeout.ms
};
Checked<InstanceSettings> parse_instance(std::string_view body, const Rules& rules);

// POST .../subscription: topics or a pattern.
struct SubscriptionRequest {
  std::optional<std::vector<std::string>> topics;
  std::optional<std::string> pattern;
};
Checked<SubscriptionRequest> parse_subscription(std::string_view body, const Rules& rules);

// POST .../assignments, .../positions/beginning and /end, GET .../offsets: {"partitions":[{"topic","partition"}]}.
Checked<std::vector<log::TopicPartition>> parse_partitions(std::string_view body, const Rules& rules);

struct PartitionTime {
  log::TopicPartition partition;
  WallTime time;
};
// POST .../positions and .../offsets: {"offsets":[...], "timestamps":[...]}.
struct OffsetsRequest {
  std::vector<log::GroupOffset> offsets;
  std::vector<PartitionTime> times;
};
Checked<OffsetsRequest> parse_offsets(std::string_view body, const Rules& rules);

}  // namespace pinflow::doors::kafka_rest
