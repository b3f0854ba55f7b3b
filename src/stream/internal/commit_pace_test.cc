#include "stream/internal/commit_pace.h"

#include <gtest/gtest.h>

namespace pinflow::stream::internal {
namespace {

using namespace std::chrono_literals;

class Pace : public ::testing::Test {
 protected:
  void commit(int times, std::uint64_t records, SteadyTime::duration took = 10ms) {
    for (int i = 0; i < times; ++i) pace_.committed(records, took);
  }
  CommitPace pace_{{.least = 200ms, .most = 600ms, .freshness = 1s}};
};

TEST_F(Pace, StaysAtTheLeastWhileQuiet) {
  commit(50, 3);
  EXPECT_EQ(pace_.interval(), 200ms);
}

TEST_F(Pace, GrowsToTheMostWhileBusyAndComesBack) {
  commit(1, 1'000);
  EXPECT_EQ(pace_.interval(), 300ms);
  commit(9, 1'000);
  EXPECT_EQ(pace_.interval(), 600ms);
  commit(9, 3);
  EXPECT_EQ(pace_.interval(), 200ms);
}

TEST_F(Pace, KeepsWhereItIsInBetween) {
  commit(1, 1'000);
  commit(20, 40);
  EXPECT_EQ(pace_.interval(), 300ms);
}

TEST_F(Pace, LeavesTimeForSlowCommits) {
  commit(10, 1'000, 300ms);
  EXPECT_EQ(pace_.interval(), 400ms);
  commit(1, 1'000, 700ms);
  EXPECT_EQ(pace_.interval(), 200ms);
  commit(40, 1'000, 10ms);  // One slow commit is forgotten.
  EXPECT_EQ(pace_.interval(), 600ms);
}

TEST_F(Pace, TakesALeastAboveTheMost) {
  pace_ = CommitPace({.least = 5s, .most = 600ms, .freshness = 1s});
  commit(10, 1'000, 10ms);
  EXPECT_EQ(pace_.interval(), 5s);
}

}  // namespace
}  // namespace pinflow::stream::internal
