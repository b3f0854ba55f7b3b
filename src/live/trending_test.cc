#include "live/trending.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kMinuteBegins{std::chrono::milliseconds(1'700'000'100'000)};
// At a moment when the present minute is about to end, the window is fifteen minutes long.
const WallTime kNow = kMinuteBegins + std::chrono::milliseconds(59'999);

// A_24h of a steady rate since `age` ago.
double day_of(double posts_per_minute, double age_minutes) {
  return posts_per_minute * 1440 / std::numbers::ln2 * (1 - std::exp2(-age_minutes / 1440));
}

TEST(Trend, OfASteadyRateIsNone) {
  for (const minutes age : {minutes(20), minutes(90), minutes(24 * 60), minutes(100 * 24 * 60)}) {
    const Trend trend = trend_of(60, day_of(4, static_cast<double>(age.count())), kNow - age, kNow);
    EXPECT_NEAR(trend.expected, 60, 0.01) << age.count();
    EXPECT_NEAR(trend.z, 0, 0.01);
    EXPECT_NEAR(trend.lift, 1, 0.01);
    EXPECT_FALSE(trend.trending);
  }
}

TEST(Trend, NothingTrendsInTheFirstMinutes) {
  const Trend trend = trend_of(500, 500, kNow - minutes(3), kNow);
  EXPECT_NEAR(trend.expected, 500, 2);
  EXPECT_FALSE(trend.trending);
  EXPECT_FALSE(trend_of(500, 500, kNow, kNow).trending);
}

TEST(Trend, NeedsBothTheDeviationAndTheCount) {
  const double quiet = day_of(0.1, 10'000);  // Expects 1.5 posts.
  EXPECT_FALSE(trend_of(9, quiet, kNow - minutes(10'000), kNow).trending);
  EXPECT_GT(trend_of(9, quiet, kNow - minutes(10'000), kNow).z, 3);
  const Trend risen = trend_of(10, quiet, kNow - minutes(10'000), kNow);
  EXPECT_TRUE(risen.trending);
  EXPECT_NEAR(risen.z, (10 - risen.expected) / std::sqrt(risen.expected + 1), 1e-12);
  EXPECT_NEAR(risen.lift, 15 / (risen.expected + 5), 1e-12);
  const double busy = day_of(100, 10'000);  // Expects 1,500.
  EXPECT_FALSE(trend_of(1'600, busy, kNow - minutes(10'000), kNow).trending);
  EXPECT_TRUE(trend_of(1'640, busy, kNow - minutes(10'000), kNow).trending);
}

}  // namespace
}  // namespace pinflow::live
