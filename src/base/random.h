#pragma once

#include <cstdint>
#include <random>

namespace pinflow {

// A small deterministic generator (xoshiro256**, seeded through SplitMix64): the same seed gives the same
// sequence on every machine and standard library. Not for secrets. Not thread-safe; a value type, copy to
// fork a sequence.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit Random(std::uint64_t seed);
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }

  result_type operator()();
  // Uniform in [0, bound); bound must be positive.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  bool chance(double probability) { return unit() < probability; }
  // Standard normal (Box-Muller).
  double normal();

 private:
  std::uint64_t state_[4];
};

// A seed nobody can guess, from the operating system.
std::uint64_t entropy_seed();

}  // namespace pinflow
