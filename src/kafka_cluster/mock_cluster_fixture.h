#pragma once

#include <condition_variable>
#include <future>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kafka_cluster/kafka_log.h"

namespace pinflow::kafka_cluster {

// A log on librdkafka's mock of a cluster, with verbs. For tests.
class MockClusterFixture : public testing::Test {
 protected:
  void SetUp() override {
#if __has_feature(thread_sanitizer)
    GTEST_SKIP() << "librdkafka starts threads in a way that the thread sanitizer does not see, and crashes under it";
#endif
    char text[512] = {};
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    ASSERT_NE(host_, nullptr) << text;
    cluster_ = rd_kafka_mock_cluster_new(host_, 3);
    options_.properties = {{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)}, {"log_level", "0"}};
    options_.call_timeout = std::chrono::milliseconds(3'000);
    options_.metadata_interval = std::chrono::milliseconds(500);
  }
  void TearDown() override {
    log_.reset();
    if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
    if (host_ != nullptr) rd_kafka_destroy(host_);
  }

  void make_topic(const std::string& name, int partitions) {
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  void open() {
    auto opened = open_kafka_log(options_, clock_, logger_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
  }

  static log::Record text(std::string value) {
    log::Record record;
    record.value = std::move(value);
    return record;
  }
  std::future<std::vector<Result<log::Appended>>> send(const std::string& topic, std::vector<log::Record> records,
                                                       log::PartitionId partition = log::kAnyPartition) {
    auto promise =
        std::make_shared<std::promise<std::vector<Result<log::Appended>>>>();  // The callback may come after the test.
    auto future = promise->get_future();
    log_->produce(topic, partition, std::move(records),
                  [promise](std::vector<Result<log::Appended>> results) { promise->set_value(std::move(results)); });
    return future;
  }
  std::vector<Result<log::Appended>> produce(const std::string& topic, std::vector<log::Record> records,
                                             log::PartitionId partition = log::kAnyPartition) {
    return send(topic, std::move(records), partition).get();
  }
  // Reads on until there are so many records, and not longer than ten seconds.
  std::vector<log::StoredRecord> read(const std::string& topic, std::int32_t partition, std::int64_t from,
                                      std::size_t count) {
    std::vector<log::StoredRecord> records;
    log::Offset at(from);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (records.size() < count && std::chrono::steady_clock::now() < deadline) {
      log::FetchRequest request;
      request.positions = {{{topic, log::PartitionId(partition)}, at}};
      request.max_wait = std::chrono::milliseconds(500);
      auto fetched = log_->fetch(request, {});
      EXPECT_TRUE(fetched) << fetched.error().message;
      if (!fetched) break;
      for (auto& each : *fetched) {
        EXPECT_FALSE(each.error) << each.error->message;
        if (each.error) return records;
        at = each.next;
        for (auto& record : each.records) records.push_back(std::move(record));
      }
    }
    return records;
  }

  KafkaLogOptions options_;
  SystemClock clock_;
  NullLogger logger_;
  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::unique_ptr<log::Log> log_;
};

}  // namespace pinflow::kafka_cluster
