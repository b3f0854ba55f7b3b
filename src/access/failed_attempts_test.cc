#include "access/failed_attempts.h"

#include <gtest/gtest.h>

namespace pinflow::access {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(FailedAttempts, SlowDownAfterAFewAndTwiceAsMuchEachTime) {
  ManualClock clock;
  FailedAttempts attempts(clock);
  for (int i = 0; i < FailedAttempts::kFree; ++i) EXPECT_FALSE(attempts.failed("a"));
  EXPECT_FALSE(attempts.wait("a"));
  for (const int pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
    EXPECT_EQ(attempts.failed("a"), seconds(pause));
    EXPECT_EQ(attempts.wait("a"), seconds(pause));
    clock.advance(seconds(pause) - milliseconds(1));
    EXPECT_EQ(attempts.wait("a"), milliseconds(1));
    clock.advance(milliseconds(1));
    EXPECT_FALSE(attempts.wait("a"));
  }
  EXPECT_FALSE(attempts.wait("b"));
}

TEST(FailedAttempts, ForgetOnSuccessAndAfterTime) {
  ManualClock clock;
  FailedAttempts attempts(clock);
  for (int i = 0; i < 10; ++i) attempts.failed("a");
  attempts.succeeded("a");
  EXPECT_FALSE(attempts.wait("a"));
  EXPECT_FALSE(attempts.failed("a"));
  for (int i = 0; i < 10; ++i) attempts.failed("a");
  clock.advance(FailedAttempts::kForget);
  EXPECT_FALSE(attempts.failed("a"));
}

TEST(FailedAttempts, KeepABoundedTableOfThoseWhoFailedLast) {
  ManualClock clock;
  FailedAttempts attempts(clock);
  for (int i = 0; i < 10; ++i) attempts.failed("persistent");
  for (std::size_t i = 0; i < 3 * FailedAttempts::kMaxKeys; ++i) {
    attempts.failed(std::to_string(i));
    if (i % 1000 == 0) attempts.failed("persistent");
  }
  EXPECT_EQ(attempts.size(), FailedAttempts::kMaxKeys);
  EXPECT_TRUE(attempts.wait("persistent"));
}

TEST(FailedAttempts, CountNetworksAsOneParty) {
  EXPECT_EQ(network_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2::9"));
  EXPECT_NE(network_of("2001:db8:1:2::9"), network_of("2001:db8:1:3::9"));
  EXPECT_EQ(network_of("2001:db8::1"), "2001:db8:0:0::/64");
  EXPECT_EQ(network_of("::1"), "0:0:0:0::/64");
}

}  // namespace pinflow::access
