#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::live {

// The age groups of the questions over the tables (sql/model/posts.sql).
inline constexpr std::array<std::string_view, 4> kAgeGroups = {"18-24", "25-35", "36-50", "50+"};

// The place of an age in kAgeGroups, from 1; 0 where it is unknown or in none.
constexpr std::uint8_t age_group_of(std::optional<std::int64_t> age) {
  if (!age || *age < 18) return 0;
  return *age <= 24 ? 1 : *age <= 35 ? 2 : *age <= 50 ? 3 : 4;
}

constexpr std::string_view age_group_name(std::uint8_t group) {
  return group == 0 ? std::string_view() : kAgeGroups[group - 1u];
}

}  // namespace pinflow::live
