#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class Idempotence : public LogFixture {
 protected:
  // Sends one record: "at <offset>", "again at <offset>", or the fault.
  std::string send(std::int64_t producer, std::int16_t epoch, std::int32_t sequence, std::size_t records = 1) {
    const BatchResult result =
        append("a", batch_of(std::vector<std::string>(records, "x"), {producer, epoch, sequence}));
    if (result) return fmt::format("{}at {}", result->duplicate ? "again " : "", result->base_offset);
    if (result.error().fault == BatchFault::kOutOfOrderSequence) return "out of order";
    if (result.error().fault == BatchFault::kInvalidProducerEpoch) return "old epoch";
    return result.error().message;
  }
};

TEST_F(Idempotence, StoresABatchOnceHoweverOftenItIsSent) {
  reopen();
  create("a");
  EXPECT_EQ(send(1, 0, 0, 3), "at 0");
  EXPECT_EQ(send(1, 0, 0, 3), "again at 0");
  EXPECT_EQ(send(1, 0, 5), "out of order");
  EXPECT_EQ(send(1, 0, 3), "at 3");
  EXPECT_EQ(send(2, 0, 0), "at 4");
  EXPECT_EQ(send(1, 1, 0), "at 5");
  EXPECT_EQ(send(1, 0, 4), "old epoch");
  EXPECT_EQ(values("a").size(), 6u);
}

TEST_F(Idempotence, CountsTheSequencesOfOneCommitAtOnce) {
  reopen();
  create("a");
  std::vector<std::future<BatchResult>> answers;
  const auto later = [&](std::int32_t sequence) {
    answers.push_back(append_later("a", batch_of({std::to_string(sequence)}, {1, 0, sequence})));
  };
  for (std::int32_t i = 0; i < 100; ++i) {
    later(i);
    later(i);
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const BatchResult result = answers[i].get();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->base_offset, Offset(static_cast<std::int64_t>(i / 2)));
    EXPECT_EQ(result->duplicate, i % 2 == 1);
  }
  EXPECT_EQ(values("a").size(), 100u);
}

TEST_F(Idempotence, AnswersNoTwinOfABatchThatWasNotStored) {
  reopen();
  create("a");
  EXPECT_EQ(send(1, 0, 0), "at 0");
  disk_.fail_nth(disk::Operation::kAppend, 1, ErrorCode::kUnavailable);  // No space for a while.
  EXPECT_FALSE(append("a", batch_of({"x"}, {1, 0, 1})));
  EXPECT_EQ(send(1, 0, 2), "out of order");
  EXPECT_EQ(send(1, 0, 1), "at 1");
  disk_.fail_sync(segments("a").back());
  EXPECT_FALSE(append("a", batch_of({"x"}, {1, 0, 2})));
  EXPECT_FALSE(append("a", batch_of({"x"}, {1, 0, 2})));  // It may be there, or not.
}

TEST_F(Idempotence, KnowsProducersAfterARestart) {
  reopen();
  create("a");
  for (std::int32_t i = 0; i < 7; ++i) EXPECT_EQ(send(1, 3, i), fmt::format("at {}", i));
  Random random(1);
  crash(random);
  reopen();
  EXPECT_EQ(send(1, 3, 2), "again at 2");
  EXPECT_EQ(send(1, 3, 6), "again at 6");
  EXPECT_EQ(send(1, 3, 1), "out of order");
  EXPECT_EQ(send(1, 2, 0), "old epoch");
  EXPECT_EQ(send(1, 3, 7), "at 7");
}

TEST_F(Idempotence, KnowsProducersAfterARollAndARestart) {
  options_.topic_defaults.segment_bytes = 300;
  reopen();
  create("a");
  for (std::int32_t i = 0; i < 20; ++i) ASSERT_EQ(send(i % 2, 0, i / 2), fmt::format("at {}", i));
  std::vector<disk::Path> snapshots;
  for (const disk::Entry& entry : *disk_.list(partition_folder("a")))
    if (entry.name.ends_with(".producers")) snapshots.push_back(partition_folder("a") / entry.name);
  ASSERT_EQ(snapshots.size(), 1u);  // Of the open segment alone.
  const auto expect_known = [&] {
    reopen();
    EXPECT_EQ(send(0, 0, 9), "again at 18");
    EXPECT_EQ(send(1, 0, 5), "again at 11");
    EXPECT_EQ(send(1, 0, 4), "out of order");
    EXPECT_EQ(send(1, 0, 11), "out of order");
    log_.reset();
  };
  expect_known();
  disk_.flip_byte(snapshots[0], size_of(snapshots[0]) / 2);  // Built again.
  expect_known();
  EXPECT_TRUE(disk_.remove(snapshots[0]));
  expect_known();
  EXPECT_TRUE(disk_.describe(snapshots[0]));
}

TEST_F(Idempotence, ForgetsAProducerAfterADay) {
  reopen();
  create("a");
  EXPECT_EQ(send(1, 0, 0), "at 0");
  clock_.advance(25h);
  EXPECT_EQ(send(1, 0, 7), "at 1");
}

TEST_F(Idempotence, GivesTheTimeOfTheFirstArrivalAgain) {
  reopen();
  ASSERT_TRUE(log_->create_topic({"a", 1, {{"message.timestamp.type", "LogAppendTime"}}}));
  const auto first = append("a", batch_of({"x"}, {1, 0, 0}));
  clock_.advance(5s);
  const auto again = append("a", batch_of({"x"}, {1, 0, 0}));
  ASSERT_TRUE(first && again);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->append_time, first->append_time);
  EXPECT_TRUE(first->append_time);
}

TEST_F(Idempotence, GivesNoProducerIdTwice) {
  reopen();
  std::int64_t last = -1;
  const auto next_rises = [&] {
    const auto id = log_->new_producer_id();
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_GT(*id, last);
    last = *id;
  };
  Random random(1);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 700; ++i) next_rises();
    round % 2 == 0 ? crash(random) : log_.reset();
    reopen();
  }
  EXPECT_LT(last, 10'000);
  disk_.flip_byte("/log/producer.ids", 9);
  reopen();
  next_rises();
  disk_.fail_nth(disk::Operation::kRename, 1, ErrorCode::kUnavailable);
  for (int i = 0; i < 999; ++i) next_rises();
  EXPECT_EQ(log_->new_producer_id().error().code, ErrorCode::kUnavailable);
  next_rises();
}

}  // namespace
}  // namespace pinflow::log
