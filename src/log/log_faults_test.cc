#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/log_model_fixture.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class LogFaults : public LogFixture {};

TEST_F(LogFaults, FencesAfterAFailedSync) {
  reopen();
  create("a");
  create("b");
  EXPECT_EQ(write("a", "good"), 0);
  disk_.fail_sync(segments("a").back());
  EXPECT_EQ(write("a", "lost"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnknownOutcome);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(write("a", "later"), -1);
    EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
    EXPECT_THAT(last_error_.message, HasSubstr("a-0"));
  }
  EXPECT_THAT(values("a"), ElementsAre("good"));
  EXPECT_EQ(write("b", "goes on"), 0);
  Random random(1);
  crash(random);
  reopen();
  const auto left = values("a");
  ASSERT_GE(left.size(), 1u);
  EXPECT_EQ(left[0], "good");
  EXPECT_EQ(write("a", "after"), std::ssize(left));
}

TEST_F(LogFaults, LosesOnlyTheEndOfTheLastSegmentAtTheWeakerLevel) {
  options_.durability = Durability::kOs;
  options_.topic_defaults.segment_bytes = 500;
  Random random(1);
  for (int round = 0; round < 30; ++round) {
    reopen();
    create("a");
    for (int i = 0; i < 20; ++i) ASSERT_EQ(write("a", std::to_string(i)), i);
    const std::string last = segments("a").back().stem();
    crash(random);
    reopen();
    EXPECT_THAT(log_->recovery().damage, testing::IsEmpty());
    const auto left = values("a");
    EXPECT_GE(std::ssize(left), std::stoll(last));
    for (std::size_t i = 0; i < left.size(); ++i) EXPECT_EQ(left[i], std::to_string(i));
    ASSERT_TRUE(log_->delete_topic("a"));
  }
}

TEST_F(LogFaults, RefusesWhileTheDiskIsFullAndGoesOnWhenSpaceReturns) {
  reopen();
  create("a");
  EXPECT_EQ(write("a", "good"), 0);
  disk_.set_capacity(ByteCount(size_of(segments("a").back()) + 1'000));
  EXPECT_EQ(write("a", std::string(5'000, 'x')), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
  EXPECT_THAT(values("a"), ElementsAre("good"));
  disk_.set_capacity(std::nullopt);
  EXPECT_EQ(write("a", "again"), 1);
  reopen();
  EXPECT_THAT(values("a"), ElementsAre("good", "again"));
}

TEST_F(LogFaults, KeepsTheReserveFree) {
  options_.reserved_space = ByteCount(1'000'000);
  disk_.set_capacity(ByteCount(3'000'000));
  reopen();
  create("a");
  int stored = 0;
  while (write("a", std::string(100'000, 'x')) >= 0) {
    ++stored;
    clock_.advance(2s);  // It looks once a second.
    ASSERT_LT(stored, 30);
  }
  EXPECT_GE(stored, 15);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
  EXPECT_THAT(last_error_.message, HasSubstr("/log is nearly full"));
  EXPECT_GE(disk_.free_space("/log")->count(), 1'000'000u);
  EXPECT_EQ(std::ssize(values("a")), stored);
  disk_.set_capacity(ByteCount(30'000'000));
  EXPECT_EQ(write("a", "again"), stored);
  reopen();
  EXPECT_EQ(std::ssize(values("a")), stored + 1);
}

TEST_F(LogFaults, TakesBackAnAppendThatFailed) {
  reopen();
  create("a");
  EXPECT_EQ(write("a", "good"), 0);
  disk_.fail_nth(disk::Operation::kAppend, 1, ErrorCode::kCorrupt);
  EXPECT_EQ(write("a", "refused"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
  EXPECT_EQ(write("a", "fenced"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
  reopen();
  EXPECT_THAT(values("a"), ElementsAre("good"));
  EXPECT_EQ(write("a", "new"), 1);
}

TEST_F(LogFaults, SaysUnknownWhenAnAppendCannotBeTakenBack) {
  reopen();
  create("a");
  EXPECT_EQ(write("a", "good"), 0);
  disk_.fail_nth(disk::Operation::kAppend, 1, ErrorCode::kUnavailable);
  disk_.fail_nth(disk::Operation::kTruncate, 1, ErrorCode::kCorrupt);
  EXPECT_EQ(write("a", "who knows"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnknownOutcome);
  EXPECT_EQ(write("a", "fenced"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
}

TEST_F(LogFaults, FencesGroupPositionsAfterAFailedSync) {
  reopen();
  create("a");
  const auto commit = [&](std::int64_t offset) {
    return log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(offset)}});
  };
  ASSERT_TRUE(commit(1));
  disk_.fail_sync("/log/groups.journal");
  EXPECT_EQ(commit(2).error().code, ErrorCode::kUnknownOutcome);
  EXPECT_EQ(commit(3).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(log_->committed_offsets("g")->front().offset, Offset(1));
  EXPECT_EQ(write("a", "records go on"), 0);
}

class LogUnderFaults : public LogModel {};

// How often something is tried: so many times, or what the long proof asks for.
std::uint64_t times(const char* variable, std::uint64_t few) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : few;
}

TEST_F(LogUnderFaults, LosesNothingAcknowledgedWhenThePowerGoes) {
  options_.topic_defaults.segment_bytes = 4'000;
  for (std::uint64_t seed = 1; seed <= times("PINFLOW_POWER_CUTS", 250); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    if (seed % 5 == 1) {
      begin(random);  // Each five lives of one log.
    } else {
      reopen();
    }
    verify();
    disk_.lose_power_at(1 + random.below(160));
    run(random, 12);
    crash(random);
    if (random.chance(0.2)) {  // And again while it is opened.
      disk_.lose_power_at(1 + random.below(60));
      (void)open_embedded_log(options_, disk_, clock_, logger_);
      disk_.crash(random);
    }
    reopen();
    verify();
    if (HasFailure()) return;
  }
}

TEST_F(LogUnderFaults, LosesNothingAcknowledgedWhenAnyOneOperationFails) {
  options_.topic_defaults.segment_bytes = 2'000;
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kCorrupt}) {  // ENOSPC, EIO.
    std::uint64_t operations = 1;
    for (std::uint64_t nth = 1; nth <= operations; ++nth) {
      SCOPED_TRACE(nth);
      Random random(nth % 10);  // The same course with each operation in turn failing.
      begin(random);
      const std::uint64_t before = disk_.count();
      disk_.fail_nth(std::nullopt, nth, code);
      run(random, 8);
      operations = std::min(std::max(operations, disk_.count() - before), times("PINFLOW_FAILING_CALLS", 120));
      disk_.clear_faults();
      verify();
      reopen();
      verify();
      crash(random);
      reopen();
      verify();
      if (HasFailure()) return;
    }
  }
}

TEST_F(LogUnderFaults, OpensWhateverFailsWhileOpening) {
  options_.topic_defaults.segment_bytes = 2'000;
  Random random(7);
  begin(random);
  for (std::uint64_t nth = 1; nth <= 100; ++nth) {
    SCOPED_TRACE(nth);
    disk_.lose_power_at(1 + random.below(60));
    run(random, 4);
    crash(random);
    disk_.fail_nth(std::nullopt, nth, ErrorCode::kCorrupt);
    // It opens, with or without damage, or it says why not; after a true restart all is well.
    (void)open_embedded_log(options_, disk_, clock_, logger_);
    disk_.clear_faults();
    reopen();
    verify();
    if (HasFailure()) return;
  }
}

// Making and deleting topics, cut off at every step.
TEST_F(LogFaults, KnowsEachTopicWhollyOrNotAtAllAfterPowerLoss) {
  Random random(3);
  for (std::uint64_t nth = 1; nth <= 60; ++nth) {
    SCOPED_TRACE(nth);
    log_.reset();
    ASSERT_TRUE(disk_.remove_tree("/log"));
    reopen();
    create("kept");
    ASSERT_EQ(write("kept", "x"), 0);
    create("dropped", 2);
    ASSERT_EQ(write("dropped", "y"), 0);
    disk_.lose_power_at(nth);
    const bool created = log_->create_topic({"made", 2, {}}).has_value();
    const bool deleted = log_->delete_topic("dropped").has_value();
    crash(random);
    reopen();
    EXPECT_THAT(log_->recovery().damage, testing::IsEmpty());
    EXPECT_THAT(values("kept"), ElementsAre("x"));
    if (created) EXPECT_TRUE(log_->topic("made"));
    if (log_->topic("made")) EXPECT_EQ(write("made", "z"), 0);
    if (deleted) EXPECT_FALSE(log_->topic("dropped"));
    if (log_->topic("dropped")) EXPECT_THAT(values("dropped"), ElementsAre("y"));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace pinflow::log
