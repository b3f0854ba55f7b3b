#include "log/embedded_log.h"

#include <atomic>
#include <future>
#include <latch>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log_fixture.h"
#include "log/partitioner.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class EmbeddedLogTest : public LogFixture {
 protected:
  FetchRequest from(const std::string& topic, std::int64_t offset, std::chrono::milliseconds max_wait = 0ms) {
    FetchRequest request;
    request.positions = {{{topic, PartitionId(0)}, Offset(offset)}};
    request.max_wait = max_wait;
    return request;
  }
};

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
      *log_->create_topic({"a", 3, {{"cleanup.policy", "delete"}, {"pinflow.odd \"\n", "\x01\xc3\xa4"}}});
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

TEST_F(EmbeddedLogTest, IsHeldByOneProcess) {
  reopen();
  const auto second = open_embedded_log(options_, disk_, clock_, logger_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(EmbeddedLogTest, RefusesANewerFormat) {
  reopen();
  log_.reset();
  ASSERT_TRUE(disk_.write_file("/log/format", "pinflow log format 3\n"));
  const auto newer = open_embedded_log(options_, disk_, clock_, logger_);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(newer.error().message, HasSubstr("format 3"));
  ASSERT_TRUE(disk_.write_file("/log/format", "pinflow log fo"));
  EXPECT_EQ(open_embedded_log(options_, disk_, clock_, logger_).error().code, ErrorCode::kCorrupt);
}

TEST_F(EmbeddedLogTest, ChecksNamesAndPartitions) {
  reopen();
  EXPECT_EQ(log_->create_topic({"../x", 1, {}}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic({"a", 0, {}}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic({"a", 10'001, {}}).error().code, ErrorCode::kInvalid);
  create("a");
  EXPECT_EQ(log_->create_topic({"a", 1, {}}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(log_->topic("b").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log_->delete_topic("b").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(produce("b", {text("x")})[0].error().code, ErrorCode::kNotFound);
  EXPECT_EQ(produce("a", {text("x")}, PartitionId(1))[0].error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log_->offsets({"a", PartitionId(-1)}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(fetch_at("b", Offset(0)).error->code, ErrorCode::kNotFound);
}

TEST_F(EmbeddedLogTest, TakesTheLongestNames) {
  reopen();
  create(std::string(249, 'x'));
  create(std::string(248, 'x') + 'y');
  reopen();
  EXPECT_EQ(log_->topics().size(), 2u);
}

TEST_F(EmbeddedLogTest, ListsTopicsByName) {
  reopen();
  create("b");
  create("a");
  create("c");
  std::vector<std::string> names;
  for (const Topic& topic : log_->topics()) names.push_back(topic.name);
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
}

TEST_F(EmbeddedLogTest, StartsADeletedTopicAnew) {
  reopen();
  create("a");
  const Uuid before = log_->topic("a")->id;
  write("a", "old");
  ASSERT_TRUE(log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(1)}}));
  ASSERT_TRUE(log_->delete_topic("a"));
  EXPECT_EQ(log_->topic("a").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(disk_.list("/log/topics")->empty());
  create("a");
  EXPECT_NE(log_->topic("a")->id, before);
  EXPECT_TRUE(values("a").empty());
  EXPECT_TRUE(log_->committed_offsets("g")->empty());
  EXPECT_EQ(write("a", "new"), 0);
  reopen();
  EXPECT_THAT(values("a"), ElementsAre("new"));
  EXPECT_TRUE(log_->committed_offsets("g")->empty());
}

TEST_F(EmbeddedLogTest, FinishesADeletionAtTheNextOpening) {
  reopen();
  create("a");
  write("a", "x");
  disk_.fail_nth(disk::Operation::kRemove, 1, ErrorCode::kUnavailable);
  EXPECT_EQ(log_->delete_topic("a").error().code, ErrorCode::kUnknownOutcome);
  reopen();
  EXPECT_TRUE(log_->topics().empty());
  EXPECT_TRUE(disk_.list("/log/topics")->empty());
  EXPECT_TRUE(log_->recovery().damage.empty());
}

TEST_F(EmbeddedLogTest, SendsKeysWhereTheJavaClientSendsThem) {
  reopen();
  create("a", 7);
  std::vector<Record> records;
  for (int i = 0; i < 100; ++i) records.push_back({fmt::format("key-{}", i), "v", {}, std::nullopt});
  const auto results = produce("a", records, kAnyPartition);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_TRUE(results[i]);
    EXPECT_EQ(results[i]->partition, partition_of_key(*records[i].key, 7));
  }
}

TEST_F(EmbeddedLogTest, KeepsKeylessRecordsOfOneCallTogetherAndThenMovesOn) {
  reopen();
  create("a", 3);
  std::vector<std::int32_t> partitions;
  for (int call = 0; call < 4; ++call) {
    const auto results = produce("a", {text("x"), text("y"), text("z")}, kAnyPartition);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i]->partition, results[0]->partition);
    EXPECT_EQ(results[2]->offset, results[0]->offset + 2);
    partitions.push_back(results[0]->partition.value());
  }
  EXPECT_THAT(partitions, ElementsAre(0, 1, 2, 0));
}

TEST_F(EmbeddedLogTest, RefusesARecordThatIsTooLargeAlone) {
  options_.max_record_size = ByteCount(10);
  reopen();
  create("a");
  const auto results = produce("a", {text("1"), text("12345678901"), text("2")});
  EXPECT_EQ(results[0]->offset, Offset(0));
  EXPECT_EQ(results[1].error().code, ErrorCode::kInvalid);
  EXPECT_EQ(results[2]->offset, Offset(1));
  EXPECT_THAT(values("a"), ElementsAre("1", "2"));
}

TEST_F(EmbeddedLogTest, AnswersACallWithoutRecords) {
  reopen();
  create("a");
  EXPECT_TRUE(produce("a", {}).empty());
}

TEST_F(EmbeddedLogTest, RefusesMoreThanMayWait) {
  options_.max_pending = ByteCount(10'000);
  reopen();
  create("a");
  EXPECT_EQ(produce("a", {text(std::string(20'000, 'x'))})[0].error().code, ErrorCode::kInvalid);
  // The committer is held in the callback of the first call, so the others have to wait.
  std::promise<void> held;
  std::promise<void> release;
  log_->produce("a", PartitionId(0), {text("first")}, [&](auto) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  auto waiting = produce_later("a", {text(std::string(6'000, 'x'))});
  const auto refused = produce("a", {text(std::string(6'000, 'y'))});
  EXPECT_EQ(refused[0].error().code, ErrorCode::kOverloaded);
  release.set_value();
  EXPECT_TRUE(waiting.get()[0]);
  EXPECT_TRUE(produce("a", {text(std::string(6'000, 'z'))})[0]);
}

TEST_F(EmbeddedLogTest, JoinsWhatGathersWhileItWritesIntoOneSync) {
  reopen();
  create("a");
  write("a", "open the segment");
  std::promise<void> held;
  std::promise<void> release;
  log_->produce("a", PartitionId(0), {text("first")}, [&](auto) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  const std::uint64_t syncs = disk_.count(disk::Operation::kSync);
  std::vector<std::future<std::vector<Result<Appended>>>> waiting;
  for (int i = 0; i < 50; ++i) waiting.push_back(produce_later("a", {text(std::to_string(i))}));
  release.set_value();
  for (std::size_t i = 0; i < waiting.size(); ++i)
    EXPECT_EQ(waiting[i].get()[0]->offset, Offset(static_cast<std::int64_t>(i) + 2));
  EXPECT_EQ(disk_.count(disk::Operation::kSync), syncs + 1);
}

TEST_F(EmbeddedLogTest, CancelsWhatWaitsWhenClosed) {
  reopen();
  create("a");
  std::promise<void> held;
  std::promise<void> release;
  log_->produce("a", PartitionId(0), {text("first")}, [&](auto) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  auto waiting = produce_later("a", {text("second")});
  std::thread closing([&] { log_.reset(); });
  // Whether the closer has come to stop the committer before the release is a race; both answers are right.
  release.set_value();
  closing.join();
  const auto result = waiting.get()[0];
  reopen();
  if (result) {
    EXPECT_THAT(values("a"), ElementsAre("first", "second"));
  } else {
    EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
    EXPECT_THAT(values("a"), ElementsAre("first"));
  }
}

TEST_F(EmbeddedLogTest, ReadsFromEveryOffset) {
  options_.topic_defaults.segment_bytes = 1'000;
  reopen();
  create("a");
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(produce(
        "a", {text(std::to_string(3 * i)), text(std::to_string(3 * i + 1)), text(std::to_string(3 * i + 2))})[0]);
  ASSERT_GT(segments("a").size(), 3u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(log_->offsets({"a", PartitionId(0)})->end, Offset(180));
    for (std::int64_t offset = 0; offset < 180; ++offset) {
      const FetchedPartition fetched = fetch_at("a", Offset(offset));
      ASSERT_FALSE(fetched.error) << fetched.error->message;
      ASSERT_EQ(std::ssize(fetched.records), 180 - offset);
      for (std::size_t i = 0; i < fetched.records.size(); ++i)
        EXPECT_EQ(fetched.records[i].value, std::to_string(static_cast<std::size_t>(offset) + i));
      EXPECT_EQ(fetched.high_watermark, Offset(180));
    }
    reopen();
  }
}

TEST_F(EmbeddedLogTest, RefusesOffsetsOutsideTheLog) {
  reopen();
  create("a");
  write("a", "x");
  EXPECT_FALSE(fetch_at("a", Offset(1)).error);
  EXPECT_EQ(fetch_at("a", Offset(2)).error->code, ErrorCode::kInvalid);
  EXPECT_EQ(fetch_at("a", Offset(-1)).error->code, ErrorCode::kInvalid);
}

TEST_F(EmbeddedLogTest, KeepsTheBoundsOfAFetch) {
  reopen();
  create("a");
  ASSERT_TRUE(produce("a", {text(std::string(100, 'x')), text(std::string(100, 'y')), text(std::string(100, 'z'))})[0]);
  FetchRequest request = from("a", 0);
  request.max_bytes = 250;
  EXPECT_EQ(log_->fetch(request, {})->front().records.size(), 2u);
  request.max_bytes = 1;  // The first record is given all the same, so that a reader gets past it.
  EXPECT_EQ(log_->fetch(request, {})->front().records.size(), 1u);
  request.max_bytes = 4 << 20;
  request.max_records = 2;
  EXPECT_EQ(log_->fetch(request, {})->front().records.size(), 2u);
}

TEST_F(EmbeddedLogTest, SharesTheBoundsAmongPartitions) {
  reopen();
  create("a", 2);
  create("b");
  std::vector<Record> many(100, text(std::string(100, 'x')));
  ASSERT_TRUE(produce("a", many, PartitionId(0))[0]);
  ASSERT_TRUE(produce("a", many, PartitionId(1))[0]);
  ASSERT_TRUE(produce("b", {text("little")})[0]);
  FetchRequest request;
  request.positions = {
      {{"a", PartitionId(0)}, Offset(0)}, {{"a", PartitionId(1)}, Offset(0)}, {{"b", PartitionId(0)}, Offset(0)}};
  request.max_bytes = 3'000;
  const auto fetched = *log_->fetch(request, {});
  ASSERT_EQ(fetched.size(), 3u);
  EXPECT_EQ(fetched[0].records.size(), 10u);
  EXPECT_EQ(fetched[1].records.size(), 10u);
  EXPECT_EQ(fetched[2].records.size(), 1u);
}

TEST_F(EmbeddedLogTest, LeavesOutPartitionsWithNothingNew) {
  reopen();
  create("a", 2);
  ASSERT_TRUE(produce("a", {text("x")}, PartitionId(1))[0]);
  FetchRequest request;
  request.positions = {{{"a", PartitionId(0)}, Offset(0)}, {{"a", PartitionId(1)}, Offset(0)}};
  const auto fetched = *log_->fetch(request, {});
  ASSERT_EQ(fetched.size(), 1u);
  EXPECT_EQ(fetched[0].partition.partition, PartitionId(1));
}

TEST_F(EmbeddedLogTest, WakesAReaderThatWaits) {
  reopen();
  create("a");
  create("b");
  auto reader = std::async(std::launch::async, [&] { return log_->fetch(from("a", 0, 1h), {}); });
  write("b", "of another topic");
  write("a", "x");
  const auto fetched = reader.get();
  ASSERT_EQ(fetched->size(), 1u);
  EXPECT_EQ(fetched->front().records[0].value, "x");
}

TEST_F(EmbeddedLogTest, WaitsForTheLeastBytes) {
  reopen();
  create("a");
  auto reader = std::async(std::launch::async, [&] {
    FetchRequest request = from("a", 0, 1h);
    request.min_bytes = 300;
    return log_->fetch(request, {});
  });
  for (int i = 0; i < 5; ++i) write("a", std::string(100, 'x'));
  const auto fetched = reader.get();
  EXPECT_GE(fetched->front().records.size(), 3u);
}

TEST_F(EmbeddedLogTest, EndsTheWaitAtItsTime) {
  reopen();
  create("a");
  EXPECT_TRUE(log_->fetch(from("a", 0, 5ms), {})->empty());
  write("a", "x");
  FetchRequest request = from("a", 0, 5ms);
  request.min_bytes = 1'000;
  EXPECT_EQ(log_->fetch(request, {})->front().records.size(), 1u);  // What there is.
}

TEST_F(EmbeddedLogTest, EndsTheWaitWhenStopped) {
  reopen();
  create("a");
  std::stop_source stop;
  auto reader = std::async(std::launch::async, [&] { return log_->fetch(from("a", 0, 1h), stop.get_token()); });
  stop.request_stop();
  EXPECT_TRUE(reader.get()->empty());
}

TEST_F(EmbeddedLogTest, EndsTheWaitWhenTheTopicIsDeleted) {
  reopen();
  for (int round = 0; round < 100; ++round) {  // The reader waits already, or not yet.
    create("a");
    auto reader = std::async(std::launch::async, [&] { return log_->fetch(from("a", 0, 1h), {}); });
    if (round % 2 == 1) std::this_thread::yield();
    ASSERT_TRUE(log_->delete_topic("a"));
    EXPECT_EQ(reader.get()->front().error->code, ErrorCode::kNotFound);
  }
}

TEST_F(EmbeddedLogTest, ReadsBesideAWriterWithoutTouchingIt) {
  reopen();
  create("a");
  write("a", "x");
  EmbeddedLogOptions options = options_;
  options.read_only = true;
  const std::uint64_t appends = disk_.count(disk::Operation::kAppend);
  auto opened = open_embedded_log(options, disk_, clock_, logger_);
  ASSERT_TRUE(opened) << opened.error().message;
  log_.swap(*opened);
  EXPECT_THAT(values("a"), ElementsAre("x"));
  EXPECT_EQ(write("a", "y"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic({"b", 1, {}}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->delete_topic("a").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->commit_offsets("g", {}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(disk_.count(disk::Operation::kAppend), appends);
  log_.swap(*opened);
  EXPECT_EQ(write("a", "y"), 1);
}

TEST_F(EmbeddedLogTest, SaysThatThereIsNoLogToRead) {
  options_.read_only = true;
  EXPECT_EQ(open_embedded_log(options_, disk_, clock_, logger_).error().code, ErrorCode::kNotFound);
}

TEST_F(EmbeddedLogTest, ChecksCommittedPositions) {
  reopen();
  create("a");
  const auto commit = [&](const std::string& group, const std::string& topic, std::int64_t offset) {
    const auto done = log_->commit_offsets(group, {{{topic, PartitionId(0)}, Offset(offset)}});
    return done ? std::string("done") : std::string(to_string(done.error().code));
  };
  EXPECT_EQ(commit("g", "a", 7), "done");
  EXPECT_EQ(commit("g", "b", 7), to_string(ErrorCode::kNotFound));
  EXPECT_EQ(commit("g", "a", -1), to_string(ErrorCode::kInvalid));
  EXPECT_EQ(commit("", "a", 1), to_string(ErrorCode::kInvalid));
  EXPECT_EQ(log_->committed_offsets("g")->front().offset, Offset(7));
}

TEST_F(EmbeddedLogTest, KeepsTheOrderOfEachProducerAmongMany) {
  options_.topic_defaults.segment_bytes = 20'000;
  reopen();
  create("a", 2);
  constexpr int kProducers = 4;
  constexpr int kEach = 300;
  std::atomic<int> acknowledged = 0;
  std::stop_source stop;
  std::atomic<std::int64_t> read = 0;
  std::thread reader([&] {
    std::int64_t offset = 0;
    while (offset < kProducers * kEach / 2) {
      const auto fetched = log_->fetch(from("a", offset, 1h), stop.get_token());
      if (fetched->empty()) return;
      ASSERT_FALSE(fetched->front().error) << fetched->front().error->message;
      for (const StoredRecord& record : fetched->front().records) ASSERT_EQ(record.offset, Offset(offset++));
      read = offset;
    }
  });
  {
    std::vector<std::jthread> producers;
    for (int p = 0; p < kProducers; ++p)
      producers.emplace_back([&, p] {
        std::vector<std::future<std::vector<Result<Appended>>>> answers;
        for (int i = 0; i < kEach; ++i)
          answers.push_back(produce_later("a", {text(fmt::format("{} {}", p, i))}, PartitionId(p % 2)));
        for (auto& answer : answers) acknowledged += answer.get()[0].has_value();
      });
  }
  EXPECT_EQ(acknowledged, kProducers * kEach);
  reader.join();
  EXPECT_EQ(read, kProducers * kEach / 2);
  for (int partition = 0; partition < 2; ++partition) {
    std::array<int, kProducers> next{};
    std::int64_t offset = 0;
    for (const StoredRecord& record : read_all("a", PartitionId(partition))) {
      EXPECT_EQ(record.offset, Offset(offset++));
      const int p = record.value->front() - '0';
      EXPECT_EQ(*record.value, fmt::format("{} {}", p, next[static_cast<std::size_t>(p)]++));
    }
    EXPECT_EQ(offset, kProducers * kEach / 2);
  }
}

TEST_F(EmbeddedLogTest, AcknowledgesWithoutASyncAtTheWeakerLevel) {
  options_.durability = Durability::kOs;
  reopen();
  create("a");
  write("a", "x");
  const std::uint64_t syncs = disk_.count(disk::Operation::kSync);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(write("a", "y"), i + 1);
  EXPECT_EQ(disk_.count(disk::Operation::kSync), syncs);
  reopen();
  EXPECT_EQ(values("a").size(), 11u);
}

TEST_F(EmbeddedLogTest, HoldsRecordsToTheRulesOfTheirTopic) {
  reopen();
  ASSERT_TRUE(log_->create_topic(
      {"c",
       1,
       {{"cleanup.policy", "compact"}, {"max.message.bytes", "100"}, {"message.timestamp.before.max.ms", "1000"}}}));
  Record good = text("v");
  good.key = "k";
  Record large = good;
  large.value = std::string(33, 'v');
  Record just_fits = good;
  just_fits.value = std::string(30, 'v');
  Record old = good;
  old.timestamp = clock_.now() - std::chrono::milliseconds(1001);
  const auto results = produce("c", {good, text("no key"), large, just_fits, old});
  ASSERT_EQ(results.size(), 5U);
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, ErrorCode::kInvalid);
  EXPECT_THAT(results[1].error().message, testing::HasSubstr("a record of a compacted topic needs a key"));
  EXPECT_THAT(results[2].error().message, testing::HasSubstr("max.message.bytes of the topic is 100"));
  EXPECT_TRUE(results[3]) << results[3].error().message;
  EXPECT_THAT(results[4].error().message, testing::HasSubstr("message.timestamp.before.max.ms"));
  EXPECT_EQ(values("c"), (std::vector<std::string>{"v", *just_fits.value}));
  // No batch that the log made is larger than the topic allows, so each can be copied to another broker.
  for (std::int64_t offset = 0; offset < 2; ++offset) {
    const auto read = log_->read_batches({"c", PartitionId(0)}, Offset(offset), 1, true);
    ASSERT_TRUE(read);
    EXPECT_LE(read_batch_header(read->bytes)->size, 100U);
  }
}

TEST_F(EmbeddedLogTest, StampsRecordsWithTheirArrivalWhereTheTopicWantsIt) {
  reopen();
  ASSERT_TRUE(log_->create_topic({"a", 1, {{"message.timestamp.type", "LogAppendTime"}}}));
  Record record = text("v");
  record.timestamp = WallTime(std::chrono::milliseconds(5));
  produce("a", {record, text("w")});
  for (const StoredRecord& stored : read_all("a")) EXPECT_EQ(stored.timestamp, clock_.now());
  const auto read = log_->read_batches({"a", PartitionId(0)}, Offset(0), 1, true);
  ASSERT_TRUE(read);
  ASSERT_TRUE(check_batch(read->bytes));
  EXPECT_TRUE(check_batch(read->bytes)->log_append_time());
  EXPECT_EQ(log_->find_time({"a", PartitionId(0)}, clock_.now())->value().offset, Offset(0));
}

}  // namespace
}  // namespace pinflow::log
