#include "delta/internal/properties.h"

#include <charconv>

namespace pinflow::delta::internal {

std::optional<std::chrono::milliseconds> parse_interval(std::string_view text) {
  if (text.starts_with("interval ")) text.remove_prefix(9);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0 || count > 1'000'000'000) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!unit.starts_with(' ')) return std::nullopt;
  unit.remove_prefix(1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  using namespace std::chrono;
  if (unit == "week") return hours(count * 7 * 24);
  if (unit == "day") return hours(count * 24);
  if (unit == "hour") return hours(count);
  if (unit == "minute") return minutes(count);
  if (unit == "second") return seconds(count);
  if (unit == "millisecond") return milliseconds(count);
  return std::nullopt;
}

std::chrono::milliseconds interval_property(const std::map<std::string, std::string>& configuration,
                                            const std::string& key, std::chrono::milliseconds fallback) {
  const auto found = configuration.find(key);
  return found == configuration.end() ? fallback : parse_interval(found->second).value_or(fallback);
}

bool flag_property(const std::map<std::string, std::string>& configuration, const std::string& key, bool fallback) {
  const auto found = configuration.find(key);
  return found == configuration.end() ? fallback : found->second == "true";
}

}  // namespace pinflow::delta::internal
