#include "log/embedded_log.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;

class EmbeddedLogTest : public LogFixture {};

TEST_F(EmbeddedLogTest, GivesBackWhatWasProduced) {
  reopen();
  create("a");
  Record record{"key", "value", {{"h", "x"}, {"n", std::nullopt}}, WallTime(5ms)};
  const auto first = produce("a", {record, {std::nullopt, std::nullopt, {}, std::nullopt}});
  ASSERT_TRUE(first[0] && first[1]);
  EXPECT_EQ(first[0]->offset, Offset(0));
  EXPECT_EQ(first[1]->offset, Offset(1));
  const auto records = read_all("a");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].value, "value");
  EXPECT_EQ(records[0].headers, record.headers);
  EXPECT_EQ(records[0].timestamp, WallTime(5ms));
  EXPECT_EQ(records[1].key, std::nullopt);
  EXPECT_EQ(records[1].value, std::nullopt);
  EXPECT_EQ(records[1].timestamp, clock_.now());
}

TEST_F(EmbeddedLogTest, KeepsTopicsRecordsAndPositionsAcrossReopening) {
  reopen();
  const Topic made =
      *log_->create_topic({"a", 3, {{"cleanup.policy", "delete"}, {"odd \"\n", "\x01\xc3\xa4"}}});
  ASSERT_TRUE(produce("a", {text("x")}, PartitionId(2))[0]);
  ASSERT_TRUE(log_->commit_offsets("g", {{{"a", PartitionId(2)}, Offset(1)}}));
  reopen();
  const Topic found = *log_->topic("a");
  EXPECT_EQ(found.id, made.id);
  EXPECT_EQ(found.partitions, 3);
  EXPECT_EQ(found.configs, made.configs);
  EXPECT_EQ(read_all("a", PartitionId(2)).size(), 1u);
  EXPECT_EQ(produce("a", {text("y")}, PartitionId(2))[0]->offset, Offset(1));
  const auto positions = *log_->committed_offsets("g");
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions[0].partition, (TopicPartition{"a", PartitionId(2)}));
  EXPECT_EQ(positions[0].offset, Offset(1));
  EXPECT_TRUE(log_->committed_offsets("other")->empty());
}

}  // namespace
}  // namespace pinflow::log
