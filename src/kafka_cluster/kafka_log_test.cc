#include "kafka_cluster/kafka_log.h"

#include <set>

#include <gmock/gmock.h>

#include "kafka_cluster/mock_cluster_fixture.h"
#include "log/partitioner.h"

namespace pinflow::kafka_cluster {
namespace {

using testing::HasSubstr;

class KafkaLog : public MockClusterFixture {};

TEST_F(KafkaLog, GivesBackWhatWasStored) {
  make_topic("t", 1);
  open();
  std::vector<log::Record> sent(5);
  sent[0].value = "plain";
  sent[1] = {"key",
             "value",
             {{"name", "header"}, {"none", std::nullopt}},
             WallTime(std::chrono::milliseconds(1'700'000'000'123))};
  sent[2].key = "only a key";
  sent[3] = {"", "", {}, std::nullopt};
  sent[4] = {std::nullopt, std::string("\0bytes\xff", 7), {}, std::nullopt};
  const auto results = produce("t", sent);
  ASSERT_EQ(results.size(), sent.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i]) << results[i].error().message;
    EXPECT_EQ(results[i]->offset, log::Offset(static_cast<std::int64_t>(i)));
  }
  const auto found = read("t", 0, 0, sent.size());
  ASSERT_EQ(found.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(found[i].key, sent[i].key) << i;
    EXPECT_EQ(found[i].value, sent[i].value) << i;
    EXPECT_EQ(found[i].headers, sent[i].headers) << i;
  }
  EXPECT_EQ(found[1].timestamp, *sent[1].timestamp);
}

TEST_F(KafkaLog, PutsKeysWhereKafkaDoesAndTheRestOfACallTogether) {
  make_topic("t", 5);
  open();
  std::vector<log::Record> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(text("v"));
    if (i % 2 == 0) records.back().key = std::to_string(i);
  }
  const auto results = produce("t", records);
  std::set<log::PartitionId> keyless;
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_TRUE(results[i]) << results[i].error().message;
    if (records[i].key) {
      EXPECT_EQ(results[i]->partition, log::partition_of_key(*records[i].key, 5));
    } else {
      keyless.insert(results[i]->partition);
    }
  }
  EXPECT_EQ(keyless.size(), 1u);
}

TEST_F(KafkaLog, ReadsOnWithoutLosingOrDoublingOverManySmallFetches) {
  make_topic("t", 3);
  open();
  std::vector<log::Record> records;
  for (int i = 0; i < 3'000; ++i) records.push_back(text(std::to_string(i)));
  for (std::int32_t p = 0; p < 3; ++p) {
    for (const auto& result : produce("t", records, log::PartitionId(p))) ASSERT_TRUE(result) << result.error().message;
  }
  std::vector<log::FetchPosition> positions;
  for (std::int32_t p = 0; p < 3; ++p) positions.push_back({{"t", log::PartitionId(p)}, log::Offset(0)});
  std::size_t count = 0;
  for (int calls = 0; count < 9'000 && calls < 2'000; ++calls) {
    const auto fetched = log_->fetch(
        {.positions = positions, .max_bytes = 5'000, .max_records = 100, .max_wait = std::chrono::seconds(5)}, {});
    ASSERT_TRUE(fetched) << fetched.error().message;
    std::size_t of_call = 0;
    for (const auto& each : *fetched) {
      auto& at = positions[static_cast<std::size_t>(each.partition.partition.value())].offset;
      for (const auto& record : each.records) {
        ASSERT_EQ(record.offset, at);
        ASSERT_EQ(*record.value, std::to_string(at.value()));
        ++at;
      }
      EXPECT_EQ(each.next, at);
      of_call += each.records.size();
    }
    EXPECT_LE(of_call, 100u);
    count += of_call;
  }
  EXPECT_EQ(count, 9'000u);
}

TEST_F(KafkaLog, ServesReadersOfOnePartitionAtDifferentPlaces) {
  make_topic("t", 1);
  open();
  std::vector<log::Record> records;
  for (int i = 0; i < 100; ++i) records.push_back(text(std::to_string(i)));
  produce("t", records);
  for (const std::int64_t from : {0, 50, 99, 10}) {
    const auto found = read("t", 0, from, static_cast<std::size_t>(100 - from));
    ASSERT_EQ(found.size(), static_cast<std::size_t>(100 - from));
    EXPECT_EQ(found.front().offset, log::Offset(from));
  }
}

TEST_F(KafkaLog, AFetchWithoutPatienceGivesWhatIsThere) {
  make_topic("t", 1);
  open();
  produce("t", {text("a")});
  for (std::int64_t i = 0; i < 20; ++i) {
    const auto fetched = log_->fetch({.positions = {{{"t", log::PartitionId(0)}, log::Offset(i)}}}, {});
    ASSERT_TRUE(fetched) << fetched.error().message;
    ASSERT_EQ(fetched->size(), 1u) << i;
    EXPECT_EQ(fetched->front().records.size(), 1u);
    ASSERT_TRUE(produce("t", {text("b")})[0]);
  }
}

TEST_F(KafkaLog, AStopEndsAFetchThatWaits) {
  make_topic("t", 1);
  open();
  std::stop_source stop;
  auto fetched = std::async(std::launch::async, [&] {
    return log_->fetch({.positions = {{{"t", log::PartitionId(0)}, log::Offset(0)}}, .max_wait = std::chrono::hours(1)},
                       stop.get_token());
  });
  stop.request_stop();
  ASSERT_EQ(fetched.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_TRUE(fetched.get()->empty());
}

TEST_F(KafkaLog, SaysWhatCannotBeRead) {
  make_topic("t", 1);
  open();
  produce("t", {text("a")});
  const auto fetched = log_->fetch({.positions = {{{"gone", log::PartitionId(0)}, log::Offset(0)},
                                                  {{"t", log::PartitionId(7)}, log::Offset(0)},
                                                  {{"t", log::PartitionId(0)}, log::Offset(99)}},
                                    .max_wait = std::chrono::seconds(5)},
                                   {});
  ASSERT_TRUE(fetched) << fetched.error().message;
  ASSERT_GE(fetched->size(), 2u);
  EXPECT_EQ((*fetched)[0].error->code, ErrorCode::kNotFound);
  EXPECT_EQ((*fetched)[1].error->code, ErrorCode::kNotFound);
  const auto behind = log_->fetch(
      {.positions = {{{"t", log::PartitionId(0)}, log::Offset(99)}}, .max_wait = std::chrono::seconds(5)}, {});
  ASSERT_TRUE(behind && behind->size() == 1 && behind->front().error);
  EXPECT_EQ(behind->front().error->code, ErrorCode::kInvalid);
  EXPECT_EQ(read("t", 0, 0, 1).size(), 1u) << "the partition can be read again";
}

TEST_F(KafkaLog, RefusesWhatIsTooLargeNamingTheLimit) {
  make_topic("t", 1);
  options_.max_record_size = ByteCount(10'000);
  open();
  const auto results = produce("t", {text("small"), text(std::string(20'000, 'x')), text("small too")});
  EXPECT_TRUE(results[0] && results[2]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().code, ErrorCode::kInvalid);
  EXPECT_THAT(results[1].error().message, HasSubstr("over the limit of"));
  EXPECT_EQ(produce("nowhere", {text("a")})[0].error().code, ErrorCode::kNotFound);
}

// The mock knows no limits, but says once that a batch is too large.
TEST_F(KafkaLog, SendsAloneTheRecordsOfABatchThatABrokerFindsTooLarge) {
  make_topic("t", 1);
  open();
  rd_kafka_mock_push_request_errors(cluster_, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  std::vector<log::Record> records;
  for (int i = 0; i < 100; ++i) records.push_back(text(std::to_string(i)));
  for (const auto& result : produce("t", records)) EXPECT_TRUE(result) << result.error().message;
  const auto found = read("t", 0, 0, 100);
  ASSERT_EQ(found.size(), 100u);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].value, std::to_string(i));
}

TEST_F(KafkaLog, RefusesARecordThatIsTooLargeAlone) {
  make_topic("t", 1);
  open();
  rd_kafka_mock_push_request_errors(cluster_, 0, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const auto results = produce("t", {text("a")});
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, ErrorCode::kInvalid);
  EXPECT_THAT(results[0].error().message, HasSubstr("max.message.bytes"));
  EXPECT_TRUE(produce("t", {text("b")})[0]);
}

TEST_F(KafkaLog, AnswersEachRecordOfTopicsWithSmallBatches) {
  make_topic("t", 1);
  for (const std::uint64_t limit : {100'000, 2'000}) {
    options_.max_record_size = ByteCount(limit);
    open();
    std::vector<log::Record> records(200, text(std::string(1'000, 'x')));
    records[7] = text(std::string(limit, 'x'));
    const auto results = produce("t", records);
    for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].has_value(), i != 7) << i;
    log_.reset();
  }
}

TEST_F(KafkaLog, RefusesWhatIsOverTheBoundAndTellsTheTruthOfBrokersThatAreAway) {
  make_topic("t", 1);
  options_.max_pending = ByteCount(100'000);
  options_.delivery_timeout = std::chrono::milliseconds(2'000);
  open();
  ASSERT_TRUE(produce("t", {text("before")})[0]);
  rd_kafka_mock_broker_set_down(cluster_, -1);
  auto waiting = send("t", {text(std::string(50'000, 'x'))});
  const auto over = produce("t", {text(std::string(60'000, 'x'))});
  EXPECT_EQ(over[0].error().code, ErrorCode::kOverloaded);
  const auto given_up = waiting.get();
  ASSERT_FALSE(given_up[0]);
  EXPECT_TRUE(given_up[0].error().code == ErrorCode::kUnavailable ||
              given_up[0].error().code == ErrorCode::kUnknownOutcome);
  const auto blind = log_->fetch({.positions = {{{"t", log::PartitionId(0)}, log::Offset(1)}}}, {});
  ASSERT_FALSE(blind);
  EXPECT_EQ(blind.error().code, ErrorCode::kUnavailable);
  rd_kafka_mock_broker_set_up(cluster_, -1);
  // A connection is tried again every two seconds, which is as long as a record waits here.
  const auto deadline = clock_.steady_now() + std::chrono::seconds(20);
  bool again = false;
  while (!again && clock_.steady_now() < deadline) again = produce("t", {text("after")})[0].has_value();
  EXPECT_TRUE(again) << "it goes on when the brokers are back";
}

TEST_F(KafkaLog, StoresOnceWhatABrokerRefusedForAMoment) {
  make_topic("t", 1);
  open();
  rd_kafka_mock_push_request_errors(cluster_, 0, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  std::vector<log::Record> records;
  for (int i = 0; i < 100; ++i) records.push_back(text(std::to_string(i)));
  for (const auto& result : produce("t", records)) EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(read("t", 0, 0, 100).size(), 100u);
}

TEST_F(KafkaLog, FollowsALeaderThatMoves) {
  make_topic("t", 1);
  rd_kafka_mock_partition_set_leader(cluster_, "t", 0, 1);
  open();
  ASSERT_TRUE(produce("t", {text("a")})[0]);
  ASSERT_EQ(read("t", 0, 0, 1).size(), 1u);
  rd_kafka_mock_partition_set_leader(cluster_, "t", 0, 2);
  ASSERT_TRUE(produce("t", {text("b")})[0]);
  EXPECT_EQ(read("t", 0, 1, 1).size(), 1u);
}

TEST_F(KafkaLog, OpensAnotherProducerAfterAFatalError) {
  make_topic("t", 1);
  open();
  ASSERT_TRUE(produce("t", {text("a")})[0]);
  rd_kafka_mock_push_request_errors(cluster_, 0, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  (void)produce("t", {text("b")});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool again = false;
  while (!again && std::chrono::steady_clock::now() < deadline) again = produce("t", {text("c")})[0].has_value();
  EXPECT_TRUE(again);
}

TEST_F(KafkaLog, KnowsARequestAgain) {
  make_topic("t", 4);
  open();
  const auto once = [&](log::RequestMark mark) {
    std::promise<std::vector<Result<log::Appended>>> done;
    auto future = done.get_future();
    log_->produce_once("t", mark, {text("a"), text("b")}, {},
                       [&](std::vector<Result<log::Appended>> results) { done.set_value(std::move(results)); });
    return future.get();
  };
  const auto first = once({77, 1});
  ASSERT_TRUE(first[0] && first[1]);
  EXPECT_FALSE(first[0]->repeated);
  EXPECT_EQ(first[0]->partition, log::PartitionId(77 % 4));
  const auto second = once({77, 1});
  ASSERT_TRUE(second[0] && second[1]);
  EXPECT_TRUE(second[0]->repeated);
  EXPECT_EQ(second[1]->offset, first[1]->offset);
  EXPECT_EQ(once({77, 2})[0].error().code, ErrorCode::kConflict);
  EXPECT_EQ(log_->offsets({"t", log::PartitionId(1)})->end, log::Offset(2));
}

TEST_F(KafkaLog, TellsTopicsAndOffsets) {
  make_topic("b", 2);
  make_topic("a", 1);
  open();
  const auto topics = log_->topics();
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[0].name, "a");
  EXPECT_EQ(topics[1].partitions, 2);
  EXPECT_NE(topics[0].id, topics[1].id);
  produce("a", {text("1"), text("2")});
  const auto range = log_->offsets({"a", log::PartitionId(0)});
  ASSERT_TRUE(range) << range.error().message;
  EXPECT_EQ(range->begin, log::Offset(0));
  EXPECT_EQ(range->end, log::Offset(2));
  EXPECT_EQ(log_->offsets({"a", log::PartitionId(1)}).error().code, ErrorCode::kNotFound);
}

TEST_F(KafkaLog, CallsWhoWatchesOnceRecordsAreThere) {
  make_topic("t", 2);
  open();
  std::promise<void> ready;
  const std::vector<log::FetchPosition> positions = {{{"t", log::PartitionId(0)}, log::Offset(0)},
                                                     {{"t", log::PartitionId(1)}, log::Offset(0)}};
  const auto watch = log_->watch(positions, [&] { ready.set_value(); });
  auto called = ready.get_future();
  EXPECT_EQ(called.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  ASSERT_TRUE(produce("t", {text("a")}, log::PartitionId(1))[0]);
  EXPECT_EQ(called.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  std::promise<void> at_once;
  const auto second = log_->watch(positions, [&] { at_once.set_value(); });
  EXPECT_EQ(at_once.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  bool withdrawn_called = false;
  {
    const auto withdrawn = log_->watch(positions, [&] { withdrawn_called = true; });
  }
  const bool then = withdrawn_called;
  ASSERT_TRUE(produce("t", {text("b")}, log::PartitionId(1))[0]);
  EXPECT_EQ(withdrawn_called, then);
}

TEST_F(KafkaLog, SurvivesThatTheCoordinatorOfAGroupMoves) {
  constexpr std::int16_t kOffsetFetch = 9;
  make_topic("t", 2);
  open();
  const std::vector<log::GroupOffset> offsets = {
      {.partition = {"t", log::PartitionId(1)}, .offset = log::Offset(7), .metadata = "a note"}};
  constexpr std::int16_t kOffsetCommit = 8;
  rd_kafka_mock_push_request_errors(cluster_, kOffsetCommit, 2, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  const auto committed = log_->commit_offsets("g", offsets);
  ASSERT_TRUE(committed) << committed.error().message;
  rd_kafka_mock_push_request_errors(cluster_, kOffsetFetch, 1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  const auto told = log_->committed_offsets("g");
  ASSERT_TRUE(told) << told.error().message;
  ASSERT_EQ(told->size(), 1u);
  EXPECT_EQ(told->at(0).partition, offsets[0].partition);
  EXPECT_EQ(told->at(0).offset, offsets[0].offset);
  EXPECT_EQ(told->at(0).metadata, "a note");
}

TEST_F(KafkaLog, CannotBeOpenedWithoutBrokersOrWithPropertiesOfItsOwn) {
  options_.properties.emplace_back("acks", "1");
  auto opened = open_kafka_log(options_, clock_, logger_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message, HasSubstr("acks"));
  options_.properties = {};
  EXPECT_THAT(open_kafka_log(options_, clock_, logger_).error().message, HasSubstr("bootstrap.servers"));
  options_.properties = {{"bootstrap.servers", "127.0.0.1:1"}, {"log_level", "0"}};
  options_.call_timeout = std::chrono::milliseconds(1'000);
  opened = open_kafka_log(options_, clock_, logger_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("bootstrap.servers"));
}

}  // namespace
}  // namespace pinflow::kafka_cluster
