#pragma once

#include "base/clock.h"
#include "live/live_query.h"

namespace pinflow::live {

inline constexpr std::uint32_t kTrendMinutes = 15;
inline constexpr double kTrendLeastZ = 3;
inline constexpr std::uint64_t kTrendLeastPosts = 10;
inline constexpr double kTrendSmoothing = 5;  // Posts that are added to both sides of the lift.

// How busy the last 15 minutes are against the day (docs/live-metrics.md, "Trending"). `posts` are those of the last 15 panes of
// a minute at `now`, `day` is the decayed number of posts with a half-life of 24 hours (A_24h). `first` is the time of the first post
// of all: what began an hour ago is measured against that hour.
Trend trend_of(std::uint64_t posts, double day, WallTime first, WallTime now);

}  // namespace pinflow::live
