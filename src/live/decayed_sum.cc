#include "live/decayed_sum.h"

#include <algorithm>
#include <cmath>

#include "live/state_bytes.h"

namespace pinflow::live {

namespace {

constexpr std::array<std::int64_t, kHalfLives> kHalfLifeMs = {3'600'000, 6 * 3'600'000, 24 * 3'600'000};

std::int64_t milliseconds_of(WallTime time) {
  return std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kLastMs);
}

double fraction(std::int64_t ms, std::size_t h) {
  return static_cast<double>(ms % kHalfLifeMs[h]) / static_cast<double>(kHalfLifeMs[h]);
}

}  // namespace

DecayMoment::DecayMoment(WallTime time) {
  const std::int64_t ms = milliseconds_of(time);
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    epochs[h] = static_cast<std::int32_t>(ms / kHalfLifeMs[h]);
    decays[h] = std::exp2(-fraction(ms, h));
  }
}

DecayWeight::DecayWeight(WallTime time) {
  const std::int64_t ms = milliseconds_of(time);
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    epochs[h] = static_cast<std::int32_t>(ms / kHalfLifeMs[h]);
    weights[h] = static_cast<std::uint64_t>(std::llround(std::exp2(fraction(ms, h) + DecayedSums::kBinaryPlaces)));
  }
}

void DecayedSums::add(const DecayWeight& weight) {
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    const std::int32_t block = weight.epochs[h] / kEpochsPerBlock;
    const Uint128 added = static_cast<Uint128>(weight.weights[h]) << (weight.epochs[h] % kEpochsPerBlock);
    if (block > blocks_[h]) {
      before_[h] = block == blocks_[h] + 1 ? newest_[h] : 0;
      newest_[h] = 0;
      blocks_[h] = block;
    }
    if (block == blocks_[h]) {
      newest_[h] += added;
    } else if (block + 1 == blocks_[h]) {
      before_[h] += added;
    }
  }
}

DecayedDoubles DecayedSums::doubles() const {
  DecayedDoubles result;
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    result.exponents[h] = blocks_[h] * kEpochsPerBlock;
    result.sums[h] = std::ldexp(static_cast<double>(newest_[h]), -kBinaryPlaces) +
                     std::ldexp(static_cast<double>(before_[h]), -kBinaryPlaces - kEpochsPerBlock);
  }
  return result;
}

void DecayedSums::save(StateWriter& out) const {
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    out.whole(static_cast<std::uint64_t>(blocks_[h]));
    out.wide(newest_[h]);
    out.wide(before_[h]);
  }
}

void DecayedSums::load(StateReader& in) {
  // The hours until the end of the year 9999.
  constexpr std::uint64_t kBlocks = kLastMs / 3'600'000 / kEpochsPerBlock + 1;
  for (std::size_t h = 0; h < kHalfLives; ++h) {
    blocks_[h] = static_cast<std::int32_t>(in.below(kBlocks));
    newest_[h] = in.wide();
    before_[h] = in.wide();
  }
}

}  // namespace pinflow::live
