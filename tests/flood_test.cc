// What a server on the open network meets: more connections than work, and peers that hold on to them. PINFLOW_FLOOD=full takes the
// size and the time limits that `make soak` proves; without it everything is small.

#include "flood.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "net/listen.h"
#include "posting_load.h"
#include "records/kind.h"
#include "running_pinflow.h"

namespace pinflow::testing {
namespace {

using std::chrono::seconds;

const bool kFull = std::getenv("PINFLOW_FLOOD") != nullptr && std::string_view(std::getenv("PINFLOW_FLOOD")) == "full";
#if __has_feature(address_sanitizer)
constexpr std::uint64_t kFlat = std::uint64_t{1} << 30;  // The sanitizer keeps what is freed for a while: no measure.
#else
constexpr std::uint64_t kFlat = 48 << 20;
#endif
constexpr double kMostRequests = 0.999;

class HttpFlood : public ::testing::Test {
 protected:
  HttpFlood() { net::raise_open_file_limit(); }

  void start(std::vector<std::string> settings) {
    settings.emplace_back("http.max_connections_per_address=20000");
    std::vector<std::string> arguments;
    for (std::string& setting : settings) arguments.insert(arguments.end(), {"--set", std::move(setting)});
    pinflow_ = std::make_unique<RunningPinflow>(folder_ / "data", std::move(arguments));
    const auto usual = traffic(4);
    watch(kFull ? seconds(5) : seconds(1));
    usual->stop();
    EXPECT_EQ(usual->bad(), 0u);
    before_ = most_ = resident_bytes(pinflow_->pid());
  }
  std::unique_ptr<UsualTraffic> traffic(std::size_t threads) const {
    return std::make_unique<UsualTraffic>(pinflow_->port(), threads, path(), "application/vnd.kafka.json.v2+json",
                                          body());
  }
  static std::string path() { return "/topics/" + records::Names().topic(records::Kind::kPin); }
  static std::string body() {
    return fmt::format(R"({{"records":[{{"value":{}}}]}})", post_json(records::Kind::kPin, 1));
  }
  static std::string post() {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.kafka.json.v2+json\r\nContent-Length: "
        "{}\r\n\r\n{}",
        path(), body().size(), body());
  }
  // Lets the time pass and keeps the most memory that the server held.
  void watch(seconds time) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable clock;
    for (auto left = time * 4; left.count() > 0; --left) {
      clock.wait_for(lock, std::chrono::milliseconds(250), [] { return false; });
      most_ = std::max(most_, resident_bytes(pinflow_->pid()));
    }
  }
  void expect_flat_memory(std::string_view what) {
    fmt::print("{}: memory {:.1f} MiB before, at most {:.1f} MiB\n", what, mib(before_), mib(most_));
    EXPECT_LT(most_, before_ + kFlat);
  }
  static double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }
  static void expect_success(UsualTraffic& usual, std::string_view what, seconds time) {
    usual.stop();
    fmt::print("{}: usual traffic {} good, {} bad ({:.4f} %), {:.0f}/s, p50 {} us, p99 {} us, longest {} us\n", what,
               usual.good(), usual.bad(), usual.success() * 100,
               static_cast<double>(usual.good()) / static_cast<double>(time.count()), usual.percentile(0.5).count(),
               usual.percentile(0.99).count(), usual.percentile(1).count());
    EXPECT_GT(usual.good(), 0u);
    EXPECT_GE(usual.success(), kMostRequests);
  }

  TemporaryFolder folder_;
  std::unique_ptr<RunningPinflow> pinflow_;
  std::uint64_t before_ = 0;
  std::uint64_t most_ = 0;
};

TEST_F(HttpFlood, ManyOpenConnectionsOfWhichFewAreActive) {
  const std::size_t idle_count = kFull ? 9'500 : 300;
  const std::size_t active_count = kFull ? 500 : 50;
  const seconds time = kFull ? seconds(20) : seconds(2);
  start({});
  {
    const Crowd alone(pinflow_->port(), active_count, {.opening = post(), .asks_on = true});
    watch(time);
    fmt::print("{} active connections alone: {:.0f} posts/s\n", active_count,
               static_cast<double>(alone.good_answers()) / static_cast<double>(time.count()));
  }
  const Crowd idle(pinflow_->port(), idle_count, {.opening = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"});
  ASSERT_TRUE(idle.wait_until_settled());
  const Crowd active(pinflow_->port(), active_count, {.opening = post(), .asks_on = true});
  const auto usual = traffic(4);
  const std::uint64_t earlier = active.good_answers();
  watch(time);
  const std::uint64_t answers = active.good_answers() - earlier;
  fmt::print("{} open connections, {} of them active: {:.0f} posts/s\n", idle_count + active_count, active_count,
             static_cast<double>(answers) / static_cast<double>(time.count()));
  expect_success(*usual, "many connections", time);
  expect_flat_memory("many connections");
  EXPECT_TRUE(active.wait_until_settled()) << "every active connection was served";
  EXPECT_EQ(idle.good_answers(), idle_count);
  EXPECT_EQ(idle.closed_by_server() + active.closed_by_server(), 0u);
  EXPECT_EQ(active.other_answers() + active.failed_to_connect() + idle.failed_to_connect(), 0u);
}

TEST_F(HttpFlood, DripsOfHeadsAndBodies) {
  const std::size_t heads = kFull ? 2'000 : 100;
  const std::size_t bodies = kFull ? 500 : 50;
  const seconds time = kFull ? seconds(90) : seconds(4);
  start(kFull ? std::vector<std::string>{}
              : std::vector<std::string>{"http.header_timeout=1s", "http.body_timeout=2s"});
  const Crowd head_drips(pinflow_->port(), heads,
                         {.opening = "POST /topics/x HTTP/1.1\r\nHost: h\r\nX-Drip: ", .drip = "abcdefgh"});
  const Crowd body_drips(pinflow_->port(), bodies,
                         {.opening = "POST " + path() +
                                     " HTTP/1.1\r\nHost: h\r\nContent-Type: application/vnd.kafka.json.v2+json\r\n"
                                     "Content-Length: 1000000\r\n\r\n{",
                          .drip = " "});
  ASSERT_TRUE(head_drips.wait_until_settled());
  ASSERT_TRUE(body_drips.wait_until_settled());
  const auto usual = traffic(4);
  watch(time);
  fmt::print("drips: {} heads and {} bodies cut by the server in {} s\n", head_drips.closed_by_server(),
             body_drips.closed_by_server(), time.count());
  expect_success(*usual, "drips", time);
  expect_flat_memory("drips");
  EXPECT_GE(head_drips.closed_by_server(), heads);
  EXPECT_GE(body_drips.closed_by_server(), bodies);
  EXPECT_EQ(head_drips.good_answers() + body_drips.good_answers(), 0u);
}

TEST_F(HttpFlood, ReadersThatDoNotRead) {
  const std::size_t readers = kFull ? 200 : 20;
  const seconds time = kFull ? seconds(30) : seconds(5);
  start({kFull ? "http.body_timeout=10s" : "http.body_timeout=1s"});
  std::string asking;
  for (int i = 0; i < 2'000; ++i) asking += "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
  const Crowd deaf(pinflow_->port(), readers, {.opening = asking, .is_deaf = true});
  ASSERT_TRUE(deaf.wait_until_settled());
  const auto usual = traffic(4);
  watch(time);
  fmt::print("deaf readers: {} cut by the server in {} s\n", deaf.closed_by_server(), time.count());
  expect_success(*usual, "deaf readers", time);
  expect_flat_memory("deaf readers");
  EXPECT_GE(deaf.closed_by_server(), readers);
}

}  // namespace
}  // namespace pinflow::testing
