#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sql/engine.h"

namespace pinflow::sql::internal {

// One column's statistics as the engine tells them: names of figures to their texts.
using StatisticsTexts = std::map<std::string, std::string, std::less<>>;

// Gives the texts their types. What is not understood, or not to be trusted, is left out.
ColumnStatistics typed_statistics(const StatisticsTexts& texts, std::string_view type);

// "2026-11-22 10:15:00.5+00" as the engine prints an instant in UTC; nothing for other spellings.
std::optional<Timestamp> parse_timestamp(std::string_view text);

}  // namespace pinflow::sql::internal
