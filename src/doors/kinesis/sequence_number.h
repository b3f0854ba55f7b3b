#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::doors::kinesis {

// Where a record lies in a stream, in the form that Kinesis clients know. Version 2 is the decimal of 47 hexadecimal digits
//   2 | creation of the shard, s: 9 | shard mod 16: 1 | counter: 16 | 00 | arrival, s: 9 | shard: 8 | 2
// The counter is the log offset plus one: the number follows from what the log keeps, is the same whenever the record is read,
// rises within a shard, leads back to its record without an index, and lies above the shard's starting number (counter 0).
struct SequenceNumber {
  std::chrono::sys_seconds created;  // Of the shard.
  std::int32_t shard = 0;
  std::int64_t counter = 0;
  std::chrono::sys_seconds arrived;
  int version = 2;  // 0 and 1 are AWS's older ones: parsed, never made. They have no counter that we could follow.
  friend bool operator==(const SequenceNumber&, const SequenceNumber&) = default;
};

// What EndingSequenceNumber says where AWS says that no record comes behind it.
inline constexpr std::int64_t kClosedCounter = INT64_MAX;

// The text of a version 2 number; always 56 digits.
class SequenceText final {
 public:
  explicit SequenceText(const SequenceNumber& number);
  std::string_view view() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, 56> digits_;
};

// Empty: not a number of any version that AWS made (an unknown version, a creation past the year 2477, a counter or shard with
// its top bit set).
std::optional<SequenceNumber> parse_sequence_number(std::string_view text);

}  // namespace pinflow::doors::kinesis
