#pragma once

#include <string_view>

namespace pinflow::query::internal {

// Whether a statement of a user may call a scalar, aggregate or window function, or use an operator; `name` in small letters. What a
// newer engine adds is not allowed before it stands in the list.
bool is_allowed_function(std::string_view name);

// The same of functions that stand where a table may.
bool is_allowed_table_function(std::string_view name);

}  // namespace pinflow::query::internal
