#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/result.h"

namespace pinflow::kafka_wire {

// Takes the protocol's primitives from a received message. The first failure sticks: from then on every read gives zero or
// nothing and left() is 0, so loops end by themselves and error() tells what was wrong where. Views point into the bytes given.
class Reader {
 public:
  Reader(std::string_view bytes, std::int16_t version, bool flexible)
      : bytes_(bytes),
        end_(bytes.size()),
        memory_left_(kFreeMemory + kMemoryPerByte * bytes.size()),
        version_(version),
        flexible_(flexible) {}

  std::int16_t version() const { return version_; }
  bool flexible() const { return flexible_; }
  std::size_t left() const { return end_ - position_; }
  std::size_t position() const { return position_; }
  bool failed() const { return reason_ != nullptr; }
  void at_field(const char* name) { field_ = name; }

  // A big-endian integer.
  template <class Int>
  Int integer() {
    if (left() < sizeof(Int)) [[unlikely]] {
      fail("wants more bytes than are left", sizeof(Int));
      return 0;
    }
    Int value;
    std::memcpy(&value, bytes_.data() + position_, sizeof value);
    position_ += sizeof value;
    if constexpr (sizeof(Int) > 1 && std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
  }

  // An unsigned varint of at most 32 bits in at most five bytes.
  std::uint32_t varint();

  // The next `size` bytes.
  std::string_view take(std::size_t size) {
    if (size > left()) [[unlikely]] {
      fail("wants more bytes than are left", static_cast<std::int64_t>(size));
      return {};
    }
    const std::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }

  // Lengths of text, of opaque bytes and of arrays; -1 is null. A negative or too large one fails and gives 0.
  std::int64_t text_length();
  std::int64_t bytes_length() { return checked_length(flexible_ ? compact_length() : integer<std::int32_t>(), left()); }
  // An array's count: `min_size` is the least that one element takes on the wire, `memory` what it takes here.
  std::int64_t count(std::size_t min_size, std::size_t memory);

  // Narrows reading to the next `size` bytes; leave() goes on behind them, whatever was read. They nest.
  std::size_t enter(std::size_t size);
  void leave(std::size_t outer_end);

  // Remembers the first failure, with the field read last.
  void fail(const char* reason, std::int64_t value);
  // What failed, after `what`: "Fetch v12 request".
  Error error(std::string_view what) const;

 private:
  // A message may make us reserve this much memory for array elements: far more than any real one needs, and bounded by
  // what the peer really sent, whatever it claims.
  static constexpr std::size_t kFreeMemory = 64 << 10;
  static constexpr std::size_t kMemoryPerByte = 24;

  std::int64_t compact_length() { return static_cast<std::int64_t>(varint()) - 1; }
  std::int64_t checked_length(std::int64_t length, std::size_t limit);

  std::string_view bytes_;
  std::size_t position_ = 0;
  std::size_t end_;
  std::size_t memory_left_;
  std::int16_t version_;
  bool flexible_;
  const char* field_ = "";
  const char* reason_ = nullptr;
  const char* failed_field_ = "";
  std::int64_t value_ = 0;
  std::size_t failed_at_ = 0;
  std::size_t left_then_ = 0;
};

}  // namespace pinflow::kafka_wire
