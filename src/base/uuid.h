#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace pinflow {

// A random (version 4) UUID. A value type.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  static Uuid random(Random& random);
  // Reads the form 8-4-4-4-12 of hexadecimal digits, in any case.
  static Result<Uuid> parse(std::string_view text);
  // Lower case, 8-4-4-4-12.
  std::string to_string() const;
  friend bool operator==(const Uuid&, const Uuid&) = default;
};

}  // namespace pinflow
