#include "log/internal/producer_table.h"

#include <gtest/gtest.h>

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;

class ProducerTableTest : public testing::Test {
 protected:
  static BatchHeader batch(std::int64_t id, std::int16_t epoch, std::int32_t sequence, std::int32_t count = 1) {
    BatchHeader header;
    header.producer_id = id;
    header.producer_epoch = epoch;
    header.base_sequence = sequence;
    header.last_offset_delta = count - 1;
    header.record_count = count;
    return header;
  }
  // Sends a batch: "new", "old at <offset>", or the fault. A new one is stored at the next offset.
  std::string send(const BatchHeader& header) {
    const auto verdict = table_.check(header, now_);
    if (!verdict) return verdict.error().fault == BatchFault::kOutOfOrderSequence ? "order" : "epoch";
    if (*verdict) return fmt::format("old at {}", (*verdict)->base_offset);
    table_.add(header, end_, now_);
    end_ = end_ + header.record_count;
    return "new";
  }

  WallTime now_{1'000'000ms};
  ProducerTable table_{3};
  Offset end_;
};

TEST_F(ProducerTableTest, KnowsTheLastFiveBatchesAgain) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(send(batch(1, 0, i * 10, 10)), "new");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send(batch(1, 0, i * 10, 10)), "order");
  for (int i = 2; i < 7; ++i) EXPECT_EQ(send(batch(1, 0, i * 10, 10)), fmt::format("old at {}", i * 10));
  EXPECT_EQ(send(batch(1, 0, 60, 9)), "order");  // Begins like a known one, but is another.
  EXPECT_EQ(send(batch(1, 0, 71, 1)), "order");
  EXPECT_EQ(send(batch(1, 0, 70, 1)), "new");
}

TEST_F(ProducerTableTest, TakesAnySequenceOfAnUnknownProducer) {
  EXPECT_EQ(send(batch(1, 3, 77)), "new");
  EXPECT_EQ(send(batch(1, 3, 79)), "order");
  EXPECT_EQ(send(batch(2, 0, 5)), "new");
  EXPECT_EQ(send(batch(1, 3, 78)), "new");
}

TEST_F(ProducerTableTest, BeginsEpochsAtZero) {
  EXPECT_EQ(send(batch(1, 1, 0)), "new");
  EXPECT_EQ(send(batch(1, 0, 1)), "epoch");
  EXPECT_EQ(send(batch(1, 2, 1)), "order");
  EXPECT_EQ(send(batch(1, 2, 0)), "new");
  EXPECT_EQ(send(batch(1, 1, 0)), "epoch");
  EXPECT_EQ(send(batch(1, 2, 0)), "old at 1");
}

TEST_F(ProducerTableTest, GoesRoundAtTheLargestSequence) {
  EXPECT_EQ(send(batch(1, 0, INT32_MAX - 4, 10)), "new");  // Its last is 4.
  EXPECT_EQ(send(batch(1, 0, INT32_MAX - 4, 10)), "old at 0");
  EXPECT_EQ(send(batch(1, 0, 4)), "order");
  EXPECT_EQ(send(batch(1, 0, 5)), "new");
  EXPECT_EQ(send(batch(2, 0, INT32_MAX)), "new");
  EXPECT_EQ(send(batch(2, 0, 0)), "new");
}

TEST_F(ProducerTableTest, ForgetsAfterADay) {
  EXPECT_EQ(send(batch(1, 5, 0)), "new");
  now_ += 24h;
  EXPECT_EQ(send(batch(1, 5, 2)), "order");
  now_ += 1ms;
  EXPECT_EQ(send(batch(1, 4, 7)), "new");
  EXPECT_EQ(send(batch(1, 4, 7)), "old at 1");
  EXPECT_EQ(send(batch(1, 5, 0)), "new");
}

TEST_F(ProducerTableTest, ForgetsTheLongestUnusedOfTooMany) {
  for (int id = 1; id <= 3; ++id) EXPECT_EQ(send(batch(id, 0, 0)), "new");
  EXPECT_EQ(send(batch(1, 0, 1)), "new");
  EXPECT_EQ(send(batch(4, 0, 0)), "new");
  table_.keep();
  EXPECT_EQ(table_.size(), 3u);
  EXPECT_EQ(send(batch(1, 0, 1)), "old at 3");
  EXPECT_EQ(send(batch(2, 0, 7)), "new");  // Forgotten.
  EXPECT_EQ(send(batch(3, 0, 7)), "order");
}

TEST_F(ProducerTableTest, TakesBackWhatWasNotStored) {
  EXPECT_EQ(send(batch(1, 0, 0)), "new");
  table_.keep();
  for (int i = 1; i < 8; ++i) EXPECT_EQ(send(batch(1, 0, i)), "new");
  EXPECT_EQ(send(batch(1, 1, 0)), "new");
  EXPECT_EQ(send(batch(2, 0, 0)), "new");
  table_.undo();
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_EQ(send(batch(1, 0, 0)), "old at 0");
  EXPECT_EQ(send(batch(1, 0, 2)), "order");
  EXPECT_EQ(send(batch(1, 0, 1)), "new");
}

TEST_F(ProducerTableTest, WritesOnlyWhatIsStored) {
  send(batch(1, 0, 0));
  table_.keep();
  const std::string stored = table_.encode(Offset(1), now_);
  send(batch(1, 0, 1));
  send(batch(1, 0, 2));
  send(batch(2, 0, 0));
  EXPECT_EQ(table_.encode(Offset(1), now_), stored);
  table_.keep();
  EXPECT_NE(table_.encode(Offset(1), now_), stored);
}

TEST_F(ProducerTableTest, ComesBackFromItsFile) {
  for (int i = 0; i < 7; ++i) send(batch(1, 2, i * 3, 3));
  send(batch(9, 0, INT32_MAX));
  now_ += 25h;
  send(batch(9, 0, 0));
  send(batch(8, 0, 4));
  table_.keep();
  const std::string bytes = table_.encode(Offset(23), now_);
  ProducerTable copy(3);
  ASSERT_TRUE(copy.decode(bytes, Offset(23)));
  EXPECT_EQ(copy.size(), 2u);  // 1 is forgotten.
  EXPECT_EQ(copy.encode(Offset(23), now_), bytes);
  EXPECT_EQ(copy.check(batch(8, 0, 4), now_).value()->base_offset, Offset(23));
  EXPECT_EQ(copy.decode(bytes, Offset(24)).error().code, ErrorCode::kCorrupt);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x10);
    EXPECT_FALSE(copy.decode(broken, Offset(23)));
    EXPECT_FALSE(copy.decode(bytes.substr(0, i), Offset(23)));
  }
  EXPECT_EQ(copy.size(), 2u);
}

}  // namespace
}  // namespace pinflow::log
