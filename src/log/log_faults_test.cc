#include <cstdlib>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/log_fixture.h"

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

// What a client did and was told, held against what the log shows after each restart.
class LogUnderFaults : public LogFaults {
 protected:
  enum class Outcome { kAcknowledged, kUnknown, kRefused };
  struct Sent {
    Outcome outcome = Outcome::kRefused;
    std::int64_t offset = -1;
  };

  void run(Random& random, int steps) {
    for (int step = 0; step < steps; ++step) {
      if (random.chance(0.15)) {
        const auto done = log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(++committing_)}});
        if (done) committed_ = committing_;
        continue;
      }
      std::vector<std::pair<std::vector<std::string>, std::future<std::vector<Result<Appended>>>>> calls;
      for (std::uint64_t call = 0; call <= random.below(3); ++call) {
        std::vector<std::string> values;
        std::vector<Record> records;
        for (std::uint64_t i = 0; i <= random.below(4); ++i) {
          // Mostly small; large ones make commits of several batches.
          const std::size_t size = random.chance(0.03) ? 150'000 + random.below(100'000) : random.below(1'500);
          values.push_back(fmt::format("{}:{}", ++values_, std::string(size, 'v')));
          records.push_back(text(values.back()));
        }
        calls.emplace_back(std::move(values), produce_later("a", std::move(records)));
      }
      for (auto& [values, future] : calls) {
        const auto results = future.get();
        for (std::size_t i = 0; i < values.size(); ++i) note(values[i], results[i]);
      }
    }
  }

  void note(const std::string& value, const Result<Appended>& result) {
    Sent& sent = sent_[value];
    if (result) {
      sent = {Outcome::kAcknowledged, result->offset.value()};
    } else if (result.error().code == ErrorCode::kUnknownOutcome) {
      sent.outcome = Outcome::kUnknown;
    } else {
      EXPECT_EQ(result.error().code, ErrorCode::kUnavailable) << result.error().message;
    }
  }

  void verify() {
    EXPECT_THAT(log_->recovery().damage, testing::IsEmpty());
    std::map<std::int64_t, std::string> found;
    std::set<std::string> seen;
    std::int64_t next = 0;
    for (const StoredRecord& record : read_all("a")) {
      EXPECT_EQ(record.offset, Offset(next++));  // Without gaps.
      EXPECT_TRUE(seen.insert(*record.value).second) << "doubled: " << record.value->substr(0, 20);
      const auto sent = sent_.find(*record.value);
      ASSERT_NE(sent, sent_.end()) << "invented: " << record.value->substr(0, 20);
      EXPECT_NE(sent->second.outcome, Outcome::kRefused) << "refused, but there: " << record.value->substr(0, 20);
      found.emplace(record.offset.value(), *record.value);
    }
    for (const auto& [value, sent] : sent_)
      if (sent.outcome == Outcome::kAcknowledged) EXPECT_EQ(found[sent.offset], value) << "lost offset " << sent.offset;
    const auto position = *log_->committed_offsets("g");
    const std::int64_t read = position.empty() ? 0 : position.front().offset.value();
    EXPECT_GE(read, committed_);
    EXPECT_LE(read, committing_);
  }

  std::map<std::string, Sent> sent_;
  int values_ = 0;
  std::int64_t committing_ = 0;
  std::int64_t committed_ = 0;
};

// How often the power goes: 300 times, or what the long proof asks for.
std::uint64_t power_cuts() {
  const char* text = std::getenv("PINFLOW_POWER_CUTS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 300;
}

TEST_F(LogUnderFaults, LosesNothingAcknowledgedWhenThePowerGoes) {
  options_.topic_defaults.segment_bytes = 8'000;
  for (std::uint64_t seed = 1; seed <= power_cuts(); ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    if (seed % 5 == 1) {  // Each five lives of one log.
      log_.reset();
      ASSERT_TRUE(disk_.remove_tree("/log"));
      sent_.clear();
      committing_ = committed_ = 0;
      reopen();
      create("a");
    } else {
      reopen();
    }
    verify();
    disk_.lose_power_at(1 + random.below(120));
    run(random, 8);
    crash(random);
    reopen();
    verify();
    if (HasFailure()) return;
  }
}

TEST_F(LogUnderFaults, LosesNothingAcknowledgedWhenAnyOneOperationFails) {
  options_.topic_defaults.segment_bytes = 4'000;
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kCorrupt}) {
    for (std::uint64_t nth = 1; nth <= 60; ++nth) {
      SCOPED_TRACE(nth);
      log_.reset();
      disk_.clear_faults();
      ASSERT_TRUE(disk_.remove_tree("/log"));
      sent_.clear();
      committing_ = committed_ = 0;
      reopen();
      create("a");
      Random random(nth);
      disk_.fail_nth(std::nullopt, nth, code);
      run(random, 6);
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

TEST_F(LogUnderFaults, OpensAfterPowerIsLostWhileOpening) {
  options_.topic_defaults.segment_bytes = 4'000;
  reopen();
  create("a");
  Random random(7);
  for (std::uint64_t nth = 1; nth <= 40; ++nth) {
    SCOPED_TRACE(nth);
    disk_.lose_power_at(1 + random.below(60));
    run(random, 3);
    crash(random);
    disk_.lose_power_at(nth);
    (void)open_embedded_log(options_, disk_, clock_, logger_);
    crash(random);
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
