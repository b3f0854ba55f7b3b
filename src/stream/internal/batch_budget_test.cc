#include "stream/internal/batch_budget.h"

#include <gtest/gtest.h>

namespace pinflow::stream::internal {
namespace {

TEST(BatchBudgetTest, GivesEachLaneItsShareWhateverTheOthersHold) {
  BatchBudget budget(ByteCount(600), 3);
  EXPECT_EQ(budget.share(), 100u);
  EXPECT_EQ(budget.common(), 300u);
  const auto greedy = budget.take(1'000, true, true);
  EXPECT_EQ(greedy.bytes(), 400u);
  EXPECT_EQ(budget.common(), 0u);
  for (int lane = 0; lane < 2; ++lane) {
    const auto one = budget.take(1'000, true, true);
    EXPECT_EQ(one.bytes(), 100u);
    EXPECT_TRUE(one.has_own());
    EXPECT_EQ(budget.take(1'000, false, true).bytes(), 0u) << "a second batch finds nothing";
  }
}

TEST(BatchBudgetTest, LeavesTheRestToThoseWhoAreBehind) {
  BatchBudget budget(ByteCount(600), 3);
  const auto quiet = budget.take(1'000, true, false);
  EXPECT_EQ(quiet.bytes(), 100u);
  EXPECT_EQ(budget.common(), 300u);
  EXPECT_EQ(budget.take(30, true, true).bytes(), 30u) << "no more than is asked for";
}

TEST(BatchBudgetTest, TakesBackWhatABatchDoesNotNeedAndAllAtItsEnd) {
  BatchBudget budget(ByteCount(600), 3);
  {
    auto grant = budget.take(250, true, true);
    EXPECT_EQ(budget.common(), 150u);
    grant.reduce(180);
    EXPECT_EQ(grant.bytes(), 180u);
    EXPECT_EQ(budget.common(), 220u);
    grant.reduce(60);
    EXPECT_EQ(budget.common(), 300u);
    EXPECT_TRUE(grant.has_own());
    auto second = budget.take(200, false, true);
    EXPECT_FALSE(second.has_own());
    second = std::move(grant);
    EXPECT_EQ(budget.common(), 300u) << "what it held before is given back";
    EXPECT_EQ(second.bytes(), 100u);
    second = budget.take(200, false, true);
    EXPECT_EQ(budget.common(), 100u);
  }
  EXPECT_EQ(budget.common(), 300u);
}

}  // namespace
}  // namespace pinflow::stream::internal
