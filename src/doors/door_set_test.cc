#include "doors/door_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/door_fixture.h"
#include "http/client.h"
#include "http/server.h"

namespace pinflow::doors {
namespace {

using namespace std::chrono_literals;

using DoorSetTest = DoorTest;

TEST_F(DoorSetTest, TellsHealthAndReadiness) {
  bool full = false;
  doors_.health().add_check("log", [&]() -> Result<void> {
    if (full) return fail(ErrorCode::kUnavailable, "the disk is full");
    return {};
  });
  EXPECT_EQ(ask("GET", "/healthz").body, R"({"status":"ok"})");
  EXPECT_EQ(ask("GET", "/readyz").body, R"({"status":"ready"})");
  full = true;
  const auto response = ask("GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, R"({"status":"not ready","reasons":[{"part":"log","reason":"the disk is full"}]})");
}

TEST_F(DoorSetTest, TellsMetricsInPrometheusText) {
  doors_.metrics().add_source([](MetricsWriter& out) {
    out.family("posts_total", MetricsWriter::Type::kCounter, "Posts taken.").sample({}, std::uint64_t{7});
    out.family("lag", MetricsWriter::Type::kGauge, "Records behind.")
        .sample({{"topic", "a\"b\\c\nd"}, {"partition", "0"}}, std::int64_t{-1})
        .sample({{"topic", "e"}}, std::int64_t{2});
  });
  const auto response = ask("GET", "/metrics");
  EXPECT_EQ(response.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body,
            "# HELP posts_total Posts taken.\n# TYPE posts_total counter\nposts_total 7\n"
            "# HELP lag Records behind.\n# TYPE lag gauge\n"
            "lag{topic=\"a\\\"b\\\\c\\nd\",partition=\"0\"} -1\nlag{topic=\"e\"} 2\n");
}

TEST_F(DoorSetTest, TakesRoutesOfOtherParts) {
  doors_.router().add("GET", "/live/profiles",
                      [](const http::Request&, http::Responder respond) { respond(http::Response::json(200, "[]")); });
  EXPECT_EQ(ask("GET", "/live/profiles").body, "[]");
}

TEST_F(DoorSetTest, SharesItsPathWithKinesis) {
  class NoOperations final : public kinesis::Operations {
   public:
    void run(kinesis::Call call, kinesis::AnswerDone done) override {
      done(kinesis::Answer{"{\"Ran\":\"" + std::string(call.operation) + "\"}", nullptr});
    }
  };
  NoOperations operations;
  DoorOptions options;
  options.kinesis = &operations;
  DoorSet doors({log_, coordinator_, clock_, logger_, Random(1), "AAAAAAAAAAAAAAAAAAAAAA"}, options);
  const auto post = [&](std::string body, const Fields& fields) {
    auto asked = request("POST", "/", std::move(body), fields);
    http::Response out;
    const auto admission = doors.admit(asked);
    EXPECT_FALSE(admission.refusal);
    EXPECT_EQ(admission.max_body.has_value(), asked.headers.get("X-Amz-Target").has_value());
    doors.handle(std::move(asked), [&](http::Response response) { out = std::move(response); });
    return out;
  };
  EXPECT_EQ(post("", {}).status, 200);  // Kafka REST's sign of life.
  const auto type = std::pair<std::string, std::string>{"Content-Type", "application/x-amz-json-1.1"};
  const auto target = std::pair<std::string, std::string>{"X-Amz-Target", "Kinesis_20131202.ListStreams"};
  EXPECT_EQ(post("{}", {type, target}).body,
            R"({"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"})");
  EXPECT_EQ(
      post("{}", {type, target, {"Date", "x"}, {"Authorization", "AWS4-X Credential=a, Signature=b, SignedHeaders=c"}})
          .body,
      R"({"Ran":"ListStreams"})");
}

TEST(WorkerTest, AnswersBusyPastItsBound) {
  std::promise<void> release;
  std::promise<void> running;
  std::vector<int> statuses;
  std::mutex mutex;
  {
    Worker worker(1);
    const auto job = [](const std::stop_token&, http::Responder respond) { respond(http::Response::json(200, "")); };
    const auto note = [&](const http::Response& response) {
      const std::scoped_lock lock(mutex);
      statuses.push_back(response.status);
    };
    std::promise<void> last;
    worker.run(note,
               [&](const std::stop_token& stop, http::Responder respond) {
                 running.set_value();
                 release.get_future().wait();
                 job(stop, std::move(respond));
               },
               {});
    running.get_future().wait();
    worker.run(
        [&](const http::Response& response) {
          note(response);
          last.set_value();
        },
        job, {});
    worker.run(note, job, http::Response::json(503, ""));
    release.set_value();
    last.get_future().wait();
  }
  EXPECT_EQ(statuses, (std::vector<int>{503, 200, 200}));
}

// The two requests that posting scripts of such projects send, through a real server and socket.
TEST_F(DoorSetTest, ServesPostingScripts) {
  ASSERT_TRUE(log_.create_topic({"0a1b.pin", 1, {}}));
  ASSERT_TRUE(log_.create_topic({"streaming-0a1b-pin", 1, {}}));
  http::ServerOptions options;
  options.port = 0;
  NullLogger logger;
  auto server = http::start_server(options, doors_, logger);
  ASSERT_TRUE(server) << server.error().message;
  auto client = http::make_client({"127.0.0.1", (*server)->port(), "/Production"}, 20s);
  http::Request post;
  post.method = "POST";
  post.target = "/topics/0a1b.pin";
  post.headers.add("Content-Type", "application/vnd.kafka.json.v2+json");
  post.body = R"({"records": [{"value": {"index": 7528, "unique_id": "fbe53c66"}}]})";
  const auto posted = client->send(post);
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->status, 200);
  http::Request put;
  put.method = "PUT";
  put.target = "/streams/streaming-0a1b-pin/record";
  put.headers.add("Content-Type", "application/json");
  put.body = R"({"StreamName": "streaming-0a1b-pin", "Data": {"index": 7528}, "PartitionKey": "pin"})";
  EXPECT_EQ(client->send(put)->status, 200);
  EXPECT_EQ(log_.records("0a1b.pin").at(0).value, R"({"index": 7528, "unique_id": "fbe53c66"})");
  EXPECT_EQ(log_.records("streaming-0a1b-pin").at(0).value, R"({"index": 7528})");
  (*server)->stop(1s);
}

}  // namespace
}  // namespace pinflow::doors
