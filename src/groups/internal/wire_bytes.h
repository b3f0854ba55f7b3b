#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pinflow::groups {

// Takes big-endian values from the front of bytes that may be anything. After the first that is not there all are
// zero or empty and ok() is false.
class ByteReader final {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class Int>
  Int integer() {
    const std::string_view raw = take(sizeof(Int));
    if (!ok_) return 0;
    Int value;
    std::memcpy(&value, raw.data(), sizeof(Int));
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
  }
  std::string_view take(std::size_t size) {
    if (!ok_ || bytes_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  // Behind its length in 32 bits.
  std::string text() { return std::string(take(integer<std::uint32_t>())); }
  // A count of things that take at least `least` bytes each, so that what is reserved is bounded by the bytes.
  std::size_t count(std::size_t least) {
    const std::size_t n = integer<std::uint32_t>();
    if (n > bytes_.size() / least) ok_ = false;
    return ok_ ? n : 0;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

template <class Int>
void append_integer(std::string& out, Int value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  char raw[sizeof(Int)];
  std::memcpy(raw, &value, sizeof(Int));
  out.append(raw, sizeof(Int));
}

inline void append_text(std::string& out, std::string_view text) {
  append_integer<std::uint32_t>(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

}  // namespace pinflow::groups
