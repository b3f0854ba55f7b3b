#pragma once

#include <algorithm>
#include <optional>

#include "log/log.h"

namespace pinflow::kafka_door::internal {

// The topic with this id.
inline std::optional<log::Topic> find_topic(log::Log& log, const Uuid& id) {
  auto topics = log.topics();
  const auto found = std::ranges::find(topics, id, &log::Topic::id);
  if (found == topics.end()) return std::nullopt;
  return std::move(*found);
}

}  // namespace pinflow::kafka_door::internal
