#include <cstdlib>
#include <future>
#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "kafka_cluster/kafka_log.h"
#include "log/share.h"

// Against brokers of Apache Kafka, which interop/cluster/run.py starts; without them, each says so and is skipped.
namespace pinflow::kafka_cluster {
namespace {

using Results = std::vector<Result<log::Appended>>;

class RealCluster : public testing::Test {
 protected:
  void SetUp() override {
    const char* const brokers = std::getenv("PINFLOW_TEST_KAFKA");
    if (brokers == nullptr) GTEST_SKIP() << "PINFLOW_TEST_KAFKA names no brokers (interop/cluster/run.py does)";
    options_.properties = {{"bootstrap.servers", brokers}};
    options_.replication = 3;
    options_.delivery_timeout = std::chrono::seconds(60);
    options_.call_timeout = std::chrono::seconds(30);
    topic_ = std::string("t-") + testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
             std::to_string(entropy_seed());
    auto opened = open_kafka_log(options_, clock_, logger_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
  }
  void make(std::int32_t partitions,
            std::vector<std::pair<std::string, std::string>> configs = {{"min.insync.replicas", "2"}}) {
    const auto made = log_->create_topic({topic_, partitions, std::move(configs)});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->partitions, partitions);
  }
  static log::Record text(std::string value) {
    log::Record record;
    record.value = std::move(value);
    return record;
  }
  std::future<Results> send(std::vector<log::Record> records, log::PartitionId partition) {
    auto promise = std::make_shared<std::promise<Results>>();  // The callback may come after the test.
    auto future = promise->get_future();
    log_->produce(topic_, partition, std::move(records),
                  [promise](Results results) { promise->set_value(std::move(results)); });
    return future;
  }
  Results produce(std::vector<log::Record> records, log::PartitionId partition) {
    return send(std::move(records), partition).get();
  }
  // All that is in a partition, by offset.
  std::map<log::Offset, std::string> read_all(log::PartitionId partition) {
    std::map<log::Offset, std::string> all;
    const auto range = log_->offsets({topic_, partition});
    EXPECT_TRUE(range) << range.error().message;
    log::Offset at = range ? range->begin : log::Offset(0);
    while (range && at < range->end) {
      const auto fetched =
          log_->fetch({.positions = {{{topic_, partition}, at}}, .max_wait = std::chrono::seconds(30)}, {});
      EXPECT_TRUE(fetched && !fetched->empty()) << (fetched ? "nothing came" : fetched.error().message);
      if (!fetched || fetched->empty()) break;
      for (const log::StoredRecord& record : fetched->front().records)
        EXPECT_TRUE(all.emplace(record.offset, record.value.value_or("")).second)
            << "offset " << record.offset.value() << " came twice";
      at = fetched->front().next;
    }
    return all;
  }

  KafkaLogOptions options_;
  SystemClock clock_;
  NullLogger logger_;
  std::string topic_;
  std::unique_ptr<log::Log> log_;
};

TEST_F(RealCluster, GivesBackWhatWasStored) {
  make(3);
  std::vector<log::Record> records;
  for (int i = 0; i < 20'000; ++i) records.push_back(text(std::to_string(i)));
  for (std::int32_t p = 0; p < 3; ++p) {
    for (const auto& result : produce(records, log::PartitionId(p))) ASSERT_TRUE(result) << result.error().message;
    const auto all = read_all(log::PartitionId(p));
    ASSERT_EQ(all.size(), records.size());
    for (const auto& [offset, value] : all) ASSERT_EQ(value, std::to_string(offset.value()));
  }
}

TEST_F(RealCluster, MakesChangesAndDeletesTopics) {
  make(2, {{"retention.ms", "3600000"}});
  auto topic = log_->topic(topic_);
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->configs, (std::vector<std::pair<std::string, std::string>>{{"retention.ms", "3600000"}}));
  EXPECT_EQ(log_->create_topic({topic_, 2, {}}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(log_->create_topic({topic_ + "x", 1, {{"no.such.setting", "1"}}}).error().code, ErrorCode::kInvalid);
  const auto changed = log_->alter_topic(topic_, {{"max.message.bytes", "10000"}});
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->configs, (std::vector<std::pair<std::string, std::string>>{{"max.message.bytes", "10000"}}));
  EXPECT_EQ(produce({text(std::string(20'000, 'x'))}, log::PartitionId(0))[0].error().code, ErrorCode::kInvalid);
  const auto grown = log_->add_partitions(topic_, 4);
  ASSERT_TRUE(grown) << grown.error().message;
  EXPECT_EQ(grown->partitions, 4);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(produce({text("a")}, log::PartitionId(3))[0]);
  const auto begin = log_->delete_records({topic_, log::PartitionId(3)}, log::Offset(4));
  ASSERT_TRUE(begin) << begin.error().message;
  EXPECT_EQ(*begin, log::Offset(4));
  EXPECT_EQ(read_all(log::PartitionId(3)).begin()->first, log::Offset(4));
  const auto before = log_->fetch(
      {.positions = {{{topic_, log::PartitionId(3)}, log::Offset(0)}}, .max_wait = std::chrono::seconds(10)}, {});
  ASSERT_TRUE(before && before->size() == 1 && before->front().error);
  EXPECT_EQ(before->front().error->code, ErrorCode::kInvalid);
  ASSERT_TRUE(log_->delete_topic(topic_));
  EXPECT_EQ(log_->topic(topic_).error().code, ErrorCode::kNotFound);
}

TEST_F(RealCluster, KeepsPositionsOfGroupsAndFindsTimes) {
  make(2);
  const WallTime then(std::chrono::milliseconds(1'700'000'000'000));
  std::vector<log::Record> records;
  for (int i = 0; i < 10; ++i) {
    records.push_back(text("a"));
    records.back().timestamp = then + std::chrono::seconds(i);
  }
  for (const auto& result : produce(records, log::PartitionId(1))) ASSERT_TRUE(result) << result.error().message;
  const auto found = log_->find_time({topic_, log::PartitionId(1)}, then + std::chrono::milliseconds(3'500));
  ASSERT_TRUE(found && *found) << (found ? "none" : found.error().message);
  EXPECT_EQ((*found)->offset, log::Offset(4));
  EXPECT_EQ((*found)->timestamp, then + std::chrono::seconds(4));
  EXPECT_EQ(log_->find_time({topic_, log::PartitionId(1)}, then + std::chrono::hours(1)).value(), std::nullopt);
  const std::string group = "g-" + topic_;
  EXPECT_TRUE(log_->committed_offsets(group)->empty());
  const std::vector<log::GroupOffset> offsets = {{{topic_, log::PartitionId(1)}, log::Offset(7), -1, "a note"}};
  const auto committed = log_->commit_offsets(group, offsets);
  ASSERT_TRUE(committed) << committed.error().message;
  const auto back = log_->committed_offsets(group);
  ASSERT_TRUE(back && back->size() == 1) << (back ? "not one" : back.error().message);
  EXPECT_EQ(back->front().offset, log::Offset(7));
  EXPECT_EQ(back->front().metadata, "a note");
  auto share = log_->join(group, {topic_});
  ASSERT_TRUE(share);
  log::Assignment now = (*share)->assignment();
  while (now.partitions.size() < 2) now = (*share)->wait(now.version, {});
  const auto as_member = log_->commit_offsets(group, {{{topic_, log::PartitionId(0)}, log::Offset(0)}});
  EXPECT_TRUE(as_member) << as_member.error().message;
}

// Whoever started the brokers kills one when it reads the line that this prints.
TEST_F(RealCluster, LosesAndDoublesNothingWhileABrokerIsKilled) {
  make(3);
  std::vector<std::map<log::Offset, std::string>> stored(3);
  std::size_t unknown = 0;
  std::size_t refused = 0;
  const auto begun = std::chrono::steady_clock::now();
  bool asked = false;
  for (int i = 0; std::chrono::steady_clock::now() - begun < std::chrono::seconds(25); ++i) {
    std::vector<std::future<Results>> calls;
    for (std::int32_t p = 0; p < 3; ++p) {
      std::vector<log::Record> records;
      for (int k = 0; k < 50; ++k) records.push_back(text(std::to_string(i) + "." + std::to_string(k)));
      calls.push_back(send(std::move(records), log::PartitionId(p)));
    }
    for (std::size_t p = 0; p < 3; ++p) {
      const Results results = calls[p].get();
      for (std::size_t k = 0; k < results.size(); ++k) {
        if (results[k]) {
          EXPECT_TRUE(stored[p].emplace(results[k]->offset, std::to_string(i) + "." + std::to_string(k)).second);
        } else {
          ++(results[k].error().code == ErrorCode::kUnknownOutcome ? unknown : refused);
        }
      }
    }
    if (!asked && std::chrono::steady_clock::now() - begun > std::chrono::seconds(5)) {
      asked = true;
      std::puts("KILL A BROKER");
      std::fflush(stdout);
    }
  }
  std::size_t acknowledged = 0;
  for (std::int32_t p = 0; p < 3; ++p) {
    const auto all = read_all(log::PartitionId(p));
    for (const auto& [offset, value] : stored[static_cast<std::size_t>(p)]) {
      const auto found = all.find(offset);
      ASSERT_TRUE(found != all.end() && found->second == value)
          << "partition " << p << " lost offset " << offset.value();
    }
    acknowledged += stored[static_cast<std::size_t>(p)].size();
    std::map<std::string, int> times;
    for (const auto& [offset, value] : all) EXPECT_EQ(++times[value], 1) << value << " is there twice";
  }
  EXPECT_GT(acknowledged, 1'000u);
  std::printf("acknowledged %zu, refused %zu, unknown %zu\n", acknowledged, refused, unknown);
}

}  // namespace
}  // namespace pinflow::kafka_cluster
