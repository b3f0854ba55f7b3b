#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// What members of a group of protocol type "consumer" say to each other through the broker: opaque to it, read by tools that show
// a group.
namespace pinflow::kafka_wire {

struct ConsumerSubscription {
  std::vector<std::string> topics{};
  std::optional<std::string> user_data{};
  friend bool operator==(const ConsumerSubscription&, const ConsumerSubscription&) = default;
};

struct ConsumerAssignment {
  struct Topic {
    std::string topic{};
    std::vector<std::int32_t> partitions{};
    friend bool operator==(const Topic&, const Topic&) = default;
  };
  std::vector<Topic> assigned_partitions{};
  std::optional<std::string> user_data{};
  friend bool operator==(const ConsumerAssignment&, const ConsumerAssignment&) = default;
};

// Reads a JoinGroup metadata or a SyncGroup assignment: an int16 version, then the fields of version 0; later versions only add
// behind. Empty bytes, as a member has before its first assignment, give an empty value.
Result<ConsumerSubscription> read_subscription(std::string_view bytes);
Result<ConsumerAssignment> read_assignment(std::string_view bytes);
// Writes them in version 0.
std::string write_subscription(const ConsumerSubscription& subscription);
std::string write_assignment(const ConsumerAssignment& assignment);

}  // namespace pinflow::kafka_wire
