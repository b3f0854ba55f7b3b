#pragma once

#include <string_view>

namespace pinflow::access::internal {

// Whether `name` is what `pattern` says; '*' in it stands for any run of characters.
bool fits(std::string_view pattern, std::string_view name);

}  // namespace pinflow::access::internal
