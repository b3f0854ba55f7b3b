#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::live {

// These functions read as sql/clean/pin.sql does (its functions are in sql/prelude/duckdb.sql), so that the
// tables and the live metrics agree; a test holds them together.

// A follower count as profiles show it: `998`, `12,345`, `124k`, `1.5K`, `2M`, `1B`, with blanks around it.
// Empty for all else and for what is not a whole number: unknown, which is not zero.
std::optional<std::int64_t> parse_follower_count(std::string_view text);

// Whether a poster's name names a profile: not empty, not blank (in Unicode's sense too), not the text that
// stands where a profile could not be read ("User Info Error").
bool names_profile(std::string_view poster_name);

// Whether a text holds anything but blanks (in Unicode's sense too); one that does not is null in the tables.
bool holds_text(std::string_view text);

}  // namespace pinflow::live
