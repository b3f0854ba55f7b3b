#include "http/internal/request_reader.h"

#include <gtest/gtest.h>

namespace pinflow::http::internal {
namespace {

using Stage = RequestReader::Stage;

// Feeds all bytes in pieces of `step`, and returns the whole requests.
struct Outcome {
  std::vector<Request> requests;
  std::optional<Failure> failure;
  Stage stage = Stage::kIdle;
};

Outcome read_all(std::string_view bytes, std::size_t step = SIZE_MAX, const RequestLimits& limits = {},
                 std::uint64_t max_body = 1 << 20) {
  RequestReader reader(limits);
  Outcome outcome;
  std::string body;
  while (!bytes.empty() && !reader.failure()) {
    const std::size_t used = reader.feed(bytes.substr(0, std::min(step, bytes.size())), body);
    bytes.remove_prefix(used);
    if (reader.stage() == Stage::kHeadDone) reader.begin_body(max_body);
    if (reader.stage() != Stage::kComplete) continue;
    outcome.requests.push_back(std::move(reader.request()));
    outcome.requests.back().body = std::exchange(body, {});
    reader.restart();
  }
  outcome.failure = reader.failure();
  outcome.stage = reader.stage();
  return outcome;
}

constexpr std::string_view kTwoRequests =
    "POST /topics/a%2Fb/?x=1+2&y=%41&flag HTTP/1.1\r\nHost: h\r\nContent-Type:  a/b \r\nContent-Length: "
    "5\r\n\r\nhello"
    "\r\nPUT //s/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3;ext=1\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n";

TEST(RequestReader, ReadsLengthAndChunkedBodiesHoweverTheBytesArrive) {
  for (const std::size_t step : {1UZ, 2UZ, 3UZ, 7UZ, 50UZ, 1000UZ}) {
    const auto outcome = read_all(kTwoRequests, step);
    ASSERT_FALSE(outcome.failure) << step << ": " << outcome.failure->message;
    ASSERT_EQ(outcome.requests.size(), 2U) << step;
    const auto& first = outcome.requests[0];
    EXPECT_EQ(first.method, "POST");
    EXPECT_EQ(first.target, "/topics/a%2Fb/?x=1+2&y=%41&flag");
    EXPECT_EQ(first.segments, (std::vector<std::string>{"topics", "a/b"}));
    EXPECT_EQ(first.query_value("x"), "1 2");
    EXPECT_EQ(first.query_value("y"), "A");
    EXPECT_EQ(first.query_value("flag"), "");
    EXPECT_EQ(first.query_value("z"), std::nullopt);
    EXPECT_EQ(first.headers.get("content-TYPE"), "a/b");
    EXPECT_EQ(first.body, "hello");
    EXPECT_EQ(outcome.requests[1].segments, (std::vector<std::string>{"s"}));
    EXPECT_EQ(outcome.requests[1].body, "abc0123456789");
    EXPECT_FALSE(outcome.requests[1].headers.get("X-T"));
  }
}

TEST(RequestReader, AcceptsABodyOnGet) {
  const auto outcome = read_all("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
  ASSERT_EQ(outcome.requests.size(), 1U);
  EXPECT_EQ(outcome.requests[0].body, "{}");
}

TEST(RequestReader, TakesAbsoluteTargets) {
  const auto outcome =
      read_all("GET http://h:1/a?b=c HTTP/1.1\r\nHost: h:1\r\n\r\nGET http://h HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 2U);
  EXPECT_EQ(outcome.requests[0].target, "/a?b=c");
  EXPECT_EQ(outcome.requests[1].target, "/");
}

TEST(RequestReader, KnowsWhetherTheConnectionStaysOpen) {
  const std::pair<std::string_view, bool> cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", false}};
  for (const auto& [bytes, keeps] : cases) {
    RequestReader reader({});
    std::string body;
    reader.feed(bytes, body);
    ASSERT_EQ(reader.stage(), Stage::kHeadDone) << bytes;
    EXPECT_EQ(reader.keep_alive(), keeps) << bytes;
  }
}

TEST(RequestReader, HoldsTheBodyLimitWhileReading) {
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const auto status = [&](std::string_view rest) {
    const auto outcome = read_all(post + std::string(rest), 3, {}, 10);
    return outcome.failure ? outcome.failure->status : 0;
  };
  EXPECT_EQ(status("Content-Length: 10\r\n\r\n0123456789"), 0);
  EXPECT_EQ(status("Content-Length: 11\r\n\r\n"), 413);
  EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n"), 413);
  EXPECT_EQ(status("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"), 413);
}

TEST(RequestReader, HoldsTheHeaderLimits) {
  const std::string long_value(17'000, 'x');
  EXPECT_EQ(read_all("GET / HTTP/1.1\r\nHost: h\r\nX: " + long_value, 100).failure->status, 431);
  EXPECT_EQ(read_all("GET /" + long_value, 100).failure->status, 414);
  EXPECT_EQ(read_all("GET /" + long_value.substr(9000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 100).failure, std::nullopt);
  EXPECT_EQ(read_all("GET /" + long_value.substr(8000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 100).failure->status, 414);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) many += "a:b\r\n";
  EXPECT_EQ(read_all(many + "\r\n").failure->status, 431);
}

// Each is a form that some other reader takes for something else, or that cannot be a request.
constexpr std::pair<std::string_view, int> kRefused[] = {
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\nHost: h\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n: y\r\n\r\n", 400},
    {{"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 39}, 400},
    {{"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28}, 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400},
    {"GET https://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400},
    {"GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\r\nHost: h\r\n\r\n", 400},
    {"GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n", 417},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a\n\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\ntransfer-encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nauthorization: x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n",
     400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", 501},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ncontent-length : 6\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"\r\nhello\r\n0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", 400},
};

TEST(RequestReader, RefusesAmbiguousAndMalformedRequests) {
  for (const auto& [bytes, status] : kRefused) {
    for (const std::size_t step : {SIZE_MAX, 1UZ}) {
      const auto outcome = read_all(bytes, step);
      ASSERT_TRUE(outcome.failure) << bytes;
      EXPECT_EQ(outcome.failure->status, status) << bytes << "\n" << outcome.failure->message;
      EXPECT_TRUE(outcome.requests.empty()) << bytes;
    }
  }
}

TEST(RequestReader, BoundsTrailersAndChunkExtensions) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string trailers = head + "0\r\n";
  for (int i = 0; i < 1000; ++i) trailers += "abc: def\r\n";
  EXPECT_EQ(read_all(trailers).failure->status, 431);
  EXPECT_EQ(read_all(head + "5;" + std::string(100, 'x')).failure->status, 400);
}

}  // namespace
}  // namespace pinflow::http::internal
