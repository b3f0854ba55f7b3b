#include "access/caller.h"

#include <gtest/gtest.h>

namespace pinflow::access {

TEST(Caller, MayWhatItsGrantsNameForTheTopicsTheyNameAlone) {
  const Caller caller("shop", {{Right::kProduce, "shop.*"}, {Right::kConsume, "*.out"}});
  EXPECT_TRUE(caller.may(Right::kProduce, "shop.orders"));
  EXPECT_FALSE(caller.may(Right::kProduce, "shops"));
  EXPECT_FALSE(caller.may(Right::kConsume, "shop.orders"));
  EXPECT_TRUE(caller.may(Right::kConsume, "shop.out"));
  EXPECT_FALSE(caller.may(Right::kConsume, "shop.out.old"));
  EXPECT_TRUE(caller.may(Right::kProduce));
  EXPECT_FALSE(caller.may(Right::kQuery));
  EXPECT_FALSE(caller.may(Right::kAdmin));
}

TEST(Caller, AdminMayEverything) {
  const Caller caller("root", {{Right::kAdmin, "nothing"}});
  for (const Right right : {Right::kProduce, Right::kConsume, Right::kQuery, Right::kAdmin}) {
    EXPECT_TRUE(caller.may(right, "any"));
  }
  EXPECT_TRUE(Caller::anyone()->may(Right::kAdmin));
}

TEST(Caller, StarsInPatternsStandForAnyRun) {
  const auto fits = [](std::string pattern, std::string_view topic) {
    return Caller("x", {{Right::kConsume, std::move(pattern)}}).may(Right::kConsume, topic);
  };
  EXPECT_TRUE(fits("a*b*c", "abc"));
  EXPECT_TRUE(fits("a*b*c", "a1b2b3c"));
  EXPECT_FALSE(fits("a*b*c", "a1b2b3"));
  EXPECT_TRUE(fits("**", "x"));
  EXPECT_FALSE(fits("x", "xx"));
}

TEST(Caller, WithoutACallerNothingIsForbidden) {
  EXPECT_TRUE(may(nullptr, Right::kAdmin));
  EXPECT_FALSE(may(std::make_shared<Caller>("x", std::vector<Grant>{}), Right::kQuery));
}

}  // namespace pinflow::access
