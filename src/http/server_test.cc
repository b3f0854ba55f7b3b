#include "http/server.h"

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// A TCP connection that sends what no client would.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{20, 0};  // A test that would hang fails instead.
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  RawPeer(const RawPeer&) = delete;
  ~RawPeer() { ::close(socket_); }

  RawPeer& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return *this;
  }
  // Sends more than the kernel keeps for a peer that does not read. False: the connection is reset.
  bool keeps_taking() {
    const std::string bytes(8 << 20, 'x');
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto count = ::send(socket_, bytes.data(), bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }
  std::string read_until(std::string_view end) {
    while (!received_.contains(end) && read_some()) {
    }
    const auto found = received_.find(end);
    const auto size = found == std::string::npos ? received_.size() : found + end.size();
    auto out = received_.substr(0, size);
    received_.erase(0, size);
    return out;
  }
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(received_, {});
  }

 private:
  bool read_some() {
    char buffer[65536];
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    EXPECT_FALSE(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "the server says nothing";
    if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }
  int socket_;
  std::string received_;
};

// Echoes; /later is answered by release() from another thread, /drop never, /big with 3 MB.
class Echo final : public Handler {
 public:
  void handle(Request request, Responder respond) override {
    ++requests;
    if (request.target == "/drop") return;
    if (request.target == "/big") return respond(Response::json(200, std::string(3'000'000, 'b')));
    Response response = Response::json(200, request.method + " " + request.target + " " + request.body);
    response.headers.add("X-Echo", "a\r\nInjected: yes");
    if (request.target != "/later") return respond(std::move(response));
    const std::scoped_lock lock(mutex);
    held.emplace_back(std::move(respond), std::move(response));
    arrived.notify_all();
  }
  void release(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      std::unique_lock lock(mutex);
      arrived.wait(lock, [&] { return !held.empty(); });
      auto [respond, response] = std::move(held.front());
      held.erase(held.begin());
      lock.unlock();
      respond(std::move(response));
    }
  }
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::pair<Responder, Response>> held;
  std::atomic<int> requests{0};
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() { options_.port = 0; }
  void start() { server_ = std::move(start_server(options_, handler_, logger_)).value(); }
  RawPeer peer() const { return RawPeer(server_->port()); }
  std::unique_ptr<Client> client(std::chrono::milliseconds timeout = 20s) const {
    return make_client(Url{"127.0.0.1", server_->port(), ""}, timeout);
  }
  static Request request(std::string method, std::string target, std::string body = "") {
    Request out;
    out.method = std::move(method);
    out.target = std::move(target);
    out.body = std::move(body);
    return out;
  }

  NullLogger logger_;
  Echo handler_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

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
