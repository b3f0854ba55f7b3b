#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/caller.h"
#include "base/result.h"

namespace pinflow::access {

// A grant as people write it: "produce:pinterest.*", "consume:*", "query", "admin". produce and consume name topics, the others none.
// kInvalid says what is wrong and shows the forms.
Result<Grant> parse_grant(std::string_view text);
// Several with commas between them; none of them is an error.
Result<std::vector<Grant>> parse_grants(std::string_view text);
std::string to_string(const Grant& grant);
std::string to_string(const std::vector<Grant>& grants);
std::string_view to_string(Right right);

}  // namespace pinflow::access
