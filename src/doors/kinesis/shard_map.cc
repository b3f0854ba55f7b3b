#include "doors/kinesis/shard_map.h"

#include <charconv>

#include <fmt/format.h>

namespace pinflow::doors::kinesis {

namespace {
// floor(2^128 / n) without the 129th bit; n is above 1.
HashKey width(std::int32_t shards) {
  const auto n = static_cast<HashKey>(shards);
  return kLastHashKey / n + (kLastHashKey % n == n - 1 ? 1 : 0);
}
}  // namespace

HashRange even_range(std::int32_t shards, std::int32_t index) {
  if (shards == 1) return {};
  const HashKey first = width(shards) * static_cast<HashKey>(index);
  return {first, index == shards - 1 ? kLastHashKey : first + width(shards) - 1};
}

std::string shard_id(std::int32_t index) {
  return fmt::format("shardId-{:012}", index);
}

std::optional<std::int32_t> parse_shard_id(std::string_view text) {
  text.remove_prefix(text.find('-') + 1);  // Without '-' nothing is removed: npos + 1 is 0.
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || text.starts_with('-'))
    return std::nullopt;
  return number;
}

}  // namespace pinflow::doors::kinesis
