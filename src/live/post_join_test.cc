#include "live/post_join.h"

#include <gtest/gtest.h>

namespace pinflow::live {
namespace {

using std::chrono::seconds;

const WallTime kStart{std::chrono::milliseconds(1'700'000'000'000)};

TEST(PostJoin, KnowsAPostUntilItIsDone) {
  PostJoin join(10);
  join.arrived(5, kStart).has_geo = true;
  EXPECT_TRUE(join.arrived(5, kStart + seconds(1)).has_geo);
  EXPECT_EQ(join.arrived(5, kStart + seconds(1)).oldest, kStart);
  EXPECT_EQ(join.pending(), 1u);
  join.done(5);
  EXPECT_EQ(join.pending(), 0u);
  EXPECT_EQ(join.joined(), 1u);
}

TEST(PostJoin, LetsTheEarliestGoPastItsBound) {
  PostJoin join(80);
  for (int i = 0; i < 80; ++i) join.arrived(i, kStart - seconds(i / 2));
  EXPECT_EQ(join.evicted(), 0u);
  join.arrived(1'000, kStart - seconds(500));
  EXPECT_EQ(join.evicted(), 10u);
  EXPECT_EQ(join.pending(), 71u);
  std::vector<std::int64_t> left;
  for (const auto& [ind, post] : join.sorted()) left.push_back(ind);
  EXPECT_EQ(left[69], 69);  // 70 to 79 were the earliest.
  EXPECT_EQ(left[70], 1'000);
}

TEST(PostJoin, OfEqualTimesLetsTheHighestNumbersGo) {
  PostJoin join(8);
  for (int i = 0; i < 8; ++i) join.arrived(i, kStart);
  join.arrived(9, kStart);
  EXPECT_EQ(join.sorted().back().first, 9);
  EXPECT_EQ(join.sorted()[6].first, 6);
}

TEST(PostJoin, NeverHoldsMoreThanItsBound) {
  PostJoin join(100);
  for (int i = 0; i < 5'000; ++i) {
    join.arrived(i, kStart + seconds(i));
    ASSERT_LE(join.pending(), 100u);
  }
  EXPECT_EQ(join.pending() + join.evicted(), 5'000u);
}

}  // namespace
}  // namespace pinflow::live
