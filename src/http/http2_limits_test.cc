#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/internal/http2_fixture.h"
#include "http/internal/http2_session.h"

namespace pinflow::http::internal {
namespace {

using Phase = Session::Phase;
using testing::IsEmpty;

TEST_F(Http2, RefusesWhatHttp1Refuses) {
  const auto request = [](std::string method, std::string path, std::string authority,
                          std::vector<std::pair<std::string, std::string>> more = {}) {
    std::vector<std::pair<std::string, std::string>> fields{{":method", std::move(method)},
                                                            {":scheme", "http"},
                                                            {":path", std::move(path)},
                                                            {":authority", std::move(authority)}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  };
  const std::pair<std::vector<std::pair<std::string, std::string>>, int> cases[] = {
      {request("GET", "/%zz", "h"), 400},
      {request("GET", "/a#b", "h"), 400},
      {request("GET", "/\xc3\xa9", "h"), 400},
      {request("GET", "/", "a,b"), 400},
      {request("GET", "/", "h", {{"host", "other"}}), 400},
      {request("GET", "/", "h", {{"expect", "more"}}), 417},
      {request("GET", "/", "h", {{"content-encoding", "br"}}), 415},
      {request("GET", "/", "h", {{"x", "a\nb"}}), 400},
      {request("GET", "/", "h", {{"x", "a\rb"}}), 400},
      {request("GET", "/", "h", {{"x", std::string("a\0b", 3)}}), 400},
      {request("GET", "/" + std::string(2048, 'x'), "h"), 414},
      {request("GET", "/", "h", {{"x", std::string(4096, 'x')}}), 431},
      {request("OPTIONS", "*", "h"), 200},
      {request("GET", "/", "h", {{"host", "H"}}), 200},
  };
  StreamId id = 1;
  for (const auto& [fields, status] : cases) {
    EXPECT_EQ(status_of(id, fields), status) << testing::PrintToString(fields) << peer.streams[id].body;
    EXPECT_FALSE(peer.gone_away);
    id += 2;
  }
}

TEST_F(Http2, ResetsWhatIsNoRequestOfThisProtocol) {
  const std::vector<std::pair<std::string, std::string>> cases[] = {
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}},  // No host at all.
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}},
      {{":method", "GET"}, {":path", "/"}, {":authority", "h"}},
      {{":scheme", "http"}, {":path", "/"}, {":authority", "h"}},
      {{":method", "GET"}, {":scheme", "http"}, {":path", ""}, {":authority", "h"}},
      {{":method", "GET"}, {":scheme", "http"}, {":path", "x"}, {":authority", "h"}},
      {{":method", "G@T"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}},
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a/b"}},
      {{":method", "GET"}, {":scheme", "http"}, {":path", "http://h/"}, {":authority", "h"}},
      get("/a b"),
      get("/", {{"connection", "close"}}),
      get("/", {{"transfer-encoding", "chunked"}}),
      get("/", {{"te", "gzip"}}),
      get("/", {{"upgrade", "h2c"}}),
      get("/", {{"keep-alive", "5"}}),
      get("/", {{"proxy-connection", "x"}}),
      get("/", {{"X-Upper", "x"}}),
      get("/", {{":status", "200"}}),
      get("/", {{"x", "y"}, {":path", "/again"}}),
      get("/", {{":path", "/again"}}),
      get("/", {{"content-length", "+5"}}),
      get("/", {{"content-length", "5"}}),  // And no body.
      get("/", {{"content-length", "0"}, {"content-length", "0"}}),
      get("/", {{"host", "h"}, {"host", "h"}}),
  };
  StreamId id = 1;
  for (const auto& fields : cases) {
    EXPECT_EQ(status_of(id, fields), 0) << testing::PrintToString(fields);
    EXPECT_EQ(peer.streams[id].reset, 1U) << testing::PrintToString(fields);  // PROTOCOL_ERROR.
    id += 2;
  }
  EXPECT_THAT(owner.requests, IsEmpty());
  EXPECT_FALSE(peer.gone_away);
}

TEST_F(Http2, ResetsABodyThatIsNotAsLongAsItSays) {
  send(headers(1, post("/", {{"content-length", "5"}}), kEndHeaders) + data(1, "abcdef"));
  EXPECT_EQ(peer.streams[1].reset, 1U);
  send(headers(3, post("/", {{"content-length", "5"}}), kEndHeaders) + data(3, "abc", kEndStream));
  EXPECT_EQ(peer.streams[3].reset, 1U);
  EXPECT_THAT(owner.requests, IsEmpty());
}

TEST_F(Http2, RefusesMoreStreamsThanItSays) {
  keep_requests();
  for (StreamId id = 1; id < 2 * 11; id += 2) send(headers(id, get("/"), kEndStream | kEndHeaders));
  EXPECT_EQ(kept.size(), 10U);
  EXPECT_EQ(peer.gone_away, 1U);  // It confirmed the limit, so this is an error of the connection.

  FakeOwner fresh(make_http2_session, limits());
  fresh.handler = [](StreamId, const Request&) {};
  FramePeer hasty;  // Has not seen the limit yet.
  hasty.take(fresh.send(std::string(kPreface) + settings()));
  for (StreamId id = 1; id < 2 * 11; id += 2) {
    hasty.take(fresh.send(headers(id, get("/"), kEndStream | kEndHeaders)));
  }
  EXPECT_EQ(hasty.streams[21].reset, 7U);  // REFUSED_STREAM: safe to repeat.
  EXPECT_FALSE(hasty.gone_away);
}

constexpr std::uint32_t kEnhanceYourCalm = 11;

// Sends what `make` gives again and again, with the clock at rest; returns after how many times the session ends the connection.
int floods_until_calm(FakeOwner& owner, FramePeer& peer, const std::function<std::string(int)>& make) {
  for (int i = 0; i < 20'000; ++i) {
    peer.take(owner.send(make(i)));
    if (peer.gone_away) {
      EXPECT_EQ(owner.session().phase(), Phase::kEnding);
      return i + 1;
    }
  }
  return INT_MAX;
}

TEST_F(Http2, EndsARapidReset) {
  keep_requests();
  const auto open_and_reset = [](int i) {
    const auto id = static_cast<StreamId>(2 * i + 1);
    return headers(id, get("/"), kEndStream | kEndHeaders) + reset(id, 8);
  };
  EXPECT_LE(floods_until_calm(owner, peer, open_and_reset), 250);
  EXPECT_EQ(peer.gone_away, kEnhanceYourCalm);
  EXPECT_THAT(kept, IsEmpty()) << "what is withdrawn at once reaches no handler";
}

TEST_F(Http2, HandlersAtWorkForWithdrawnRequestsHoldUpTheirPeer) {
  keep_requests();
  for (StreamId id = 1; id <= 19; id += 2) {
    send(headers(id, get("/"), kEndStream | kEndHeaders));
    EXPECT_TRUE(owner.session().wants_input());
    send(reset(id, 8));
  }
  EXPECT_EQ(kept.size(), 10U);
  EXPECT_FALSE(owner.session().wants_input());
  owner.session().answer(1, text(200, "too late"));
  EXPECT_TRUE(owner.session().wants_input());
}

TEST_F(Http2, EndsResetsThatThePeerMakesUsSend) {
  keep_requests();
  const auto provoke = [&](int i) {  // A window that overflows is a stream error, and the reset is ours.
    for (const auto& [id, request] : kept) owner.reply(id, text(200, "too late"));
    kept.clear();
    const auto id = static_cast<StreamId>(2 * i + 1);
    return headers(id, get("/"), kEndStream | kEndHeaders) + window_update(id, 0x7fffffff);
  };
  EXPECT_LE(floods_until_calm(owner, peer, provoke), 250);
  EXPECT_EQ(peer.gone_away, kEnhanceYourCalm);
}

TEST_F(Http2, AnHonestClientMayResetNowAndThen) {
  keep_requests();
  for (int i = 0; i < 2000; ++i) {
    const auto id = static_cast<StreamId>(4 * i + 1);
    send(headers(id, get("/"), kEndStream | kEndHeaders) + headers(id + 2, get("/"), kEndStream | kEndHeaders) +
         reset(id, 8));
    answer(id + 2, text(200, "x"));
    ASSERT_FALSE(peer.gone_away) << i;
  }
}

TEST_F(Http2, EndsFloodsOfFramesThatDoNothing) {
  const std::pair<std::string_view, std::function<std::string(int)>> floods[] = {
      {"ping", [](int) { return frame(6, 0, 0, "12345678"); }},
      {"settings", [](int) { return settings(); }},
      {"priority", [](int) { return frame(2, 0, 1, std::string("\0\0\0\0\1", 5)); }},
      {"window", [](int) { return window_update(0, 1); }},
      {"empty data", [](int i) { return i == 0 ? headers(1, post("/"), kEndHeaders) : data(1, ""); }},
      {"padding",
       [](int i) { return i == 0 ? headers(1, post("/"), kEndHeaders) : frame(0, 8, 1, std::string(1, '\0')); }},
  };
  for (const auto& [name, make] : floods) {
    FakeOwner fresh(make_http2_session, limits());
    FramePeer end;
    end.take(fresh.send(std::string(kPreface) + settings()));
    EXPECT_LE(floods_until_calm(fresh, end, make), 2'500) << name;
    EXPECT_EQ(end.gone_away, kEnhanceYourCalm) << name;
  }
}

TEST_F(Http2, TrafficEarnsItsPingsAndWindowUpdates) {
  for (int i = 0; i < 3000; ++i) {
    const auto id = static_cast<StreamId>(2 * i + 1);
    send(headers(id, post("/"), kEndHeaders) + data(id, "x", kEndStream) + window_update(0, 1) + window_update(id, 1) +
         frame(6, 0, 0, "12345678"));
    ASSERT_FALSE(peer.gone_away) << i;
  }
  owner.requests.clear();
}

TEST_F(Http2, EndsAFloodOfContinuations) {
  std::string flood = frame(1, 0, 1, header_block(get("/")));
  for (int i = 0; i < 100; ++i) flood += frame(9, 0, 1, header_block({{"x", "y"}}));
  send(flood);
  EXPECT_TRUE(peer.gone_away);
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http2, EndsAHeaderBomb) {
  // One field enters the peer's table, then each byte of the block repeats it.
  const std::string value(3000, 'b');
  std::string block = header_block(get("/"));
  block += '\x40' + hpack_string("x") + hpack_string(value);
  block += std::string(10'000, '\xbe');
  send(frame(1, kEndStream | kEndHeaders, 1, block));
  EXPECT_EQ(peer.gone_away, kEnhanceYourCalm);
  EXPECT_THAT(owner.requests, IsEmpty());
}

TEST_F(Http2, EndsABrokenConnection) {
  const std::string broken[] = {
      frame(1, kEndStream | kEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff\xff"),  // No HPACK.
      frame(0, 0, 0, "x"),                                                        // DATA of no stream.
      frame(6, 0, 0, "short"),
      frame(4, 0, 0, "12345"),
      frame(1, kEndHeaders, 2, header_block(get("/"))),  // An even stream.
      big_endian(1 << 20, 3) + std::string("\0\0\0\0\0\1", 6),
      frame(5, 4, 1, "1234"),  // PUSH_PROMISE.
      window_update(0, 0),
  };
  for (const auto& bytes : broken) {
    FakeOwner fresh(make_http2_session, limits());
    FramePeer end;
    end.take(fresh.send(std::string(kPreface) + settings() + bytes));
    EXPECT_TRUE(end.gone_away) << testing::PrintToString(bytes.substr(0, 9));
    EXPECT_NE(end.gone_away, 0U);
    EXPECT_EQ(fresh.session().phase(), Phase::kEnding);
    EXPECT_FALSE(fresh.session().wants_input());
    EXPECT_THAT(fresh.requests, IsEmpty());
  }
}

TEST_F(Http2, ADripOfAHeadIsSeenAsAHead) {
  const std::string bytes = headers(1, get("/"), kEndStream | kEndHeaders);
  send(bytes.substr(0, 12));
  EXPECT_EQ(owner.session().phase(), Phase::kHead);
  const auto before = owner.session().progress();
  send(bytes.substr(12, 5));
  EXPECT_EQ(owner.session().progress(), before);
  owner.session().refuse(408, "too slow");
  drain();
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

}  // namespace
}  // namespace pinflow::http::internal
