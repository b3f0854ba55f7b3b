#include "access/allowance.h"

#include <gtest/gtest.h>

#include "access/caller.h"

namespace pinflow::access {

using std::chrono::milliseconds;

TEST(Allowance, LetsInAsManyRequestsASecondAsItSaysAndTellsHowLongToWait) {
  ManualClock clock;
  Allowance allowance({.requests = 4, .bytes = {}, .records = {}}, clock);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(allowance.admit());
  const auto refused = allowance.admit();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->what, "requests");
  EXPECT_EQ(refused->limit, 4U);
  EXPECT_EQ(refused->wait, milliseconds(250));
  clock.advance(milliseconds(249));
  EXPECT_TRUE(allowance.admit());
  clock.advance(milliseconds(1));
  EXPECT_FALSE(allowance.admit());
  EXPECT_TRUE(allowance.admit());
}

TEST(Allowance, RefusedRequestsCostNothing) {
  ManualClock clock;
  Allowance allowance({.requests = 1, .bytes = {}, .records = {}}, clock);
  EXPECT_FALSE(allowance.admit());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(allowance.admit());
  clock.advance(milliseconds(1000));
  EXPECT_FALSE(allowance.admit());
}

TEST(Allowance, WhatWasTakenBeyondTheLimitIsPaidOffBeforeTheNextRequest) {
  ManualClock clock;
  Allowance allowance({.requests = {}, .bytes = 1000, .records = 10}, clock);
  EXPECT_FALSE(allowance.admit());
  allowance.spend_bytes(4999);
  allowance.spend_records(3);
  const auto refused = allowance.admit();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->what, "bytes");
  EXPECT_EQ(refused->wait, milliseconds(4000));
  clock.advance(milliseconds(4000));
  EXPECT_FALSE(allowance.admit());
  allowance.spend_records(20);
  EXPECT_EQ(allowance.admit().value().what, "records");
  EXPECT_EQ(allowance.admit().value().wait, milliseconds(1100));
}

TEST(Allowance, TellsTheLongestOfSeveralWaits) {
  for (const bool bytes_first : {false, true}) {
    ManualClock clock;
    Allowance allowance({.requests = 1, .bytes = 1000, .records = 10}, clock);
    EXPECT_FALSE(allowance.admit());
    allowance.spend_bytes(bytes_first ? 5999 : 1999);
    allowance.spend_records(39);
    const auto refused = allowance.admit();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->what, bytes_first ? "bytes" : "records");
    EXPECT_EQ(refused->wait, milliseconds(bytes_first ? 5000 : 3000));
  }
}

TEST(Allowance, IdleTimeSavesUpNoMoreThanASecond) {
  ManualClock clock;
  Allowance allowance({.requests = 2, .bytes = {}, .records = {}}, clock);
  clock.advance(std::chrono::hours(100));
  EXPECT_FALSE(allowance.admit());
  EXPECT_FALSE(allowance.admit());
  EXPECT_TRUE(allowance.admit());
}

TEST(Allowance, OfNothingASecondIsReadAsTheLeast) {
  ManualClock clock;
  Allowance allowance({.requests = 0, .bytes = {}, .records = {}}, clock);
  EXPECT_FALSE(allowance.admit());
  EXPECT_TRUE(allowance.admit());
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(allowance.admit());
}

TEST(Allowance, WithoutLimitsNothingWaits) {
  ManualClock clock;
  Allowance allowance({}, clock);
  allowance.spend_bytes(~std::uint64_t{0});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(allowance.admit());
}

TEST(Allowance, DoorsSpendRecordsThroughTheCaller) {
  ManualClock clock;
  const auto allowance = std::make_shared<Allowance>(RateLimits{.requests = {}, .bytes = {}, .records = 5}, clock);
  const auto caller = std::make_shared<const Caller>("shop", std::vector<Grant>{}, allowance);
  spend_records(caller, 5);
  EXPECT_TRUE(allowance->admit());
  spend_records(nullptr, 5);
  spend_records(Caller::anyone(), 5);
}

}  // namespace pinflow::access
