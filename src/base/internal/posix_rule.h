#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pinflow::internal {

// "+05:30": ISO 8601's sign, east of Greenwich, which is not that of the rules below. Empty: not such a text.
std::optional<std::chrono::seconds> parse_offset(std::string_view text);

// Changes of the clock of the years [first, last] by the rule at the end of a TZif file ("CET-1CEST,M3.5.0,M10.5.0/3"), in order: when,
// and the offset from then on. None for a zone without daylight saving. Empty: not such a rule.
std::optional<std::vector<std::pair<std::chrono::sys_seconds, std::chrono::seconds>>> changes_by_rule(
    std::string_view rule, int first, int last);

}  // namespace pinflow::internal
