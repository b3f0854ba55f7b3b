#include "log/partitioner.h"

namespace pinflow::log {

std::int32_t murmur2(std::string_view bytes) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(bytes[i])}; };
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    hash = hash * kMultiplier ^ word * kMultiplier;
  }
  const std::size_t rest = bytes.size() - i;
  if (rest >= 3) hash ^= byte(i + 2) << 16;
  if (rest >= 2) hash ^= byte(i + 1) << 8;
  if (rest >= 1) hash = (hash ^ byte(i)) * kMultiplier;
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<std::int32_t>(hash);
}

PartitionId partition_of_key(std::string_view key, std::int32_t partitions) {
  return PartitionId((murmur2(key) & 0x7fffffff) % partitions);
}

}  // namespace pinflow::log
