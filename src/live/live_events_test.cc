#include "live/live_events.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/openapi_fixture.h"
#include "http/server_fixture.h"
#include "live/fake_answers_fixture.h"
#include "net/listen.h"

namespace pinflow::live {
namespace {

using http::RawPeer;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A client that asked for the stream.
class Follower final : public RawPeer {
 public:
  Follower(std::uint16_t port, const std::string& query, const std::string& headers) : RawPeer(port) {
    send("GET /live/events" + query + " HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n" + headers + "\r\n");
  }
};

// A real server with the event stream alone, and clients that read its bytes.
struct LiveEventsTest : testing::Test {
  void start() {
    events = std::make_unique<LiveEvents>(metrics, clock, options);
    events->add_to(router);
    server_options.port = 0;
    server = http::start_server(server_options, router, logger).value();
  }
  ~LiveEventsTest() override {
    if (events) events->close();
    server.reset();
  }
  Follower follow(const std::string& query = "", const std::string& headers = "") const {
    return Follower(server->port(), query, headers);
  }
  void wait_for_subscribers(std::size_t count) const {
    while (events->counts().subscribers != count) std::this_thread::yield();
  }

  FakeAnswers metrics;
  SystemClock clock;
  NullLogger logger;
  LiveEventsOptions options{.interval = milliseconds(10)};
  http::ServerOptions server_options;
  http::Router router;
  std::unique_ptr<LiveEvents> events;
  std::unique_ptr<http::Server> server;
};

TEST_F(LiveEventsTest, BeginsWithAFrameAndSendsOneWhenSomethingIsNew) {
  start();
  auto peer = follow("?include=profiles&k=5");
  EXPECT_THAT(peer.read_until("\r\n\r\n"),
              AllOf(HasSubstr("HTTP/1.1 200"), HasSubstr("Content-Type: text/event-stream\r\n"),
                    HasSubstr("Cache-Control: no-cache\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"),
                    Not(HasSubstr("Content-Encoding"))));
  const std::string first = peer.read_until("]}\n\n");
  EXPECT_THAT(first,
              AllOf(HasSubstr("retry: 2000\n\n"), HasSubstr("event: head\n"), HasSubstr("event: profiles\nid: ")));
  EXPECT_THAT(first, HasSubstr(R"("posts":4,)"));
  peer.read_until("\n: 2");  // A comment: nothing is new.
  metrics.change();
  EXPECT_THAT(peer.read_until("]}\n\n"), HasSubstr(R"("posts":5,)"));
}

TEST_F(LiveEventsTest, MovesOnWithTheClockWhenNothingComes) {
  options.quiet_interval = milliseconds(20);
  start();
  auto peer = follow("?include=minutes");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(peer.read_until("]}\n\n"), HasSubstr("event: minutes"));
}

TEST_F(LiveEventsTest, GoesOnBehindTheIdThatTheClientSawLast) {
  start();
  auto first = follow("?include=profiles");
  first.read_until("]}\n\n");
  auto again = follow("?include=profiles", "Last-Event-ID: 1700000000000\r\n");
  EXPECT_THAT(again.read_until("\n: 2"), Not(HasSubstr("event:")));
  metrics.change();
  EXPECT_THAT(again.read_until("]}\n\n"), HasSubstr("id: 1700000001000\n"));
  auto strange = follow("?include=profiles", "Last-Event-ID: of another server\r\n");
  EXPECT_THAT(strange.read_until("]}\n\n"), HasSubstr("id: 1700000001000\n"));
}

TEST_F(LiveEventsTest, FreesEverythingWhenTheClientGoes) {
  start();
  {
    auto peer = follow();
    peer.read_until("]}\n\n");
    EXPECT_EQ(events->counts().subscribers, 1);
  }
  wait_for_subscribers(0);
  while (server->connections() > 0) std::this_thread::yield();
  // Nobody follows, so nothing is made; and who comes then is given what is true then.
  const int calls = metrics.calls;
  metrics.change();
  auto peer = follow();
  EXPECT_THAT(peer.read_until("]}\n\n"), HasSubstr(R"("posts":5,)"));
  EXPECT_LE(metrics.calls, calls + 3);
}

TEST_F(LiveEventsTest, EndsStreamsRegularlyBeforeTheServerStops) {
  options.interval = std::chrono::hours(1);
  start();
  auto peer = follow();
  peer.read_until("]}\n\n");
  events->close();
  EXPECT_TRUE(peer.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  auto late = follow();
  EXPECT_THAT(late.read_until("\r\n\r\n"), AllOf(HasSubstr(" 503 "), HasSubstr("Retry-After: 1\r\n")));
  server->stop(std::chrono::hours(1));
}

TEST_F(LiveEventsTest, RefusesOneTooMany) {
  options.max_subscribers = 2;
  start();
  auto a = follow();
  auto b = follow();
  a.read_until("]}\n\n");
  b.read_until("]}\n\n");
  auto c = follow();
  EXPECT_THAT(c.read_until("}"), AllOf(HasSubstr(" 503 "), HasSubstr("Retry-After: 1\r\n"), HasSubstr("2 clients")));
  EXPECT_EQ(events->counts().refused, 1);
}

TEST_F(LiveEventsTest, EndsWhatHasLivedLongEnough) {
  options.longest_life = milliseconds(1);
  start();
  auto peer = follow();
  EXPECT_TRUE(peer.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
}

TEST_F(LiveEventsTest, ASlowReaderHoldsUpNobody) {
  start();
  RawPeer slow(server->port(), 4'096);
  slow.send("GET /live/events?k=100 HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_for_subscribers(1);
  auto quick = follow("?include=profiles");
  for (int i = 0; i < 50; ++i) {
    metrics.change();
    quick.read_until("]}\n\n");
  }
  EXPECT_GE(events->counts().sent, 50);
}

TEST_F(LiveEventsTest, AnswersHeadWithTheHeadAlone) {
  start();
  RawPeer peer(server->port());
  peer.send("HEAD /live/events HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.read_all();
  EXPECT_THAT(answer, AllOf(HasSubstr("200"), HasSubstr("text/event-stream"), testing::EndsWith("\r\n\r\n")));
  EXPECT_EQ(events->counts().subscriptions, 0);
}

TEST_F(LiveEventsTest, RefusesOtherMethodsAndParameters) {
  start();
  RawPeer peer(server->port());
  peer.send("POST /live/events HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(peer.read_until("}"), AllOf(HasSubstr(" 405 "), HasSubstr("Allow: GET")));
  auto wrong = follow("?include=weather");
  EXPECT_THAT(wrong.read_until("}"),
              AllOf(HasSubstr(" 400 "), HasSubstr("profiles, categories, countries and minutes")));
}

TEST_F(LiveEventsTest, SendsTheSameFrameToAThousand) {
  net::raise_open_file_limit();
  constexpr std::size_t kMany = 1'000;
  options.interval = milliseconds(100);
  start();
  std::deque<RawPeer> peers;
  for (std::size_t i = 0; i < kMany; ++i) {
    peers.emplace_back(server->port()).send("GET /live/events?k=20 HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  wait_for_subscribers(kMany);
  for (auto& peer : peers) peer.read_until("event: minutes");
  for (int frame = 0; frame < 3; ++frame) {
    const int calls = metrics.calls;
    metrics.change();
    for (auto& peer : peers) {
      ASSERT_THAT(peer.read_until("event: minutes"), HasSubstr(fmt::format(R"("posts":{},)", 5 + frame)));
    }
    EXPECT_EQ(metrics.calls, calls + 1);
  }
  peers.clear();
  wait_for_subscribers(0);
}

TEST_F(LiveEventsTest, IsToldInTheOpenApiDocument) {
  const doors::OpenApi api;
  EXPECT_TRUE(api.operations().contains({"GET", "/live/events"}));
}

}  // namespace
}  // namespace pinflow::live
