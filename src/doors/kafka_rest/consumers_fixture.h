#pragma once

#include <future>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/consumers.h"
#include "groups/coordinator.h"
#include "http/router.h"
#include "log/log_fixture.h"

namespace pinflow::doors::kafka_rest {

// Consumers over a log on a disk in memory, with its groups, under a clock that moves only when a test says so. For tests.
class ConsumersFixture : public log::LogFixture {
 protected:
  using Fields = std::initializer_list<std::pair<std::string, std::string>>;
  static constexpr auto kAnswerType = "application/vnd.kafka.v2+json";
  static constexpr auto kJsonType = "application/vnd.kafka.json.v2+json";
  static constexpr auto kBinaryType = "application/vnd.kafka.binary.v2+json";

  ~ConsumersFixture() override {
    consumers_.reset();
    coordinator_.reset();
    log_.reset();
  }

  void open(Profile profile = Profile::kConfluent) {
    consumers_.reset();
    coordinator_.reset();
    reopen();
    if (!log_->topic("barrier")) create("barrier");
    groups::CoordinatorOptions groups;
    groups.initial_rebalance_delay = std::chrono::milliseconds(100);
    coordinator_ = std::make_unique<groups::GroupCoordinator>(groups, *log_, clock_, logger_, ++seed_);
    consumer_options_.profile = profile;
    consumer_options_.reader_threads = 1;  // So that look_now() waits for reads.
    consumers_ = std::make_unique<Consumers>(*log_, *coordinator_, clock_, consumer_options_);
    router_ = std::make_unique<http::Router>();
    consumers_->add_routes(*router_);
  }

  // ---- Requests.

  http::Request request(std::string method, std::string_view target, std::string body, const Fields& fields) {
    http::Request out;
    out.method = std::move(method);
    out.target = target;
    const auto path = target.substr(0, target.find('?'));
    for (auto rest = path; !rest.empty();) {
      const auto slash = std::min(rest.find('/'), rest.size());
      if (slash > 0) out.segments.emplace_back(rest.substr(0, slash));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    for (auto rest = target.substr(std::min(path.size() + 1, target.size())); !rest.empty();) {
      const auto part = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
      const auto equals = std::min(part.find('='), part.size());
      out.query.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
    }
    for (const auto& [name, value] : fields) out.headers.add(name, value);
    if (!body.empty() && !out.headers.get("Content-Type")) out.headers.add("Content-Type", kAnswerType);
    out.body = std::move(body);
    out.caller = caller_;
    out.abandoned = abandoned_;
    return out;
  }
  std::future<http::Response> send(std::string method, std::string_view target, std::string body = "",
                                   const Fields& fields = {}) {
    std::promise<http::Response> promise;
    auto future = promise.get_future();
    router_->handle(
        request(std::move(method), target, std::move(body), fields),
        [promise = std::move(promise)](http::Response response) mutable { promise.set_value(std::move(response)); });
    return future;
  }
  static http::Response answer_of(std::future<http::Response> future) {
    const bool came = future.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    EXPECT_TRUE(came) << "a request was not answered";
    return came ? future.get() : http::Response{.status = -1, .headers = {}, .body = {}, .body_stream = nullptr};
  }
  http::Response ask(std::string method, std::string_view target, std::string body = "", const Fields& fields = {}) {
    return answer_of(send(std::move(method), target, std::move(body), fields));
  }

  // ---- Verbs.

  static std::string path_of(std::string_view name, std::string_view below = "", std::string_view group = "g") {
    return fmt::format("/consumers/{}/instances/{}{}", group, name, below);
  }
  void make(std::string_view name, std::string_view settings = R"("format":"json","auto.offset.reset":"earliest")",
            std::string_view group = "g") {
    const auto made = ask("POST", fmt::format("/consumers/{}", group),
                          fmt::format(R"({{"name":"{}",{}}})", name, settings), {{"Content-Type", kAnswerType}});
    EXPECT_EQ(made.status, 200) << made.body;
  }
  http::Response subscribe(std::string_view name, std::string_view topics = R"("t")") {
    return ask("POST", path_of(name, "/subscription"), fmt::format(R"({{"topics":[{}]}})", topics));
  }
  // A new instance of the group that has its part.
  void join(std::string_view name, std::string_view settings = R"("format":"json","auto.offset.reset":"earliest")") {
    make(name, settings);
    EXPECT_EQ(subscribe(name).status, 204);
    pass(std::chrono::seconds(2));
  }
  std::future<http::Response> begin_read(std::string_view name, std::string_view query = "",
                                         std::string_view accept = kJsonType) {
    auto future = send("GET", path_of(name, fmt::format("/records{}", query)), "", {{"Accept", std::string(accept)}});
    settle();
    return future;
  }
  http::Response read(std::string_view name, std::string_view query = "", std::string_view accept = kJsonType) {
    return answer_of(begin_read(name, query, accept));
  }
  // What an instance reads when there is nothing more: the time of the read passes.
  std::string read_nothing(std::string_view name) {
    auto future = begin_read(name);
    pass(std::chrono::milliseconds(1'100));
    return answer_of(std::move(future)).body;
  }
  std::string assignments(std::string_view name) { return ask("GET", path_of(name, "/assignments")).body; }
  std::string committed(std::string_view name, std::string_view partitions = R"({"topic":"t","partition":0})") {
    return ask("GET", path_of(name, "/offsets"), fmt::format(R"({{"partitions":[{}]}})", partitions)).body;
  }
  void write_to(const std::string& topic, std::vector<std::string> values, std::int32_t partition = 0) {
    std::vector<log::Record> records;
    for (std::string& value : values) records.push_back(text(std::move(value)));
    for (const auto& result : produce(topic, std::move(records), log::PartitionId(partition)))
      EXPECT_TRUE(result) << result.error().message;
  }

  // Lets all that is under way between the instances, the groups and the log come to rest.
  void settle() {
    for (int round = 0; round < 4; ++round) {
      EXPECT_TRUE(log_->commit_offsets("barrier", {{{"barrier", log::PartitionId(0)}, log::Offset(1)}}));
      consumers_->look_now();
    }
  }
  // Lets time pass, firing what is due on the way.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = std::chrono::milliseconds(100)) {
    for (; time.count() > 0; time -= step) {
      clock_.advance(std::min(step, time));
      coordinator_->advance();
      settle();
    }
  }

  static void expect(const http::Response& response, int status, std::string_view body) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, body);
  }
  static void expect_refused(const http::Response& response, int status, int code, std::string_view message) {
    expect(response, status, fmt::format(R"({{"error_code":{},"message":"{}"}})", code, message));
  }

  ConsumerOptions consumer_options_;
  std::shared_ptr<const access::Caller> caller_;
  std::stop_token abandoned_;
  std::uint64_t seed_ = 0;
  std::unique_ptr<groups::GroupCoordinator> coordinator_;
  std::unique_ptr<Consumers> consumers_;
  std::unique_ptr<http::Router> router_;
};

// Over a topic "t" of two partitions.
class ConsumersTest : public ConsumersFixture {
 protected:
  ConsumersTest() {
    open();
    create("t", 2);
  }
  static constexpr std::string_view kManual =
      R"("format":"json","auto.offset.reset":"earliest","auto.commit.enable":"false")";
};

class KarapaceConsumersTest : public ConsumersFixture {
 protected:
  KarapaceConsumersTest() {
    open(Profile::kKarapace);
    create("t", 2);
  }
};

}  // namespace pinflow::doors::kafka_rest
