#include "live/seen_posts.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace pinflow::live {
namespace {

TEST(SeenPosts, KnowsEachIdAfterItsFirstTime) {
  SeenPosts seen(1000);
  for (const std::int64_t id : {0L, 1L, 511L, 512L, -1L, -512L, -513L, INT64_MAX, INT64_MIN}) {
    EXPECT_TRUE(seen.insert(id)) << id;
    EXPECT_FALSE(seen.insert(id)) << id;
  }
}

TEST(SeenPosts, HoldsDenseIdsInFewPages) {
  SeenPosts seen(1000);
  for (std::int64_t id = 0; id < 100'000; ++id) ASSERT_TRUE(seen.insert(id));
  EXPECT_EQ(seen.pages(), 196u);
}

TEST(SeenPosts, StaysWithinItsBoundAndKeepsThePagesTouchedLast) {
  SeenPosts seen(100);
  for (std::int64_t page = 0; page < 1'000; ++page) {
    ASSERT_TRUE(seen.insert(page * 512));
    ASSERT_LE(seen.pages(), 100u);
    // The fifty pages touched last are always known.
    for (std::int64_t back = 0; back < std::min<std::int64_t>(50, page + 1); back += 7) {
      ASSERT_FALSE(SeenPosts(seen).insert((page - back) * 512)) << page << " " << back;
    }
  }
  EXPECT_GE(seen.forgotten_pages(), 900u);
  EXPECT_TRUE(seen.insert(0));
}

TEST(SeenPosts, KeepsAPageThatIsTouchedAgainAndAgain) {
  SeenPosts seen(100);
  seen.insert(7);
  for (std::int64_t page = 1; page < 10'000; ++page) {
    seen.insert(page * 512);
    if (page % 40 == 0) {
      ASSERT_FALSE(seen.insert(7)) << page;
    }
  }
}

}  // namespace
}  // namespace pinflow::live
