#include "migrate/topic_copy.h"

#include <gtest/gtest.h>

#include "log/testing/memory_log.h"

namespace pinflow::migrate {
namespace {

using log::Offset;
using log::PartitionId;

constexpr const char* kTopic = "pinterest.pin";

class TopicCopy : public ::testing::Test {
 protected:
  // Records of all shapes, in several partitions.
  void write(std::int32_t partition, int count) {
    std::vector<log::Record> records;
    for (int i = 0; i < count; ++i) {
      const int number = written_++;
      log::Record record;
      if (number % 3 != 0) record.key = "key " + std::to_string(number);
      if (number % 5 != 0) record.value = std::string(static_cast<std::size_t>(number % 40), 'v');
      if (number % 4 == 0) record.headers = {{"trace", "t" + std::to_string(number)}, {"none", std::nullopt}};
      record.timestamp = log::MemoryLog::kTime + std::chrono::milliseconds(number * 7 % 11);
      records.push_back(std::move(record));
    }
    from_.produce(kTopic, PartitionId(partition), std::move(records), {});
  }
  Result<CopiedTopic> copy() {
    TRY_ASSIGN(const TopicPlan plan, plan_topic(from_, to_, kTopic));
    TRY(prepare_topic(to_, plan, options_));
    return copy_topic(from_, to_, plan, options_, {}, {});
  }
  void expect_same(std::int32_t partition) {
    const auto ours = from_.records(kTopic, partition);
    const auto theirs = to_.records(kTopic, partition);
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].offset, theirs[i].offset);
      EXPECT_EQ(ours[i].timestamp, theirs[i].timestamp);
      EXPECT_EQ(ours[i].key, theirs[i].key);
      EXPECT_EQ(ours[i].value, theirs[i].value);
      EXPECT_EQ(ours[i].headers, theirs[i].headers);
    }
  }
  std::string setting(log::Log& log, const std::string& name) {
    const auto topic = log.topic(kTopic);
    const std::string* value = log::find_setting(topic->configs, name);
    return value == nullptr ? "" : *value;
  }

  log::MemoryLog from_;
  log::MemoryLog to_;
  TopicCopyOptions options_{.defaults = {}, .bytes_at_once = 512, .fillers_at_once = 7};
  int written_ = 0;
};

TEST_F(TopicCopy, PutsEachRecordAtItsOffset) {
  ASSERT_TRUE(from_.create_topic({kTopic, 3, {}}));
  from_.most_fetched = 7;
  write(0, 100);
  write(2, 31);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->records, 131);
  EXPECT_EQ(copied->compared, 131);
  EXPECT_EQ(copied->fillers, 0);
  for (const int partition : {0, 1, 2}) expect_same(partition);
}

TEST_F(TopicCopy, BeginsWhereRetentionLeftTheTopic) {
  ASSERT_TRUE(from_.create_topic({kTopic, 2, {}}));
  write(0, 40);
  write(1, 12);
  from_.drop_below(kTopic, 0, Offset(23));
  from_.drop_below(kTopic, 1, Offset(12));  // All of it.
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().message;
  expect_same(0);
  expect_same(1);
  for (const int partition : {0, 1}) {
    const log::TopicPartition name{kTopic, PartitionId(partition)};
    EXPECT_EQ(to_.offsets(name)->begin, from_.offsets(name)->begin);
    EXPECT_EQ(to_.offsets(name)->end, from_.offsets(name)->end);
  }
}

TEST_F(TopicCopy, FillsOffsetsThatCompactionLeftEmpty) {
  ASSERT_TRUE(from_.create_topic({kTopic, 1, {{"cleanup.policy", "compact"}}}));
  write(0, 5);
  from_.skip_offsets(kTopic, 0, 20);
  write(0, 5);
  from_.skip_offsets(kTopic, 0, 3);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->compared, 10);
  EXPECT_EQ(copied->fillers, 23);
  auto theirs = to_.records(kTopic);
  ASSERT_EQ(theirs.size(), 33U);
  EXPECT_EQ(theirs[5].key, kFillerKey);
  EXPECT_FALSE(theirs[5].value);
  EXPECT_EQ(theirs[25].value, from_.records(kTopic)[5].value);
}

TEST_F(TopicCopy, GoesOnWhereItWasInterrupted) {
  ASSERT_TRUE(from_.create_topic({kTopic, 1, {}}));
  from_.most_fetched = 10;
  write(0, 95);
  from_.drop_below(kTopic, 0, Offset(15));
  // At each place: among what fills up to the begin, among the records, and at the last.
  for (const int good : {9, 0, 6, 30, 34}) {
    for (int i = 0; i < good; ++i) to_.next_outcomes.emplace_back();
    to_.next_outcomes.emplace_back(Error(ErrorCode::kUnavailable, "the broker is away"));
    // What comes behind a record that failed is not stored either, as an idempotent producer has it.
    for (int i = 0; i < 10; ++i) to_.next_outcomes.emplace_back(Error(ErrorCode::kUnavailable, "the broker is away"));
    const auto copied = copy();
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(copied.error().message.contains(kTopic)) << copied.error().message;
    to_.next_outcomes.clear();
  }
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->compared, 80);
  expect_same(0);
  const auto again = copy();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->records, 0);
  EXPECT_EQ(again->compared, 80);
}

TEST_F(TopicCopy, StopsAsSoonAsItIsTold) {
  ASSERT_TRUE(from_.create_topic({kTopic, 2, {}}));
  from_.most_fetched = 1;
  write(0, 50);
  write(1, 50);
  const auto plan = plan_topic(from_, to_, kTopic);
  ASSERT_TRUE(prepare_topic(to_, *plan, options_));
  std::stop_source stop;
  std::int64_t last = 0;
  const auto copied = copy_topic(
      from_, to_, *plan, options_,
      [&](std::int64_t done, std::int64_t total) {
        EXPECT_EQ(total, 100);
        EXPECT_GE(done, last);
        last = done;
        if (done >= 10) stop.request_stop();
      },
      stop.get_token());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_LT(last, 20);
  ASSERT_TRUE(copy());
  expect_same(0);
  expect_same(1);
}

TEST_F(TopicCopy, RefusesATopicWithRecordsOfItsOwn) {
  ASSERT_TRUE(from_.create_topic({kTopic, 1, {}}));
  write(0, 10);
  to_.append(kTopic, 0, {"other"});
  const auto other = copy();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(other.error().message.contains("another record at offset 0")) << other.error().message;

  to_.replace(kTopic, std::vector<std::optional<std::string>>(11, "x"));
  const auto more = copy();
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(more.error().message.contains("ends at offset 11, here at 10")) << more.error().message;
}

TEST_F(TopicCopy, RefusesATopicWithMorePartitionsAndGrowsOneWithFewer) {
  ASSERT_TRUE(from_.create_topic({kTopic, 2, {}}));
  write(1, 10);
  ASSERT_TRUE(to_.create_topic({kTopic, 3, {}}));
  const auto more = copy();
  ASSERT_FALSE(more);
  EXPECT_TRUE(more.error().message.contains("with 3 partitions, and has 2 here")) << more.error().message;
  ASSERT_TRUE(to_.delete_topic(kTopic));
  ASSERT_TRUE(to_.create_topic({kTopic, 1, {}}));
  ASSERT_TRUE(copy());
  expect_same(1);
}

TEST_F(TopicCopy, FindsARecordThatDiffersAmongThoseThatAreThere) {
  ASSERT_TRUE(from_.create_topic({kTopic, 1, {}}));
  from_.append(kTopic, 0, {"a", "b", "c"});
  to_.append(kTopic, 0, {"a", "X", "c"});
  const auto copied = copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(copied.error().message.contains("at offset 1")) << copied.error().message;
}

TEST_F(TopicCopy, NoticesWhoElseWritesMeanwhile) {
  ASSERT_TRUE(from_.create_topic({kTopic, 1, {}}));
  write(0, 10);
  const auto plan = plan_topic(from_, to_, kTopic);
  ASSERT_TRUE(prepare_topic(to_, *plan, options_));
  to_.append(kTopic, 0, {"a stranger's"});
  const auto copied = copy_topic(from_, to_, *plan, options_, {}, {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(copied.error().message.contains("somebody else writes")) << copied.error().message;
}

TEST_F(TopicCopy, KeepsSettingsAndWhatTheLogKeepsByDefault) {
  options_.defaults.retention_ms = -1;
  options_.defaults.retention_bytes = 5'000'000;
  ASSERT_TRUE(from_.create_topic({kTopic,
                                  1,
                                  {{"cleanup.policy", "compact"},
                                   {"retention.bytes", "7000000"},
                                   {"message.timestamp.type", "LogAppendTime"},
                                   {"pinflow.kinesis", "a note"}}}));
  write(0, 10);
  ASSERT_TRUE(to_.create_topic({kTopic, 1, {{"min.insync.replicas", "2"}, {"retention.ms", "1000"}}}));
  const auto plan = plan_topic(from_, to_, kTopic);
  ASSERT_TRUE(prepare_topic(to_, *plan, options_));
  // While it is copied nothing of it may go, nor its times change.
  EXPECT_EQ(setting(to_, "cleanup.policy"), "delete");
  EXPECT_EQ(setting(to_, "retention.ms"), "-1");
  EXPECT_EQ(setting(to_, "message.timestamp.type"), "CreateTime");
  ASSERT_TRUE(copy());
  EXPECT_EQ(setting(to_, "cleanup.policy"), "compact");
  EXPECT_EQ(setting(to_, "retention.ms"), "-1");
  EXPECT_EQ(setting(to_, "retention.bytes"), "7000000");
  EXPECT_EQ(setting(to_, "message.timestamp.type"), "LogAppendTime");
  EXPECT_EQ(setting(to_, "min.insync.replicas"), "2");
  EXPECT_EQ(setting(to_, "max.message.bytes"), std::to_string(options_.defaults.max_message_bytes));
  EXPECT_EQ(setting(to_, "pinflow.kinesis"), "");
}

}  // namespace
}  // namespace pinflow::migrate
