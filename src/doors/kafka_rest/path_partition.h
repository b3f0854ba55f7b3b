#pragma once

#include <cstdint>
#include <optional>

#include "doors/kafka_rest/refusal.h"
#include "http/message.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

// The partition in the path; empty if it is no number, which no route of the API takes.
std::optional<std::int32_t> path_partition(const http::Request& request);

Refusal no_such_partition(const log::Topic& topic, std::int32_t partition);

}  // namespace pinflow::doors::kafka_rest
