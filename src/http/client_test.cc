#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <semaphore>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

// A server that says exactly what a test wants: for each connection one script of (read until, say).
class Scripted {
 public:
  using Script = std::vector<std::pair<std::string, std::string>>;
  explicit Scripted(std::vector<Script> connections) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 5), 0);
    const timeval limit{20, 0};  // A client that does not come makes a test fail, not hang.
    ::setsockopt(listener_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, connections = std::move(connections)] {
      for (const auto& script : connections) play(script);
    });
  }
  ~Scripted() {
    thread_.join();
    ::close(listener_);
  }
  std::string heard() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return heard_;
  }
  void wait_for_close() { closed_.acquire(); }
  std::uint16_t port = 0;

 private:
  void play(const Script& script) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    for (const auto& [until, say] : script) {
      std::string got;
      char byte = 0;
      while (!got.ends_with(until) && ::recv(socket, &byte, 1, 0) == 1) got += byte;
      heard_ += got;
      ::send(socket, say.data(), say.size(), MSG_NOSIGNAL);
    }
    ::close(socket);
    closed_.release();
  }
  int listener_;
  std::string heard_;
  std::counting_semaphore<> closed_{0};
  std::thread thread_;
};

Request get(std::string target) {
  Request request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

TEST(Client, SendsBelowThePrefixAndReadsEveryKindOfBody) {
  Scripted server({{{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nab"},
                    {"\r\n\r\n",
                     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 \r\nTransfer-Encoding: "
                     "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
                    {"\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
                    {"\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nuntil close"}}});
  const auto client = make_client(*Url::parse(fmt::format("http://127.0.0.1:{}/Production/", server.port)), 20s);
  const auto first = client->send(get("/a?b=c"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->body, "ab");
  EXPECT_EQ(first->headers.get("x"), "y");
  const auto second = client->send(get("/b"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->status, 404);
  EXPECT_EQ(second->body, "abc");
  EXPECT_EQ(client->send(get("/c"))->status, 204);
  EXPECT_EQ(client->send(get("/d"))->body, "until close");
  EXPECT_THAT(server.heard(), HasSubstr("GET /Production/a?b=c HTTP/1.1\r\n"));
}

TEST(Client, ConnectsAgainAfterThePeerClosed) {
  const Scripted::Script once = {{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"}};
  Scripted server({once, once});
  const auto client = make_client(Url{"127.0.0.1", server.port, ""}, 20s);
  EXPECT_TRUE(client->send(get("/")));
  EXPECT_TRUE(client->send(get("/")));
}

TEST(Client, ConnectsAgainAfterThePeerClosedUnannounced) {
  const Scripted::Script once = {{"\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
  Scripted server({once, once});
  const auto client = make_client(Url{"127.0.0.1", server.port, ""}, 20s);
  EXPECT_TRUE(client->send(get("/")));
  server.wait_for_close();
  EXPECT_TRUE(client->send(get("/")));
}

TEST(Client, DoesNotKnowTheOutcomeWhenTheAnswerBreaksOff) {
  for (const auto* const part :
       {"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "nonsense\r\n\r\n"}) {
    Scripted server({{{"\r\n\r\n", part}}});
    const auto answer = make_client(Url{"127.0.0.1", server.port, ""}, 20s)->send(get("/x"));
    ASSERT_FALSE(answer) << part;
    EXPECT_EQ(answer.error().code, ErrorCode::kUnknownOutcome) << part;
    EXPECT_THAT(answer.error().message, HasSubstr("GET /x at 127.0.0.1:"));
  }
}

TEST(Client, NamesAnIPv6HostInBrackets) {
  const auto answer = make_client(Url{"::1", 1, ""}, 20s)->send(get("/x"));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("[::1]:1"));
}

TEST(Client, SendsNothingWhenTheServerSpeaksNoTls) {
  Scripted server({{{"\x16", "HTTP/1.1 400 Bad Request\r\n\r\n"}}});
  const auto answer = make_client(Url{"127.0.0.1", server.port, "", true}, 20s)->send(get("/secret"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("cannot set up TLS with 127.0.0.1:"));
  EXPECT_THAT(server.heard(), Not(HasSubstr("secret")));
}

TEST(Client, GivesUpAfterItsTimeout) {
  Scripted server({{{"\r\n\r\n", ""}, {"never", ""}}});
  auto client = make_client(Url{"127.0.0.1", server.port, ""}, 30ms);
  const auto answer = client->send(get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnknownOutcome);
  EXPECT_THAT(answer.error().message, HasSubstr("30 ms"));
}

TEST(Client, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  {
    Scripted server({});
    port = server.port;
  }
  const auto answer = make_client(Url{"127.0.0.1", port, ""}, 20s)->send(get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("Connection refused"));
}

TEST(UrlTest, ReadsHostPortAndPrefix) {
  EXPECT_EQ(Url::parse("http://h"), (Url{"h", 80, ""}));
  EXPECT_EQ(Url::parse("http://h:8082/"), (Url{"h", 8082, ""}));
  EXPECT_EQ(Url::parse("http://1.2.3.4:1/Production/x//"), (Url{"1.2.3.4", 1, "/Production/x"}));
  EXPECT_EQ(Url::parse("http://[::1]:8082"), (Url{"::1", 8082, ""}));
  EXPECT_EQ(Url::parse("https://h/x"), (Url{"h", 443, "/x", true}));
  EXPECT_EQ(Url::parse("https://h:8443"), (Url{"h", 8443, "", true}));
}

TEST(UrlTest, RefusesWhatItCannotReach) {
  for (const auto* const text :
       {"", "h:80", "ftp://h", "https://", "http://", "http://:80", "http://h:", "http://h:0", "http://h:99999",
        "http://h:8a", "http://u@h", "http://h/a?b", "http://h h", "http://[::1", "http://[::1]x"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace pinflow::http
