#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace pinflow::log {

// Fixed-width integers in the byte order of Kafka's formats (big endian). The caller has checked the length.
template <class Int>
Int load_big_endian(const char* from) {
  Int value;
  std::memcpy(&value, from, sizeof(Int));
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

template <class Int>
void store_big_endian(char* to, std::type_identity_t<Int> value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof(Int));
}

template <class Int>
void append_big_endian(std::string& out, std::type_identity_t<Int> value) {
  char bytes[sizeof(Int)];
  store_big_endian<Int>(bytes, value);
  out.append(bytes, sizeof(Int));
}

// Takes one from the front of `bytes`. False: they end early.
template <class Int>
bool take_big_endian(std::string_view& bytes, Int& value) {
  if (bytes.size() < sizeof(Int)) return false;
  value = load_big_endian<Int>(bytes.data());
  bytes.remove_prefix(sizeof(Int));
  return true;
}

// Protobuf's variable-length integers with zigzag, which record batches use for all numbers inside records.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

constexpr std::size_t varint_size(std::int64_t value) {
  return (static_cast<std::size_t>(std::bit_width(zigzag(value) | 1)) + 6) / 7;
}

// Writes at `to`, which has room for ten bytes, and returns the end.
inline char* store_varint(char* to, std::int64_t value) {
  std::uint64_t rest = zigzag(value);
  while (rest >= 0x80) {
    *to++ = static_cast<char>(rest | 0x80);
    rest >>= 7;
  }
  *to++ = static_cast<char>(rest);
  return to;
}

// Takes one from the front of `bytes`. False: the bytes end early or the number is longer than 64 bits.
inline bool take_varint(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (i == 9 && byte > 1) return false;
    raw |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      value = unzigzag(raw);
      return true;
    }
  }
  return false;
}

}  // namespace pinflow::log
