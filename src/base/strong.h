#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace pinflow {

// An integer with a meaning: two ids of different kinds do not mix, and arithmetic is only what ordinals
// allow (position + distance, position - position). A value type.
template <class Tag, class Rep = std::int64_t>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }

  constexpr Strong operator+(Rep distance) const { return Strong(static_cast<Rep>(value_ + distance)); }
  constexpr Rep operator-(Strong other) const { return static_cast<Rep>(value_ - other.value_); }
  constexpr Strong& operator++() {
    ++value_;
    return *this;
  }
  friend constexpr auto operator<=>(Strong, Strong) = default;

 private:
  Rep value_ = 0;
};

// A number of bytes; the literals of this header write one: 10_MiB.
class ByteCount {
 public:
  constexpr ByteCount() = default;
  constexpr explicit ByteCount(std::uint64_t bytes) : bytes_(bytes) {}
  constexpr std::uint64_t count() const { return bytes_; }
  friend constexpr auto operator<=>(ByteCount, ByteCount) = default;

 private:
  std::uint64_t bytes_ = 0;
};

namespace literals {
constexpr ByteCount operator""_B(unsigned long long n) {
  return ByteCount(n);
}
constexpr ByteCount operator""_KiB(unsigned long long n) {
  return ByteCount(n << 10);
}
constexpr ByteCount operator""_MiB(unsigned long long n) {
  return ByteCount(n << 20);
}
constexpr ByteCount operator""_GiB(unsigned long long n) {
  return ByteCount(n << 30);
}
}  // namespace literals

}  // namespace pinflow

template <class Tag, class Rep>
struct std::hash<pinflow::Strong<Tag, Rep>> {
  std::size_t operator()(pinflow::Strong<Tag, Rep> id) const noexcept { return std::hash<Rep>()(id.value()); }
};
template <class Tag, class Rep>
struct fmt::formatter<pinflow::Strong<Tag, Rep>> : fmt::formatter<Rep> {
  auto format(pinflow::Strong<Tag, Rep> id, fmt::format_context& context) const {
    return fmt::formatter<Rep>::format(id.value(), context);
  }
};
