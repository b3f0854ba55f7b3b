#include "live/decayed_sum.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "live/state_bytes.h"

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const WallTime kStart{milliseconds(1'700'000'123'456)};
constexpr std::array<double, kHalfLives> kHours = {1, 6, 24};

std::vector<WallTime> times_over(hours span, int count, std::uint64_t seed) {
  Random random(seed);
  std::vector<WallTime> times;
  const auto ms = static_cast<std::uint64_t>(milliseconds(span).count());
  for (int i = 0; i < count; ++i) times.push_back(kStart - milliseconds(static_cast<std::int64_t>(random.below(ms))));
  return times;
}

DecayedSums sums_of(const std::vector<WallTime>& times) {
  DecayedSums sums;
  for (const WallTime time : times) sums.add(DecayWeight(time));
  return sums;
}

double plainly(const std::vector<WallTime>& times, double half_life, WallTime now) {
  double sum = 0;
  for (const WallTime time : times) {
    sum += std::exp2(-static_cast<double>((now - time).count()) / 3'600'000 / half_life);
  }
  return sum;
}

TEST(DecayedSums, EqualThePlainSumOfDecayedPosts) {
  for (const int days : {1, 10, 100, 1'000}) {
    const auto times = times_over(hours(24 * days), 3'000, 1);
    const DecayedDoubles sums = sums_of(times).doubles();
    for (const hours later : {hours(0), hours(5), hours(100)}) {
      for (std::size_t h = 0; h < kHalfLives; ++h) {
        const double expected = plainly(times, kHours[h], kStart + later);
        EXPECT_NEAR(sums.at(HalfLife(h), DecayMoment(kStart + later)) / expected, 1, 1e-11) << days << " " << h;
      }
    }
  }
}

TEST(DecayedSums, AreTheSameBitsInEveryOrder) {
  auto times = times_over(hours(24 * 365), 2'000, 2);
  const DecayedSums expected = sums_of(times);
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    Random random(seed);
    std::shuffle(times.begin(), times.end(), random);
    EXPECT_EQ(sums_of(times), expected);
  }
  std::ranges::sort(times);
  EXPECT_EQ(sums_of(times), expected);
  std::ranges::reverse(times);
  EXPECT_EQ(sums_of(times), expected);
}

TEST(DecayedSums, ComeBackFromTheirBytes) {
  const DecayedSums sums = sums_of(times_over(hours(24 * 50), 500, 3));
  StateWriter out;
  sums.save(out);
  const std::string bytes = std::move(out).take();
  StateReader in(bytes);
  DecayedSums back;
  back.load(in);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(back, sums);
}

TEST(DecayedSums, TakeAnyTime) {
  DecayedSums sums;
  sums.add(DecayWeight(WallTime(milliseconds(INT64_MIN))));
  EXPECT_NEAR(sums.doubles().at(kHour, DecayMoment(WallTime())), 1, 1e-12);
  EXPECT_EQ(sums.doubles().at(kHour, DecayMoment(kStart)), 0);
  sums.add(DecayWeight(WallTime(milliseconds(INT64_MAX))));
  EXPECT_NEAR(sums.doubles().at(kDay, DecayMoment(WallTime(milliseconds(INT64_MAX)))), 1, 1e-12);
}

}  // namespace
}  // namespace pinflow::live
