#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow {

// Accepts a topic, stream or table name: 1 to 249 of [A-Za-z0-9._-], not "." or ".." (Kafka's rule, which
// also keeps every name a safe file name). kInvalid names the rule. `what` is the word for the message:
// "topic".
Result<void> check_name(std::string_view what, std::string_view name);

// The candidate nearest to `word` for a "did you mean", if one is near enough to help.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace pinflow
