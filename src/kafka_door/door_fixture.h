#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "groups/coordinator.h"
#include "kafka_door/server.h"
#include "kafka_door/test_client_fixture.h"
#include "kafka_wire/messages/produce_fetch.h"
#include "kafka_wire/messages/session.h"
#include "log/log_fixture.h"
#include "log/record_batch.h"

namespace pinflow::kafka_door {

// Keeps the lines of the log.
class RecordingLogger final : public Logger {
 public:
  void write(Severity, std::string_view message, std::span<const LogField> fields) override {
    const std::scoped_lock lock(mutex_);
    text_ += message;
    for (const LogField& field : fields) fmt::format_to(std::back_inserter(text_), " {}={}", field.key, field.value);
    text_ += '\n';
  }
  std::string text() const {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// A door over a log on a disk in memory, with verbs. For tests.
class DoorFixture : public log::LogFixture {
 protected:
  DoorFixture() {
    door_.addresses = {"127.0.0.1"};
    door_.port = 0;
    door_.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
  }
  ~DoorFixture() override {
    server_.reset();
    coordinator_.reset();
    log_.reset();
  }

  void open() {
    if (log_ == nullptr) reopen();
    auto started = start();
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  Result<std::unique_ptr<KafkaServer>> start() {
    server_.reset();
    coordinator_ = std::make_unique<groups::GroupCoordinator>(groups_, *log_, clock_, lines_, 7);
    return start_server(door_, *log_, *coordinator_, clock_, lines_);
  }
  std::uint16_t port() const { return server_->port(); }

  // One batch with these values.
  static std::string batch(std::vector<std::string> values) {
    std::string bytes;
    log::BatchBuilder builder(bytes, log::Offset(0), 0);
    for (std::string& value : values) {
      builder.add(text(std::move(value)), WallTime(std::chrono::milliseconds(1'700'000'000'000)));
    }
    builder.finish();
    return bytes;
  }
  // The request views `records` and `topic`.
  static kafka_wire::ProduceRequest produce_request(std::string_view topic, std::string_view records,
                                                    std::int16_t acks = -1) {
    kafka_wire::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 10'000;
    request.topics.push_back({topic, {{0, records}}});
    return request;
  }
  static kafka_wire::FetchRequest fetch_request(std::string_view topic, std::int64_t offset) {
    kafka_wire::FetchRequest request;
    request.max_bytes = 1 << 20;
    request.min_bytes = 1;
    request.session_epoch = -1;
    auto& asked = request.topics.emplace_back();
    asked.topic = topic;
    asked.partitions.push_back({0, -1, offset, -1, -1, 1 << 20});
    return request;
  }
  // Bytes that hold `count` whole batches.
  static std::vector<std::string> values_of(std::string_view batches) {
    std::vector<std::string> values;
    while (!batches.empty()) {
      const auto header = log::check_batch(batches);
      EXPECT_TRUE(header) << header.error().message;
      if (!header) break;
      auto records = log::BatchRecords::open(batches.substr(0, header->size), *header);
      log::RecordView record;
      while (records && records->next(record).value_or(false)) values.emplace_back(record.value.value_or("null"));
      batches.remove_prefix(header->size);
    }
    return values;
  }

  KafkaServerOptions door_;
  groups::CoordinatorOptions groups_;
  RecordingLogger lines_;
  std::unique_ptr<groups::GroupCoordinator> coordinator_;
  std::unique_ptr<KafkaServer> server_;
};

}  // namespace pinflow::kafka_door
