#include "emulator/emulator.h"

#include <algorithm>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/logger.h"
#include "emulator/internal/post_sequence.h"
#include "emulator/internal/verdict.h"
#include "http/server.h"

namespace pinflow::emulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::ElementsAre;
using testing::HasSubstr;

// Posts in memory, of all indices but the gaps.
class FakeSource final : public Source {
 public:
  explicit FakeSource(std::int64_t posts, std::int64_t first = 0) {
    extent_ = {.posts = posts, .first_index = first, .end_index = first + posts};
  }
  const SourceExtent& extent() const override { return extent_; }
  Result<std::vector<Post>> read(std::int64_t first, std::int64_t end) override {
    ++reads;
    if (broken) return fail(ErrorCode::kUnavailable, "the source is gone");
    std::vector<Post> posts;
    for (std::int64_t i = first; i < std::min(end, extent_.end_index); ++i) {
      if (!gaps.contains(i)) posts.push_back(make(i));
    }
    return posts;
  }
  Result<std::vector<Post>> pick(std::span<const std::int64_t> indices) override {
    std::vector<Post> posts;
    for (const std::int64_t i : indices) {
      if (!gaps.contains(i)) posts.push_back(make(i));
    }
    return posts;
  }
  static Post make(std::int64_t index) {
    return {.index = index,
            .records = {fmt::format(R"({{"index":{}}})", index), fmt::format(R"({{"ind":{},"geo":1}})", index),
                        fmt::format(R"({{"ind":{},"user":1}})", index)}};
  }

  std::set<std::int64_t> gaps;
  bool broken = false;
  int reads = 0;

 private:
  SourceExtent extent_;
};

// Never waits: notes the pauses and moves the clock by them.
class FakeSleeper final : public Sleeper {
 public:
  explicit FakeSleeper(ManualClock& clock) : clock_(clock) {}
  void sleep(nanoseconds time, std::stop_token) override {
    const std::scoped_lock lock(mutex_);
    pauses.push_back(std::chrono::duration_cast<milliseconds>(time));
    clock_.advance(pauses.back());
    if (on_sleep) on_sleep();
  }
  std::vector<milliseconds> pauses;
  std::function<void()> on_sleep;

 private:
  ManualClock& clock_;
  std::mutex mutex_;
};

// A front door that answers as the test says, by default that all is stored.
class FakeDoor final : public http::Handler {
 public:
  using Answer = std::function<std::optional<http::Response>(const http::Request&, std::size_t nth)>;

  FakeDoor() {
    auto started = http::start_server({.port = 0}, *this, logger_);
    if (started) server_ = std::move(*started);
  }
  ~FakeDoor() override { server_->stop(milliseconds(0)); }

  http::Url url(std::string prefix = "") const {
    return {.host = "127.0.0.1", .port = server_->port(), .prefix = std::move(prefix)};
  }

  void handle(http::Request request, http::Responder respond) override {
    const std::scoped_lock lock(mutex_);
    const std::size_t nth = requests.size();
    std::optional<http::Response> response = answer ? answer(request, nth) : stored(request);
    requests.push_back(std::move(request));
    if (response) {
      respond(std::move(*response));
    } else {
      held_.push_back(std::move(respond));
    }
  }

  static http::Response stored(const http::Request& request) {
    if (request.target.find("/topics/") != std::string::npos) {
      return http::Response::json(200, R"({"offsets":[{"partition":0,"offset":12,"error_code":null,"error":null}],)"
                                       R"("key_schema_id":null,"value_schema_id":null})");
    }
    return http::Response::json(200, R"({"SequenceNumber":"495","ShardId":"shardId-000000000000"})");
  }

  Answer answer;
  std::vector<http::Request> requests;

 private:
  NullLogger logger_;
  std::mutex mutex_;
  std::vector<http::Responder> held_;  // Requests that get no answer.
  std::unique_ptr<http::Server> server_;
};

class EmulatorTest : public testing::Test {
 protected:
  EmulatorOptions burst_to(std::vector<Target> targets) const {
    return {.targets = std::move(targets), .url = door.url(), .burst = true, .connections = 1};
  }

  EmulatorReport run(Source& source, const EmulatorOptions& options) {
    auto report = emulate(source, options, clock, sleeper, stop.get_token());
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : EmulatorReport{};
  }

  // The indices of posts in the order in which they go to the console.
  std::vector<std::int64_t> printed(Source& source, EmulatorOptions options) {
    std::vector<std::int64_t> indices;
    options.targets = {Target::kConsole};
    options.console = [&indices](std::string_view line) {
      constexpr std::string_view kBegin = R"({"index":)";
      if (line.starts_with(kBegin)) indices.push_back(std::stoll(std::string(line.substr(kBegin.size()))));
    };
    run(source, options);
    return indices;
  }

  ManualClock clock;
  FakeSleeper sleeper{clock};
  FakeDoor door;
  std::stop_source stop;
};

TEST_F(EmulatorTest, SendsTheBodiesOfThePostingScripts) {
  FakeSource source(1, 7);
  EmulatorOptions options = burst_to({Target::kTopics, Target::kStreams});
  options.url = door.url("/Production");
  const EmulatorReport report = run(source, options);
  EXPECT_EQ(report.posts, 1);
  EXPECT_EQ(report.done, 1);
  EXPECT_EQ(report.of(Target::kTopics).acknowledged, 3);
  EXPECT_EQ(report.of(Target::kStreams).acknowledged, 3);
  EXPECT_EQ(report.of(Target::kConsole).posted, 0);
  ASSERT_EQ(door.requests.size(), 6u);
  EXPECT_EQ(door.requests[0].method, "POST");
  EXPECT_EQ(door.requests[0].target, "/Production/topics/pinterest.pin");
  EXPECT_EQ(door.requests[0].headers.get("content-type"), "application/vnd.kafka.json.v2+json");
  EXPECT_EQ(door.requests[0].body, R"({"records":[{"value":{"index":7}}]})");
  EXPECT_EQ(door.requests[1].target, "/Production/topics/pinterest.geo");
  EXPECT_EQ(door.requests[5].method, "PUT");
  EXPECT_EQ(door.requests[5].target, "/Production/streams/streaming-pinterest-user/record");
  EXPECT_EQ(door.requests[5].headers.get("content-type"), "application/json");
  EXPECT_EQ(door.requests[5].body,
            R"({"StreamName":"streaming-pinterest-user","Data":{"ind":7,"user":1},"PartitionKey":"user"})");
}

TEST_F(EmulatorTest, SendsEachPostOnceOverManyConnections) {
  FakeSource source(400);
  source.gaps = {17, 18};
  EmulatorOptions options = burst_to({Target::kTopics});
  options.connections = 8;
  const EmulatorReport report = run(source, options);
  EXPECT_EQ(report.posts, 398);
  EXPECT_EQ(report.done, 398);
  EXPECT_EQ(report.of(Target::kTopics).posted, 3 * 398);
  EXPECT_EQ(report.of(Target::kTopics).acknowledged, 3 * 398);
  std::set<std::string> bodies;
  for (const http::Request& request : door.requests) bodies.insert(request.body);
  EXPECT_EQ(bodies.size(), 3u * 398);
  EXPECT_EQ(door.requests.size(), 3u * 398);
}

TEST_F(EmulatorTest, LeavesOutTheRecordsThatAPostDoesNotHave) {
  class Partial final : public Source {
   public:
    const SourceExtent& extent() const override { return extent_; }
    Result<std::vector<Post>> read(std::int64_t, std::int64_t) override {
      return std::vector<Post>{{.index = 0, .records = {"", R"({"ind":0})", ""}}};
    }
    Result<std::vector<Post>> pick(std::span<const std::int64_t>) override { return read(0, 1); }

   private:
    SourceExtent extent_{.posts = 1, .first_index = 0, .end_index = 1};
  } source;
  const EmulatorReport report = run(source, burst_to({Target::kTopics}));
  EXPECT_EQ(report.done, 1);
  EXPECT_EQ(report.of(Target::kTopics).posted, 1);
  ASSERT_EQ(door.requests.size(), 1u);
  EXPECT_EQ(door.requests[0].target, "/topics/pinterest.geo");
}

TEST_F(EmulatorTest, TriesAgainWhatMayWorkLaterAndWaitsLongerEachTime) {
  FakeSource source(1);
  const int statuses[] = {503, 500, 408, 429};
  door.answer = [&](const http::Request& request, std::size_t nth) -> std::optional<http::Response> {
    if (nth < 4) return http::Response::failure(statuses[nth], statuses[nth], "later");
    return FakeDoor::stored(request);
  };
  const EmulatorReport report = run(source, burst_to({Target::kTopics}));
  EXPECT_EQ(report.done, 1);
  EXPECT_EQ(report.of(Target::kTopics).acknowledged, 3);
  EXPECT_EQ(report.of(Target::kTopics).retried, 4);
  EXPECT_EQ(report.of(Target::kTopics).unknown, 0);
  ASSERT_EQ(sleeper.pauses.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_GE(sleeper.pauses[i], milliseconds(50 << i));
    EXPECT_LE(sleeper.pauses[i], milliseconds(100 << i));
  }
}

TEST_F(EmulatorTest, WaitsAsLongAsTheTargetAsks) {
  FakeSource source(1);
  door.answer = [](const http::Request& request, std::size_t nth) -> std::optional<http::Response> {
    if (nth > 1) return FakeDoor::stored(request);
    auto response = http::Response::failure(429, 42901, "slow down");
    response.headers.add("Retry-After", nth == 0 ? "7" : "86400");
    return response;
  };
  EXPECT_EQ(run(source, burst_to({Target::kTopics})).done, 1);
  EXPECT_THAT(sleeper.pauses, ElementsAre(milliseconds(7'000), milliseconds(60'000)));
}

TEST_F(EmulatorTest, GivesUpWhatIsRefusedAndGoesOn) {
  FakeSource source(3);
  door.answer = [](const http::Request& request, std::size_t) -> std::optional<http::Response> {
    if (request.body.find(R"({"index":1})") != std::string::npos) {
      return http::Response::failure(404, 40401, "Topic not found.");
    }
    return FakeDoor::stored(request);
  };
  const EmulatorReport report = run(source, burst_to({Target::kTopics}));
  EXPECT_EQ(report.posts, 3);
  EXPECT_EQ(report.done, 2);
  EXPECT_EQ(report.of(Target::kTopics).acknowledged, 8);
  EXPECT_EQ(report.of(Target::kTopics).refused, 1);
  EXPECT_EQ(report.of(Target::kTopics).failed, 0);
  EXPECT_EQ(report.of(Target::kTopics).retried, 0);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0], HasSubstr("post 1: POST /topics/pinterest.pin answered 404"));
  EXPECT_THAT(report.problems[0], HasSubstr("Topic not found."));
}

TEST_F(EmulatorTest, DoesNotTakeAStatusOf200ForStored) {
  FakeSource source(2);
  door.answer = [](const http::Request& request, std::size_t nth) -> std::optional<http::Response> {
    const std::string retriable =
        R"({"offsets":[{"partition":null,"offset":null,"error_code":50003,"error":"later"}]})";
    const std::string final =
        R"({"offsets":[{"partition":null,"offset":null,"error_code":50002,"error":"too large"}]})";
    if (nth == 0) return http::Response::json(200, retriable);
    if (nth == 2) return http::Response::json(200, final);
    if (nth == 4) return http::Response::json(200, "{}");
    if (nth == 5) return http::Response::json(200, R"({"offsets":[{"partition":0,"offset":9,"error_code":50002}]})");
    return FakeDoor::stored(request);
  };
  const EmulatorReport report = run(source, burst_to({Target::kTopics}));
  EXPECT_EQ(report.of(Target::kTopics).retried, 1);
  EXPECT_EQ(report.of(Target::kTopics).refused, 3);
  EXPECT_EQ(report.of(Target::kTopics).acknowledged, 3);
  EXPECT_EQ(report.done, 0);
}

TEST_F(EmulatorTest, DoesNotTakeAGatewaysErrorForStored) {
  FakeSource source(1);
  door.answer = [](const http::Request& request, std::size_t nth) -> std::optional<http::Response> {
    if (nth == 0)
      return http::Response::json(200, R"({"__type":"ProvisionedThroughputExceededException","message":"m"})");
    if (nth == 1) return http::Response::json(200, R"({"__type":"ResourceNotFoundException","message":"m"})");
    return FakeDoor::stored(request);
  };
  // The throttled record is sent again, which the second answer refuses.
  const EmulatorReport report = run(source, burst_to({Target::kStreams}));
  EXPECT_EQ(report.of(Target::kStreams).retried, 1);
  EXPECT_EQ(report.of(Target::kStreams).refused, 1);
  EXPECT_EQ(report.of(Target::kStreams).acknowledged, 2);
}

TEST_F(EmulatorTest, CountsAsFailedWhatNobodyTakes) {
  FakeSource source(2);
  EmulatorOptions options = burst_to({Target::kTopics});
  options.url.port = 1;  // Nobody listens there.
  options.retry.attempts = 3;
  const EmulatorReport report = run(source, options);
  EXPECT_EQ(report.posts, 2);
  EXPECT_EQ(report.done, 0);
  EXPECT_EQ(report.of(Target::kTopics).posted, 6);
  EXPECT_EQ(report.of(Target::kTopics).failed, 6);
  EXPECT_EQ(report.of(Target::kTopics).retried, 12);
  EXPECT_FALSE(report.problems.empty());
}

TEST_F(EmulatorTest, SendsAgainWhatHadNoAnswerAndSaysSo) {
  FakeSource source(1);
  door.answer = [](const http::Request& request, std::size_t nth) -> std::optional<http::Response> {
    if (nth == 0) return std::nullopt;
    return FakeDoor::stored(request);
  };
  EmulatorOptions options = burst_to({Target::kStreams});
  options.timeout = milliseconds(200);
  const EmulatorReport report = run(source, options);
  EXPECT_EQ(report.done, 1);
  EXPECT_EQ(report.of(Target::kStreams).unknown, 1);
  EXPECT_EQ(report.of(Target::kStreams).acknowledged, 3);
  ASSERT_GE(door.requests.size(), 2u);
  EXPECT_EQ(door.requests[0].body, door.requests[1].body);
}

TEST_F(EmulatorTest, PausesAtRandomUpToTwoSecondsByDefault) {
  FakeSource source(50);
  const std::vector<std::int64_t> posts = printed(source, {.seed = 4, .limit = 300});
  ASSERT_EQ(posts.size(), 300u);
  ASSERT_EQ(sleeper.pauses.size(), 300u);
  milliseconds sum{0};
  for (const milliseconds pause : sleeper.pauses) {
    EXPECT_LT(pause, milliseconds(2'000));
    sum += pause;
  }
  EXPECT_GT(sum / 300, milliseconds(850));
  EXPECT_LT(sum / 300, milliseconds(1'150));
  // Draws with repetition: 300 of 50.
  EXPECT_GT(std::set<std::int64_t>(posts.begin(), posts.end()).size(), 45u);
}

TEST_F(EmulatorTest, RepeatsItselfForASeed) {
  FakeSource source(1'000);
  const auto first = printed(source, {.seed = 4, .limit = 200});
  const auto pauses = std::exchange(sleeper.pauses, {});
  EXPECT_EQ(first, printed(source, {.seed = 4, .limit = 200}));
  EXPECT_EQ(pauses, sleeper.pauses);
  sleeper.pauses.clear();
  EXPECT_NE(first, printed(source, {.seed = 5, .limit = 200}));
  EXPECT_NE(pauses, sleeper.pauses);
}

TEST_F(EmulatorTest, HoldsItsRate) {
  FakeSource source(21);
  EmulatorOptions options{.order = Order::kInOrder, .rate = 10.0, .connections = 1};
  const auto posts = printed(source, options);
  EXPECT_EQ(posts.size(), 21u);
  milliseconds sum{0};
  for (const milliseconds pause : sleeper.pauses) sum += pause;
  EXPECT_NEAR(static_cast<double>(sum.count()), 2'050, 60);
}

TEST_F(EmulatorTest, GivesEveryPostOnceInOrderOrShuffled) {
  FakeSource source(10'000, 10);
  EmulatorOptions options{.seed = 3, .order = Order::kInOrder, .burst = true, .connections = 1};
  const auto in_order = printed(source, options);
  ASSERT_EQ(in_order.size(), 10'000u);
  EXPECT_TRUE(std::ranges::is_sorted(in_order));
  options.order = Order::kShuffled;
  auto shuffled = printed(source, options);
  EXPECT_EQ(shuffled, printed(source, options));
  EXPECT_FALSE(std::ranges::is_sorted(shuffled.begin(), shuffled.begin() + 50)) << "within a slice";
  std::vector<std::int64_t> slices;
  for (std::size_t i = 0; i < shuffled.size(); i += 1'024) slices.push_back((shuffled[i] - 10) / 1'024);
  EXPECT_FALSE(std::ranges::is_sorted(slices) || std::ranges::is_sorted(slices, std::greater<>()));
  std::ranges::sort(shuffled);
  EXPECT_EQ(shuffled, in_order);
}

TEST_F(EmulatorTest, ReadsNoMoreThanItsLimitNeeds) {
  FakeSource source(1'000'000);
  EmulatorOptions options{.limit = 5, .burst = true, .connections = 1};
  EXPECT_EQ(printed(source, options), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(source.reads, 1);
}

TEST_F(EmulatorTest, StopsWhenToldAndSaysSo) {
  FakeSource source(50);
  int sleeps = 0;
  sleeper.on_sleep = [&] {
    if (++sleeps == 4) stop.request_stop();
  };
  const EmulatorReport report = run(source, {.targets = {Target::kConsole}});
  EXPECT_TRUE(report.stopped);
  EXPECT_LE(report.posts, 3);
}

TEST_F(EmulatorTest, GivesUpRetryingWhenStopped) {
  FakeSource source(5);
  door.answer = [](const http::Request&, std::size_t) { return http::Response::failure(503, 503, "later"); };
  sleeper.on_sleep = [&] { stop.request_stop(); };
  const EmulatorReport report = run(source, burst_to({Target::kTopics}));
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.done, 0);
  EXPECT_EQ(report.of(Target::kTopics).failed, report.of(Target::kTopics).posted);
  EXPECT_LT(report.posts, 5);
  EXPECT_EQ(sleeper.pauses.size(), 1u) << "records after the stop are tried once";
}

TEST_F(EmulatorTest, TellsItsProgress) {
  FakeSource source(30);
  std::vector<Progress> told;
  EmulatorOptions options{.order = Order::kInOrder, .rate = 2.0, .connections = 1};
  options.progress = [&](const Progress& progress) { told.push_back(progress); };
  printed(source, options);
  ASSERT_GT(told.size(), 5u);
  EXPECT_EQ(told.back().posts, 30);
  EXPECT_EQ(told.back().total, 30);
  EXPECT_NEAR(told.back().rate, 2, 0.3);
  EXPECT_EQ(told.back().left, std::chrono::seconds(0));
}

TEST_F(EmulatorTest, EndsAtOnceWithAnEmptySource) {
  FakeSource source(0);
  for (const Order order : {Order::kDraws, Order::kInOrder, Order::kShuffled}) {
    EXPECT_EQ(run(source, {.order = order, .burst = true}).posts, 0);
  }
}

TEST_F(EmulatorTest, FailsWhenItsSourceFails) {
  FakeSource source(5);
  source.broken = true;
  const auto report = emulate(source, burst_to({Target::kConsole}), clock, sleeper, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "the source is gone");
}

TEST_F(EmulatorTest, RefusesOptionsThatContradictEachOther) {
  FakeSource source(1);
  for (const EmulatorOptions& wrong :
       {EmulatorOptions{.targets = {}}, EmulatorOptions{.rate = 1.0, .burst = true}, EmulatorOptions{.rate = 0.0},
        EmulatorOptions{.limit = -1}, EmulatorOptions{.connections = 0}}) {
    const auto report = emulate(source, wrong, clock, sleeper, {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  }
}

TEST(PostSequences, DrawAgainWhereIndicesHaveGaps) {
  FakeSource source(1'000);
  for (std::int64_t i = 0; i < 1'000; ++i) {
    if (i != 500) source.gaps.insert(i);
  }
  internal::PostSequence posts(source, Order::kDraws, 1, 16);
  for (int i = 0; i < 3; ++i) {
    const auto post = posts.next();
    ASSERT_TRUE(post && *post);
    EXPECT_EQ((*post)->index, 500);
  }
  source.gaps.insert(500);
  internal::PostSequence nothing(source, Order::kDraws, 1, 16);
  EXPECT_FALSE(nothing.next());
}

TEST(Words, NameTargetsAndOrders) {
  EXPECT_THAT(*parse_targets("both"), ElementsAre(Target::kTopics, Target::kStreams));
  EXPECT_THAT(*parse_targets("console"), ElementsAre(Target::kConsole));
  EXPECT_THAT(parse_targets("topic").error().message, HasSubstr("both"));
  EXPECT_EQ(*parse_order("shuffled"), Order::kShuffled);
  EXPECT_FALSE(parse_order("random"));
}

}  // namespace
}  // namespace pinflow::emulator
