#include "live/trending.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pinflow::live {

Trend trend_of(std::uint64_t posts, double day, WallTime first, WallTime now) {
  constexpr double kDayMinutes = 24 * 60;
  const double age = std::max(static_cast<double>((now - first).count()) / 60'000, 1.0 / 60);
  const double begun = static_cast<double>(now.time_since_epoch().count() % 60'000) / 60'000;
  const double span = std::min(age, kTrendMinutes - 1 + begun);
  // A rate of one post a minute since `first` has this decayed number by now.
  const double minutes = kDayMinutes / std::numbers::ln2 * -std::expm1(-std::numbers::ln2 * age / kDayMinutes);
  Trend trend{.posts = posts, .expected = day / minutes * span};
  const auto count = static_cast<double>(posts);
  trend.z = (count - trend.expected) / std::sqrt(trend.expected + 1);
  trend.lift = (count + kTrendSmoothing) / (trend.expected + kTrendSmoothing);
  trend.trending = trend.z > kTrendLeastZ && posts >= kTrendLeastPosts;
  return trend;
}

}  // namespace pinflow::live
