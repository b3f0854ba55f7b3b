#include "doors/kinesis/consumer_name.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace pinflow::doors::kinesis {

namespace {
std::int64_t seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
}  // namespace

std::optional<ConsumerName> parse_consumer_arn(std::string_view arn) {
  constexpr std::string_view kMark = "/consumer/";
  const auto at = arn.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  arn.remove_prefix(at + kMark.size());
  const auto colon = arn.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  ConsumerName out{arn.substr(0, colon)};
  const char* const last = arn.data() + arn.size();
  const auto [end, error] = std::from_chars(arn.data() + colon + 1, last, out.created);
  if (error != std::errc{} || end != last || out.name.empty()) return std::nullopt;
  return out;
}

std::string consumer_arn(std::string_view stream_arn, const Consumer& consumer) {
  return fmt::format("{}/consumer/{}:{}", stream_arn, consumer.name, seconds(consumer.created));
}

const Consumer* find_consumer(const StreamState& state, std::string_view name) {
  const auto found = std::ranges::find(state.consumers, name, &Consumer::name);
  return found == state.consumers.end() ? nullptr : &*found;
}

const Consumer* find_consumer(const StreamState& state, const ConsumerName& name) {
  const Consumer* const consumer = find_consumer(state, name.name);
  return consumer != nullptr && seconds(consumer->created) == name.created ? consumer : nullptr;
}

}  // namespace pinflow::doors::kinesis
