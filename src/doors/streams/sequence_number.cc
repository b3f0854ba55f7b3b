#include "doors/streams/sequence_number.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace pinflow::doors::streams {

namespace {

constexpr std::string_view kCreatedSetting = "pinflow.stream.created";
constexpr std::int64_t kNineDigits = 0xfffffffff;

// Writes a 192-bit number, highest word first, in decimal.
std::string to_decimal(std::array<std::uint64_t, 3> words) {
  constexpr std::uint64_t kStep = 10'000'000'000'000'000'000U;  // 19 digits a division.
  std::string out;
  while (words != std::array<std::uint64_t, 3>{}) {
    unsigned __int128 remainder = 0;
    for (auto& word : words) {
      remainder = remainder << 64 | word;
      word = static_cast<std::uint64_t>(remainder / kStep);
      remainder %= kStep;
    }
    out.insert(0, fmt::format("{:019}", static_cast<std::uint64_t>(remainder)));
  }
  return out.substr(std::min(out.find_first_not_of('0'), out.size()));
}

}  // namespace

std::string sequence_number(std::chrono::sys_seconds created, log::PartitionId shard, std::int64_t counter,
                            std::chrono::sys_seconds arrived) {
  const auto seconds = [](std::chrono::sys_seconds time) {
    return static_cast<std::uint64_t>(std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kNineDigits));
  };
  const auto count = static_cast<std::uint64_t>(counter);
  const auto index = static_cast<std::uint64_t>(static_cast<std::uint32_t>(shard.value()));
  // The 47 digits end at a digit's boundary of the lowest word: 2, shard (8), and 7 of the arrival's 9 digits.
  const std::uint64_t arrival = seconds(arrived);
  const std::uint64_t low = 0x2 | index << 4 | arrival << 36;
  // The middle word: the arrival's upper 2 digits, 00, and 12 of the counter's 16 digits.
  const std::uint64_t middle = arrival >> 28 | count << 16;
  // The high word: the counter's upper 4 digits, the shard's nibble, the creation's 9 digits, and the leading 2.
  const std::uint64_t high = count >> 48 | (index & 0xf) << 16 | seconds(created) << 20 | std::uint64_t{0x2} << 56;
  return to_decimal({high, middle, low});
}

std::string record_sequence_number(const log::Topic& stream, const log::Appended& place, WallTime arrived) {
  return sequence_number(creation_time(stream), place.partition, place.offset.value() + 1,
                         std::chrono::floor<std::chrono::seconds>(arrived));
}

std::string starting_sequence_number(const log::Topic& stream, log::PartitionId shard) {
  const auto created = creation_time(stream);
  return sequence_number(created, shard, 0, created);
}

std::string shard_id(log::PartitionId shard) {
  return fmt::format("shardId-{:012}", shard.value());
}

std::optional<log::PartitionId> parse_shard_id(std::string_view text) {
  text.remove_prefix(text.find('-') + 1);  // Without '-' nothing is removed: npos + 1 is 0.
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return log::PartitionId(number);
}

log::TopicSpec stream_spec(std::string name, std::int32_t shards, WallTime created) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(created).time_since_epoch().count();
  return {std::move(name), shards, {{std::string(kCreatedSetting), std::to_string(seconds)}}};
}

std::chrono::sys_seconds creation_time(const log::Topic& stream) {
  const auto found = std::ranges::find(stream.configs, kCreatedSetting, &std::pair<std::string, std::string>::first);
  std::int64_t seconds = 0;
  if (found != stream.configs.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), seconds);
  }
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

}  // namespace pinflow::doors::streams
