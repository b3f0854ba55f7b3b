#include "doors/kinesis/sequence_number.h"

#include <algorithm>

namespace pinflow::doors::kinesis {

namespace {

using Words = std::array<std::uint64_t, 3>;  // A 192-bit number, highest word first.

constexpr std::int64_t kNineDigits = 0xfffffffff;
constexpr std::int64_t kLatestCreation = 16'025'175'000;  // AWS takes no number of a shard that was made later.
constexpr std::size_t kMostDigits = 56;

std::uint64_t seconds_of(std::chrono::sys_seconds time) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kNineDigits));
}

// The `count` hexadecimal digits whose lowest stands at digit `lowest` from the right; count is at most 16.
std::uint64_t digits_of(const Words& words, unsigned lowest, unsigned count) {
  const unsigned bit = lowest * 4;
  const unsigned word = 2 - bit / 64;
  const unsigned shift = bit % 64;
  std::uint64_t value = words[word] >> shift;
  if (shift != 0 && word > 0) value |= words[word - 1] << (64 - shift);
  return count == 16 ? value : value & ((std::uint64_t{1} << (count * 4)) - 1);
}

// The text has at most 56 digits, so nothing overflows.
std::optional<Words> from_decimal(std::string_view text) {
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  Words words{};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    auto carry = static_cast<unsigned __int128>(c - '0');
    for (std::size_t i = 3; i-- > 0;) {
      carry += static_cast<unsigned __int128>(words[i]) * 10;
      words[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
  }
  return words;
}

std::chrono::sys_seconds time_of(std::uint64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

// 1 | creation: 9 | two | random: 16 | shard: 4
std::optional<SequenceNumber> read_version_0(const Words& words) {
  SequenceNumber number;
  number.version = 0;
  number.created = time_of(digits_of(words, 22, 9));
  number.shard = static_cast<std::int32_t>(digits_of(words, 0, 4));
  if (number.created.time_since_epoch().count() >= kLatestCreation) return std::nullopt;
  return number;
}

// 2 | creation: 9 | shard: 1 | two | arrival: 9 | random: 14 | index: 2 | shard: 8 | 1
std::optional<SequenceNumber> read_version_1(const Words& words) {
  SequenceNumber number;
  number.version = 1;
  number.created = time_of(digits_of(words, 37, 9));
  number.arrived = time_of(digits_of(words, 25, 9));
  number.shard = static_cast<std::int32_t>(digits_of(words, 1, 8) & 0x7fffffff);
  return number;
}

std::optional<SequenceNumber> read_version_2(const Words& words) {
  SequenceNumber number;
  number.created = time_of(digits_of(words, 37, 9));
  number.arrived = time_of(digits_of(words, 9, 9));
  const std::uint64_t counter = digits_of(words, 20, 16);
  const std::uint64_t shard = digits_of(words, 1, 8);
  if (counter >> 63 != 0 || shard > 0x7fffffff || number.created.time_since_epoch().count() >= kLatestCreation)
    return std::nullopt;
  number.counter = static_cast<std::int64_t>(counter);
  number.shard = static_cast<std::int32_t>(shard);
  return number;
}

}  // namespace

SequenceText::SequenceText(const SequenceNumber& number) {
  const auto count = static_cast<std::uint64_t>(number.counter);
  const auto index = static_cast<std::uint64_t>(static_cast<std::uint32_t>(number.shard));
  const std::uint64_t arrival = seconds_of(number.arrived);
  // The low word: 2, shard (8 digits), and 7 of the arrival's 9. The middle: the arrival's upper 2 digits, 00, and 12 of the
  // counter's 16. The high: the counter's upper 4 digits, the shard's nibble, the creation's 9 digits, and the leading 2.
  Words words{count >> 48 | (index & 0xf) << 16 | seconds_of(number.created) << 20 | std::uint64_t{0x2} << 56,
              arrival >> 28 | count << 16, 0x2 | index << 4 | arrival << 36};
  constexpr std::uint64_t kStep = 10'000'000'000'000'000'000U;  // 19 digits a division.
  std::size_t at = digits_.size();
  while (at > 0) {
    unsigned __int128 remainder = 0;
    for (auto& word : words) {
      remainder = remainder << 64 | word;
      word = static_cast<std::uint64_t>(remainder / kStep);
      remainder %= kStep;
    }
    auto part = static_cast<std::uint64_t>(remainder);
    for (int i = 0; i < 19 && at > 0; ++i, part /= 10) digits_[--at] = static_cast<char>('0' + part % 10);
  }
}

std::optional<SequenceNumber> parse_sequence_number(std::string_view text) {
  auto words = from_decimal(text);
  if (!words) return std::nullopt;
  constexpr std::uint64_t kBit124 = std::uint64_t{1} << 60;  // Of the middle word.
  auto& [high, middle, low] = *words;
  if (high == 0 && middle < kBit124) middle += kBit124;
  if (high == 0) return middle < 2 * kBit124 ? read_version_0(*words) : std::nullopt;
  // 2^185 to 1.5 * 2^185, both excluded.
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 57;
  const bool above = high > kLeast || (high == kLeast && (middle != 0 || low != 0));
  if (!above || high >= kLeast + kLeast / 2) return std::nullopt;
  switch (low & 0xf) {
    case 1:
      return read_version_1(*words);
    case 2:
      return read_version_2(*words);
    default:
      return std::nullopt;
  }
}

}  // namespace pinflow::doors::kinesis
