#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/logger.h"
#include "disk/memory_disk.h"
#include "log/embedded_log.h"
#include "log/record_batch.h"

namespace pinflow::log {

// A log on a disk in memory, with verbs. For tests.
class LogFixture : public testing::Test {
 protected:
  LogFixture() {
    options_.folder = "/log";
    options_.reserved_space = ByteCount(0);
    options_.cleaning_period = std::chrono::milliseconds(0);  // Tests say when.
    options_.sync_threads = 1;                                // A seed gives the same operations in the same order.
  }

  // Closes the log, if it is open, and opens it again.
  void reopen() {
    log_.reset();
    auto opened = open_embedded_log(options_, disk_, clock_, logger_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = std::move(*opened);
  }
  // Cuts the power.
  void crash(Random& random) {
    disk_.lose_power_at(1);
    log_.reset();
    disk_.crash(random);
  }

  void create(const std::string& topic, std::int32_t partitions = 1) {
    const auto made = log_->create_topic({topic, partitions, {}});
    ASSERT_TRUE(made) << made.error().message;
  }

  static Record text(std::string value) { return {std::nullopt, std::move(value), {}, std::nullopt}; }

  std::future<std::vector<Result<Appended>>> produce_later(const std::string& topic, std::vector<Record> records,
                                                           PartitionId partition = PartitionId(0)) {
    auto promise = std::make_shared<std::promise<std::vector<Result<Appended>>>>();
    log_->produce(topic, partition, std::move(records),
                  [promise](std::vector<Result<Appended>> results) { promise->set_value(std::move(results)); });
    return promise->get_future();
  }
  std::vector<Result<Appended>> produce(const std::string& topic, std::vector<Record> records,
                                        PartitionId partition = PartitionId(0)) {
    return produce_later(topic, std::move(records), partition).get();
  }
  // One record with this value; gives its offset, -1 after an error, which is kept in last_error_.
  std::int64_t write(const std::string& topic, std::string value) {
    const auto results = produce(topic, {text(std::move(value))});
    if (results[0]) return results[0]->offset.value();
    last_error_ = results[0].error();
    return -1;
  }

  // A batch as a producer sends it.
  std::string batch_of(const std::vector<std::string>& values, const BatchProducer& producer = {}) {
    std::string bytes;
    BatchBuilder batch(bytes, Offset(0), -1);
    for (const std::string& value : values) batch.add(text(value), clock_.now());
    batch.finish(producer);
    return bytes;
  }
  std::future<BatchResult> append_later(const std::string& topic, std::string batch,
                                        PartitionId partition = PartitionId(0)) {
    auto promise = std::make_shared<std::promise<BatchResult>>();
    const auto bytes = std::make_shared<std::string>(std::move(batch));
    log_->append_batch({{topic, partition}, *bytes, bytes},
                       [promise](BatchResult result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }
  BatchResult append(const std::string& topic, std::string batch, PartitionId partition = PartitionId(0)) {
    return append_later(topic, std::move(batch), partition).get();
  }

  FetchedPartition fetch_at(const std::string& topic, Offset offset, PartitionId partition = PartitionId(0)) {
    auto fetched = log_->fetch({{{{topic, partition}, offset}}}, {});
    EXPECT_TRUE(fetched);
    if (fetched->empty()) return {};
    return std::move(fetched->front());
  }
  std::vector<StoredRecord> read_all(const std::string& topic, PartitionId partition = PartitionId(0)) {
    std::vector<StoredRecord> all;
    const auto range = log_->offsets({topic, partition});
    EXPECT_TRUE(range);
    Offset next = range->begin;
    while (next < range->end) {
      FetchedPartition fetched = fetch_at(topic, next, partition);
      EXPECT_FALSE(fetched.error) << fetched.error->message;
      if (fetched.records.empty()) break;
      next = fetched.records.back().offset + 1;
      std::ranges::move(fetched.records, std::back_inserter(all));
    }
    return all;
  }
  std::vector<std::string> values(const std::string& topic) {
    std::vector<std::string> all;
    for (const StoredRecord& record : read_all(topic)) all.push_back(record.value.value_or("null"));
    return all;
  }

  // The folder of a topic's partition, and the files of its segments.
  disk::Path partition_folder(const std::string& topic, std::int32_t partition = 0) {
    for (const disk::Entry& entry : disk_.list("/log/topics").value())
      if (entry.name.starts_with(topic + "-"))
        return disk::Path("/log/topics") / entry.name / std::to_string(partition);
    return {};
  }
  std::vector<disk::Path> segments(const std::string& topic) {
    std::vector<disk::Path> paths;
    const disk::Path folder = partition_folder(topic);
    for (const disk::Entry& entry : disk_.list(folder).value())
      if (entry.name.ends_with(".log")) paths.push_back(folder / entry.name);
    return paths;
  }
  std::uint64_t size_of(const disk::Path& path) { return disk_.describe(path)->size; }

  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
  EmbeddedLogOptions options_;
  std::unique_ptr<EmbeddedLog> log_;
  Error last_error_;
};

}  // namespace pinflow::log
