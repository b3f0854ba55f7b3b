#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_fixture.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;

class ServerLimits : public ServerTest {};

TEST_F(ServerLimits, ServesAllItsAddressesOnOnePort) {
  options_.addresses = {"127.0.0.1", "127.0.0.2", "::1"};
  handler_.answer = [](Request& request) { return Response::json(200, request.peer.address); };
  start();
  int served = 0;
  for (const std::string host : {"127.0.0.1", "127.0.0.2", "::1"}) {
    const auto response = make_client(Url{host, server_->port(), ""}, 20s)->send(request("GET", "/x"));
    if (!response && host == "::1") continue;  // A machine without IPv6.
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, host == "::1" ? "::1" : "127.0.0.1") << "the peer's address, not ours";
    ++served;
  }
  EXPECT_GE(served, 2);
}

TEST_F(ServerLimits, RefusesMoreConnectionsFromOneAddressThanItMayHave) {
  options_.addresses = {"127.0.0.1", "::1"};
  options_.max_connections_per_address = 2;
  start();
  auto first = client();
  auto second = client();
  ASSERT_TRUE(first->send(request("GET", "/x")));
  ASSERT_TRUE(second->send(request("GET", "/x")));
  const auto third = peer().read_all();
  EXPECT_TRUE(third.starts_with("HTTP/1.1 503 ")) << third;
  EXPECT_THAT(third, HasSubstr("the server has its limit of 2 connections from one address; try again"));
  const auto elsewhere = make_client(Url{"::1", server_->port(), ""}, 20s)->send(request("GET", "/x"));
  EXPECT_TRUE(elsewhere || elsewhere.error().code == ErrorCode::kUnavailable);
  second.reset();
  wait_for_connections(1);
  EXPECT_TRUE(client()->send(request("GET", "/x"))) << "a place that is free again can be taken";
}

TEST_F(ServerLimits, BoundsEvenThoseWhoAreRefused) {
  options_.max_connections = 1;
  start();
  auto first = client();
  ASSERT_TRUE(first->send(request("GET", "/x")));
  std::vector<std::unique_ptr<RawPeer>> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(std::make_unique<RawPeer>(server_->port()));
  EXPECT_TRUE(first->send(request("GET", "/x")));
  EXPECT_LE(server_->connections(), 65u);
  crowd.clear();
  wait_for_connections(1);
}

TEST_F(ServerLimits, ClosesThoseWhoDoNotReadTheirAnswers) {
  options_.body_timeout = 100ms;
  handler_.answer = [](Request&) { return Response::json(200, std::string(30'000'000, 'b')); };
  start();
  RawPeer slow(server_->port(), 4096);
  slow.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  wait_for_connections(1);
  wait_for_connections(0);
  EXPECT_LT(slow.read_all().size(), 30'000'000u);
}

TEST_F(ServerLimits, WaitsForThoseWhoReadSlowlyButSteadily) {
  options_.body_timeout = 200ms;
  constexpr std::size_t kSize = 12'000'000;
  handler_.answer = [](Request&) { return Response::json(200, std::string(kSize, 'b')); };
  start();
  RawPeer slow(server_->port(), 16 << 10);
  slow.send("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable clock;
  const auto began = std::chrono::steady_clock::now();
  std::size_t read = 0;
  while (const std::size_t count = slow.read_some_bytes()) {
    read += count;
    clock.wait_until(lock, began + std::chrono::microseconds(read / 20), [] { return false; });  // 20 MB a second.
  }
  EXPECT_GT(read, kSize);
  EXPECT_GT(std::chrono::steady_clock::now() - began, 2 * options_.body_timeout);
}

TEST_F(ServerLimits, RefusesRequestsWhileUnreadAnswersFillItsMemory) {
  options_.max_bodies = ByteCount(1'000'000);
  handler_.answer = [](Request& request) {
    return Response::json(200, std::string(request.target == "/big" ? 9'000'000 : 10, 'b'));
  };
  start();
  {
    RawPeer slow(server_->port(), 4096);
    slow.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    slow.read_until("\r\n\r\n");
    const auto refused = client()->send(request("GET", "/x"));
    ASSERT_TRUE(refused) << refused.error().message;
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(refused->headers.get("Retry-After"), "1");
  }
  wait_for_connections(0);
  EXPECT_EQ(client()->send(request("GET", "/x"))->status, 200);
}

TEST_F(ServerLimits, AnswersAPeerThatHasFinishedSending) {
  start();
  auto peer = this->peer();
  peer.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  peer.finish_sending();
  handler_.release();
  const auto answer = peer.read_all();
  EXPECT_THAT(answer, HasSubstr("GET /later "));
}

TEST_F(ServerLimits, TellsHandlersThatNobodyWaitsAnyMore) {
  class Poll final : public Handler {
   public:
    void handle(Request request, Responder respond) override {
      token = request.abandoned;
      held = std::move(respond);
      arrived.release();
    }
    std::stop_token token;
    Responder held;
    std::counting_semaphore<> arrived{0};
  } poll;
  server_ = std::move(start_server(options_, poll, logger_)).value();
  for (const bool half_close : {true, false}) {
    auto peer = std::make_unique<RawPeer>(server_->port());
    peer->send("GET /news HTTP/1.1\r\nHost: h\r\n\r\n");
    poll.arrived.acquire();
    EXPECT_FALSE(poll.token.stop_requested());
    if (half_close) {
      peer->finish_sending();
    } else {
      peer.reset();
    }
    while (!poll.token.stop_requested()) std::this_thread::yield();
    poll.held(Response::json(200, "nothing new"));
    if (half_close) EXPECT_THAT(peer->read_all(), HasSubstr("nothing new"));
  }
  wait_for_connections(0);
  server_.reset();
}

TEST_F(ServerLimits, TakesPrefacesThatComeInPieces) {
  start();
  auto peer = this->peer();
  peer.send("PR").send("I").send("NT /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(peer.read_until("PRINT /x "), HasSubstr("200 OK"));
}

TEST_F(ServerLimits, EndsThoseWhoStopInTheMidstOfAPreface) {
  options_.header_timeout = 50ms;
  start();
  auto peer = this->peer();
  peer.send("PRI * HTTP/2.0\r\n");
  EXPECT_THAT(peer.read_all(), HasSubstr("HTTP/1.1 408 "));
}

}  // namespace
}  // namespace pinflow::http
