#pragma once

#include <string_view>

#include "base/result.h"

namespace pinflow::objects::internal {

// Accepts one part of an object name: 1 to 255 bytes without control characters, not beginning with '.'.
bool is_part(std::string_view part);

// Accepts an object name: parts joined by '/', at most 1024 bytes (S3's limit). kInvalid names the rule.
Result<void> check_object_name(std::string_view name);

// Accepts what can be the beginning of an object name, also the empty text and one that ends in '/'.
Result<void> check_prefix(std::string_view prefix);

}  // namespace pinflow::objects::internal
