#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"
#include "live/decayed_sum.h"

namespace pinflow::live {

// Writes the numbers and texts of a checkpoint (docs/formats/live-checkpoint.md): whole numbers in groups of seven bits,
// the lowest first, so that small ones take a byte. A value type.
class StateWriter {
 public:
  void whole(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  // Zigzag: small numbers of either sign are short.
  void integer(std::int64_t value) {
    whole(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  void wide(Uint128 value) {
    whole(static_cast<std::uint64_t>(value));
    whole(static_cast<std::uint64_t>(value >> 64));
  }
  void text(std::string_view value) {
    whole(value.size());
    bytes_ += value;
  }
  void raw(std::string_view bytes) { bytes_ += bytes; }
  std::size_t size() const { return bytes_.size(); }
  std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what StateWriter wrote. The first thing that does not fit makes it fail for good: it then gives zeros and empty
// texts, so that callers may look at ok() once a section. The bytes must outlive it.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : left_(bytes) {}

  std::uint64_t whole() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) return refuse();
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      // A last byte of nothing is never written: each number has one spelling.
      if (byte < 0x80) return (shift == 63 && byte > 1) || (shift > 0 && byte == 0) ? refuse() : value;
    }
    return refuse();
  }
  std::int64_t integer() {
    const std::uint64_t value = whole();
    return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
  }
  Uint128 wide() {
    const Uint128 low = whole();
    return low | static_cast<Uint128>(whole()) << 64;
  }
  std::string_view text() { return raw(whole()); }
  std::string_view raw(std::uint64_t size) {
    if (size > left_.size()) {
      refuse();
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  // A number of things of at least `least` bytes each that follow: never more than the bytes left can hold.
  std::uint64_t count(std::size_t least = 1) {
    const std::uint64_t value = whole();
    return value > left_.size() / least ? refuse() : value;
  }
  // A whole number below `bound`, which is at least 1.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t value = whole();
    return value >= bound ? refuse() : value;
  }
  std::uint64_t refuse() {
    ok_ = false;
    left_ = {};
    return 0;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace pinflow::live
