#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::live {

// Reads a follower count as profiles show it: `998`, `12,345`, `124k`, `1.5K`, `2M`, with blanks around it.
// Empty where the text is none (the sentinel "User Info Error", empty, negative, past int64): unknown, which
// is not zero. The same rules as sql/clean/pin.sql, so that both lanes and the live metrics agree; a test
// holds the two together.
std::optional<std::int64_t> parse_follower_count(std::string_view text);

// The text that stands where a profile could not be read; it names nobody.
inline constexpr std::string_view kNoProfile = "User Info Error";

}  // namespace pinflow::live
