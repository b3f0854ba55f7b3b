#pragma once

#include <optional>

#include "doors/kafka_rest/refusal.h"
#include "http/message.h"

namespace pinflow::doors::kafka_rest {

// Refuses a path whose names (topic, group, instance) have control characters: 400, and the message shows them as their
// pictures, U+2400 and on, never raw.
std::optional<Refusal> check_path_names(const http::Request& request);

}  // namespace pinflow::doors::kafka_rest
