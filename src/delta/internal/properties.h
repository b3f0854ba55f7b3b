#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::delta::internal {

// Table properties ("interval 30 days", "true") as Spark and delta-rs write them; the default where one is not set or not understood.
std::optional<std::chrono::milliseconds> parse_interval(std::string_view text);
std::chrono::milliseconds interval_property(const std::map<std::string, std::string>& configuration,
                                            const std::string& key, std::chrono::milliseconds fallback);
bool flag_property(const std::map<std::string, std::string>& configuration, const std::string& key, bool fallback);

inline constexpr std::chrono::milliseconds kDeletedFileRetention = std::chrono::hours(7 * 24);
inline constexpr std::chrono::milliseconds kLogRetention = std::chrono::hours(30 * 24);

}  // namespace pinflow::delta::internal
