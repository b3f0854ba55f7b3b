#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_fixture.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;

TEST_F(ServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  start();
  auto client = this->client();
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send(request("POST", "/x", "body " + std::to_string(i)));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /x body " + std::to_string(i));
    EXPECT_TRUE(response->headers.get("Date"));
    EXPECT_FALSE(response->headers.get("Injected"));
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderThoughTheFirstTakesLonger) {
  start();
  auto peer = this->peer();
  peer.send(
      "GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: "
      "h\r\n\r\n");
  handler_.release();
  EXPECT_THAT(peer.read_until("GET /later "), HasSubstr("200 OK"));
  peer.read_until("GET /2 ");
  EXPECT_THAT(peer.read_until("GET /3 "), HasSubstr("200 OK"));
}

TEST_F(ServerTest, AnswersManyPipelinedRequests) {
  start();
  auto peer = this->peer();
  constexpr int kCount = 5000;
  std::string all;
  for (int i = 0; i < kCount; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  std::thread sender([&] { peer.send(all); });
  for (int i = 0; i < kCount; ++i) {
    const auto wanted = "GET /" + std::to_string(i) + " ";
    ASSERT_TRUE(peer.read_until(wanted).ends_with(wanted));
  }
  sender.join();
}

TEST_F(ServerTest, CarriesLargeBodiesBothWays) {
  start();
  auto client = this->client();
  const std::string body(9'000'000, 'x');
  const auto up = client->send(request("POST", "/up", body));
  ASSERT_TRUE(up) << up.error().message;
  EXPECT_EQ(up->body.size(), body.size() + std::string_view("POST /up ").size());
  EXPECT_EQ(client->send(request("GET", "/big"))->body.size(), 3'000'000U);
}

TEST_F(ServerTest, AnswersHeadWithoutBody) {
  start();
  auto peer = this->peer();
  peer.send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto answer = peer.read_all();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, SaysContinueBeforeAnExpectedBody) {
  start();
  auto peer = this->peer();
  peer.send("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(peer.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("ok");
  EXPECT_THAT(peer.read_until("POST /x ok"), HasSubstr("200 OK"));
}

TEST_F(ServerTest, RefusesATooLargeExpectedBodyWithoutAskingForIt) {
  start();
  auto peer = this->peer();
  peer.send("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  const auto answer = peer.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_THAT(
      answer,
      HasSubstr(
          R"({"error_code":413,"message":"the body of 99999999 bytes is larger than the limit of 10485760 bytes"})"));
}

TEST_F(ServerTest, TellsTheClientOfATooLargeBodyAlthoughItIsStillSending) {
  options_.max_body = ByteCount(1000);
  start();
  const auto response = client()->send(request("POST", "/x", std::string(9'000'000, 'x')));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
  EXPECT_EQ(handler_.requests, 0);
}

TEST_F(ServerTest, ReadsOnAfterARefusalSoThatNoResetTakesItAway) {
  start();
  auto peer = this->peer();
  peer.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_THAT(peer.read_all(), HasSubstr("HTTP/1.1 413 "));
  EXPECT_TRUE(peer.keeps_taking());
}

TEST_F(ServerTest, RefusesMalformedRequestsAndCloses) {
  start();
  for (const auto* const bytes :
       {"GET / HTTP/1.1\nHost: h\n\n", "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}) {
    auto peer = this->peer();
    peer.send(bytes).send("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answer = peer.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("{\"error_code\":400,\"message\":\""));
  }
  EXPECT_EQ(handler_.requests, 0);
}

TEST_F(ServerTest, AnswersTheGoodRequestBeforeABadOne) {
  start();
  auto peer = this->peer();
  peer.send("GET /good HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  const auto answer = peer.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400 "));
}

TEST_F(ServerTest, ClosesAfterHttp10AndConnectionClose) {
  start();
  for (const auto* const bytes :
       {"GET /x HTTP/1.0\r\n\r\n", "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
    auto peer = this->peer();
    peer.send(bytes);
    EXPECT_THAT(peer.read_all(), HasSubstr("GET /x "));
  }
}

TEST_F(ServerTest, EndsSlowHeadsAndSlowBodiesAndIdleConnections) {
  options_.header_timeout = 50ms;
  options_.body_timeout = 50ms;
  options_.idle_timeout = 50ms;
  start();
  auto idle = peer();
  auto head = peer();
  auto body = peer();
  head.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THAT(head.read_all(), HasSubstr("HTTP/1.1 408 "));
  EXPECT_THAT(body.read_all(), HasSubstr("the body of the request did not arrive within 50 ms"));
}

TEST_F(ServerTest, ATrickleOfBytesDoesNotExtendTheTimeForAHead) {
  options_.header_timeout = 100ms;
  options_.max_header = ByteCount(std::uint64_t{1} << 30);
  start();
  auto slow = peer();
  slow.send("GET / HTTP/1.1\r\nX: ");
  std::atomic<bool> ended = false;
  std::thread trickle([&] {
    while (!ended) {
      slow.send("x");
      std::this_thread::yield();
    }
  });
  const auto answer = slow.read_until("}");
  ended = true;
  trickle.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
}

TEST_F(ServerTest, RefusesConnectionsOverItsLimit) {
  options_.max_connections = 1;
  start();
  auto first = client();
  ASSERT_TRUE(first->send(request("GET", "/x")));
  const auto answer = peer().read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_TRUE(first->send(request("GET", "/x")));
}

TEST_F(ServerTest, BoundsTheBodiesOfAllConnectionsTogether) {
  options_.max_bodies = ByteCount(100'000);
  start();
  auto peer = this->peer();
  peer.send("POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n").send(std::string(80'000, 'x'));
  const auto refused = client()->send(request("POST", "/x", std::string(400'000, 'x')));
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 503);
  handler_.release();
  peer.read_until("POST /later ");
  EXPECT_EQ(client()->send(request("POST", "/x", std::string(50'000, 'x')))->status, 200);
}

TEST_F(ServerTest, AnswersARequestThatItsHandlerDropped) {
  start();
  EXPECT_EQ(client()->send(request("GET", "/drop"))->status, 500);
}

TEST_F(ServerTest, TakesAnswersAfterTheConnectionAndTheServerAreGone) {
  start();
  {
    auto gone = peer();
    gone.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    std::unique_lock lock(handler_.mutex);
    handler_.arrived.wait(lock, [&] { return !handler_.held.empty(); });
  }
  server_->stop(0ms);
  server_.reset();
  handler_.release();
}

TEST_F(ServerTest, SendsAnswersInFlightWhenItStops) {
  start();
  auto busy = peer();
  auto idle = peer();
  busy.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  {
    std::unique_lock lock(handler_.mutex);
    handler_.arrived.wait(lock, [&] { return !handler_.held.empty(); });
  }
  std::thread stopper([&] { server_->stop(20s); });
  EXPECT_EQ(idle.read_all(), "");
  handler_.release();
  const auto answer = busy.read_all();
  stopper.join();
  EXPECT_THAT(answer, HasSubstr("GET /later "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, StopsThoughAnAnswerNeverComes) {
  start();
  auto busy = peer();
  busy.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  {
    std::unique_lock lock(handler_.mutex);
    handler_.arrived.wait(lock, [&] { return !handler_.held.empty(); });
  }
  server_->stop(20ms);
  EXPECT_EQ(busy.read_all(), "");
}

TEST_F(ServerTest, SaysThatItsAddressIsTaken) {
  start();
  ServerOptions again = options_;
  again.port = server_->port();
  const auto second = start_server(again, handler_, logger_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(again.port)));
  again.addresses = {"nowhere"};
  EXPECT_EQ(start_server(again, handler_, logger_).error().code, ErrorCode::kInvalid);
}

TEST_F(ServerTest, AnswersManyThreadsAtOnce) {
  start();
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      auto client = this->client();
      for (int i = 0; i < 100; ++i) {
        const auto target = "/" + std::to_string(t) + "/" + std::to_string(i);
        const auto response = client->send(request("GET", i % 2 == 0 ? target : "/later"));
        if (response && response->body == "GET " + (i % 2 == 0 ? target : "/later") + " ") ++good;
      }
    });
  }
  handler_.release(8 * 50);
  threads.clear();
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace pinflow::http
