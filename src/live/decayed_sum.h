#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/clock.h"

namespace pinflow::live {

class StateReader;
class StateWriter;

__extension__ using Uint128 = unsigned __int128;

enum HalfLife : std::size_t { kHour, kSixHours, kDay };
inline constexpr std::size_t kHalfLives = 3;

inline constexpr std::int64_t kLastMs = 253'402'300'799'999;  // End of the year 9999.

// A moment in half-lives since 1970, for each half-life: whole ones, and what 2^-(the fraction begun) is.
struct DecayMoment {
  explicit DecayMoment(WallTime time);
  std::array<std::int32_t, kHalfLives> epochs;
  std::array<double, kHalfLives> decays;
};

// What one post at a time weighs: 2^(time / H) = weight * 2^-40 * 2^epoch. The weight is rounded once, to 40 binary places
// (within 4.6e-13 of it), and is a whole number from then on.
struct DecayWeight {
  explicit DecayWeight(WallTime time);
  std::array<std::int32_t, kHalfLives> epochs;
  std::array<std::uint64_t, kHalfLives> weights;
};

// Sums of DecayedSums as doubles, for evaluating many quickly. A value type.
struct DecayedDoubles {
  std::array<double, kHalfLives> sums{};             // Times 2^exponent: ...
  std::array<std::int32_t, kHalfLives> exponents{};  // ... the first epoch of the newest block.
  // The number of posts of which each counts 2^(-age / H), at a moment not before the newest of them.
  double at(HalfLife h, const DecayMoment& moment) const {
    const std::int32_t exponent = exponents[h] - moment.epochs[h];
    if (exponent < -1022) return 0;
    return sums[h] * std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52) * moment.decays[h];
  }
};

// Numbers of posts that decay, by forward decay in whole numbers: for each half-life the sum of 2^(t / H) over the posts.
// Sums of whole numbers do not depend on the order in which they are added, so neither does the state, bit for bit. The
// epochs (half-lives since 1970) lie in blocks of 48; a block is a 128-bit sum, which holds 10^12 posts. The newest block and
// the one before are kept. What is older weighs at most 2^-48 of the newest post and is dropped, whether it comes before
// that or after. A value type.
class DecayedSums {
 public:
  static constexpr std::int32_t kEpochsPerBlock = 48;
  static constexpr int kBinaryPlaces = 40;

  void add(const DecayWeight& weight);
  DecayedDoubles doubles() const;

  void save(StateWriter& out) const;
  void load(StateReader& in);

  friend bool operator==(const DecayedSums&, const DecayedSums&) = default;

 private:
  std::array<Uint128, kHalfLives> newest_{};
  std::array<Uint128, kHalfLives> before_{};
  std::array<std::int32_t, kHalfLives> blocks_{};  // The number of the newest block.
};

}  // namespace pinflow::live
