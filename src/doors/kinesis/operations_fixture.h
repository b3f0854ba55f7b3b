#pragma once

#include <future>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kinesis/operations.h"
#include "log/testing/memory_log.h"

namespace pinflow::doors::kinesis {

using Members = std::initializer_list<std::pair<std::string_view, Value>>;

inline Value text(std::string_view value) {
  return Value(std::string(value));
}
inline Value number(std::int64_t value) {
  return Value(value);
}
inline Value structure(Members members) {
  Value::Structure out;
  for (const auto& [name, value] : members) out.emplace_back(name, value);
  return Value(std::move(out));
}
inline Value record(std::string_view key, std::string_view data) {
  return structure({{"PartitionKey", text(key)}, {"Data", text(data)}});
}
inline Value texts(std::initializer_list<std::string_view> items) {
  Value::List out;
  for (const auto item : items) out.push_back(text(item));
  return Value(std::move(out));
}
inline Value tags(std::initializer_list<std::pair<std::string, std::string>> items) {
  Value::Map out;
  for (const auto& [key, value] : items) out.emplace_back(key, text(value));
  return Value(std::move(out));
}

inline std::string between(std::string_view all, std::string_view before, std::string_view after, int skip = 0) {
  std::size_t from = 0;
  for (int i = 0; i <= skip; ++i) {
    const auto at = all.find(before, from);
    if (at == std::string_view::npos) return "";
    from = at + before.size();
  }
  return std::string(all.substr(from, all.find(after, from) - from));
}

// The operations over any log, asked without a network and with a clock that stands still.
class OperationsDriver {
 public:
  OperationsDriver(log::Log& log, ManualClock& clock, KinesisOptions options = {})
      : clock_(clock), operations_(log, clock, Random(3), options) {}

  std::future<std::expected<Answer, Fault>> send(std::string_view operation, Value input) {
    Call call;
    call.operation = operation;
    call.input = std::move(input);
    call.caller = caller;
    std::promise<std::expected<Answer, Fault>> promise;
    auto future = promise.get_future();
    operations_.run(std::move(call), [promise = std::move(promise)](std::expected<Answer, Fault> outcome) mutable {
      promise.set_value(std::move(outcome));
    });
    return future;
  }
  // The body; of an error "Type 400: message".
  std::string ask_value(std::string_view operation, Value input) {
    auto outcome = send(operation, std::move(input)).get();
    if (outcome) return std::move(outcome->body);
    return fmt::format("{} {}: {}", outcome.error().type, outcome.error().status, outcome.error().message);
  }
  std::string ask(std::string_view operation, Members members) { return ask_value(operation, structure(members)); }
  // Lets time pass and waits until the changes that are due are made.
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    operations_.run_due();
    (void)ask("UpdateAccountSettings", {});  // Runs behind them.
  }
  void create(std::string_view name, std::int64_t shards) {
    EXPECT_EQ(ask("CreateStream", {{"StreamName", text(name)}, {"ShardCount", number(shards)}}), "");
    pass(std::chrono::seconds(1));
  }
  std::string put(std::string_view stream, std::string_view key, std::string_view data) {
    return ask("PutRecord", {{"StreamName", text(stream)}, {"PartitionKey", text(key)}, {"Data", text(data)}});
  }
  std::string iterator(std::string_view stream, std::string_view shard, std::string_view type = "TRIM_HORIZON") {
    return between(ask("GetShardIterator",
                       {{"StreamName", text(stream)}, {"ShardId", text(shard)}, {"ShardIteratorType", text(type)}}),
                   ":\"", "\"");
  }
  std::string get(std::string_view iterator) { return ask("GetRecords", {{"ShardIterator", text(iterator)}}); }
  std::string describe(std::string_view stream) { return ask("DescribeStream", {{"StreamName", text(stream)}}); }

  std::shared_ptr<const access::Caller> caller;

 private:
  ManualClock& clock_;
  KinesisOperations operations_;
};

class KinesisTest : public testing::Test {
 protected:
  void restart(KinesisOptions options = {}) {
    kinesis_.reset();
    kinesis_ = std::make_unique<OperationsDriver>(log_, clock_, options);
  }

  log::MemoryLog log_;
  ManualClock clock_;
  std::unique_ptr<OperationsDriver> kinesis_ = std::make_unique<OperationsDriver>(log_, clock_);
};

}  // namespace pinflow::doors::kinesis
