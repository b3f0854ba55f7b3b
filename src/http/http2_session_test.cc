#include "http/internal/http2_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/internal/http2_frames.h"
#include "http/internal/session_fixture.h"

namespace pinflow::http::internal {
namespace {

using Phase = Session::Phase;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

class Http2 : public testing::Test {
 protected:
  static SessionLimits limits() {
    return {.max_header = 4096, .max_target = 2048, .max_body = 3 << 20, .max_unpack_ratio = 100, .max_streams = 10};
  }
  void SetUp() override { send(std::string(kPreface) + settings() + frame(4, kAck, 0, "")); }
  void send(std::string_view bytes, std::size_t step = SIZE_MAX) { peer.take(owner.send(bytes, step)); }
  void drain() { peer.take(owner.drain()); }
  void answer(StreamId id, Response response) { peer.take(owner.answer(id, std::move(response))); }
  void keep_requests() {
    owner.handler = [this](StreamId id, Request request) { kept.emplace(id, std::move(request)); };
  }
  void stream_bodies() {
    owner.admission = [](Request&) { return Admission{.refusal = {}, .stream_body = true}; };
    keep_requests();
  }
  void read_on(StreamId id) {
    kept.at(id).body_stream->next([this, id](BodyStream::Piece piece) {
      if (!piece) {
        read += "<" + piece.error().message + ">";
      } else if (*piece) {
        read += **piece;
        read_on(id);
      } else {
        read += "<end>";
      }
    });
  }
  std::shared_ptr<ScriptedBody::Script> answer_in_pieces(StreamId id) {
    auto script = std::make_shared<ScriptedBody::Script>();
    Response response;
    response.body_stream = std::make_unique<ScriptedBody>(script);
    answer(id, std::move(response));
    return script;
  }
  // Opens stream `id` without a body and gives its status back.
  int status_of(StreamId id, const std::vector<std::pair<std::string, std::string>>& fields) {
    send(headers(id, fields, kEndStream | kEndHeaders));
    return peer.streams[id].status;
  }

  FakeOwner owner{make_http2_session, limits()};
  FramePeer peer;
  std::map<StreamId, Request> kept;
  std::string read;
};

TEST_F(Http2, AnswersARequestHoweverTheBytesAreCut) {
  for (const std::size_t step : {1UZ, 10UZ, 100'000UZ}) {
    FakeOwner fresh(make_http2_session, limits());
    FramePeer end;
    end.take(fresh.send(std::string(kPreface) + settings() +
                            headers(1, get("/a?x=1", {{"accept", "*/*"}}), kEndStream | kEndHeaders) +
                            headers(3, post("/b"), kEndHeaders) + data(3, "hel") + data(3, "lo", kEndStream),
                        step));
    EXPECT_THAT(fresh.requests, ElementsAre("GET /a?x=1 ", "POST /b hello"));
    EXPECT_EQ(end.streams[1].status, 200);
    EXPECT_EQ(end.streams[3].body, "hello");
    EXPECT_EQ(end.streams[3].field("content-length"), "5");
    EXPECT_EQ(end.streams[3].field("date"), owner.date());
    EXPECT_TRUE(end.streams[3].ended);
    EXPECT_FALSE(end.gone_away);
    EXPECT_EQ(fresh.session().phase(), Phase::kIdle);
    EXPECT_EQ(fresh.session().held_bytes(), 0U);
  }
}

TEST_F(Http2, ARequestLooksAsOverHttp1) {
  keep_requests();
  send(headers(1, get("/a%2Fb/c?q=1+2", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}), kEndStream | kEndHeaders));
  const Request& request = kept.at(1);
  EXPECT_EQ(request.version, Version::kHttp2);
  EXPECT_EQ(request.headers.get("Host"), "h");
  EXPECT_EQ(request.headers.get("Cookie"), "a=1; b=2");
  EXPECT_EQ(request.headers.get("X"), "y");
  EXPECT_EQ(request.segments, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(request.query_value("q"), "1 2");
}

TEST_F(Http2, AnswersInAnyOrder) {
  keep_requests();
  for (const StreamId id : {1U, 3U, 5U}) send(headers(id, get("/"), kEndStream | kEndHeaders));
  EXPECT_EQ(kept.size(), 3U);
  answer(5, text(201, "five"));
  answer(1, text(202, "one"));
  EXPECT_EQ(peer.streams[5].body, "five");
  EXPECT_EQ(peer.streams[1].status, 202);
  EXPECT_EQ(peer.streams[3].status, 0);
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
}

TEST_F(Http2, SendsALargeAnswerAsFarAsTheWindowGoes) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders));
  answer(1, text(200, std::string(200'000, 'x')));
  EXPECT_EQ(peer.streams[1].body.size(), 65'535U);
  EXPECT_EQ(owner.session().phase(), Phase::kStreaming);
  const auto before = owner.session().progress();
  send(window_update(0, 1 << 20) + window_update(1, 100'000));
  EXPECT_EQ(peer.streams[1].body.size(), 165'535U);
  EXPECT_GT(owner.session().progress(), before);
  send(window_update(1, 100'000));
  EXPECT_TRUE(peer.streams[1].ended);
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
}

TEST_F(Http2, HeadAndBodilessAnswersEndAtTheirHeaders) {
  keep_requests();
  send(headers(1, {{":method", "HEAD"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}},
               kEndStream | kEndHeaders));
  answer(1, text(200, "abc"));
  EXPECT_EQ(peer.streams[1].field("content-length"), "3");
  EXPECT_TRUE(peer.streams[1].ended);
  EXPECT_EQ(peer.streams[1].body, "");
  send(headers(3, get("/"), kEndStream | kEndHeaders));
  answer(3, text(204, "abc"));
  EXPECT_EQ(peer.streams[3].field("content-length"), "");
  EXPECT_TRUE(peer.streams[3].ended);
}

TEST_F(Http2, AnswersAreWrittenAsTheProtocolWants) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders));
  Response response;
  response.headers.add("X-Echo", "a\r\nb");
  response.headers.add("Connection", "close");
  response.headers.add("Transfer-Encoding", "chunked");
  answer(1, std::move(response));
  EXPECT_EQ(peer.streams[1].field("x-echo"), "a  b");
  EXPECT_EQ(peer.streams[1].field("connection"), "");
  EXPECT_EQ(peer.streams[1].field("transfer-encoding"), "");
}

TEST_F(Http2, TakesALargeUploadThroughItsWindow) {
  const std::string body(3 << 20, 'u');
  std::size_t sent = 0;
  send(headers(1, post("/"), kEndHeaders));
  while (sent < body.size()) {
    const std::size_t count = std::min({body.size() - sent, 16'384UZ, peer.credit(1), peer.credit(0)});
    ASSERT_GT(count, 0U) << "the window is shut after " << sent;
    peer.spend(1, count);
    send(data(1, std::string_view(body).substr(sent, count), sent + count == body.size() ? kEndStream : 0));
    sent += count;
  }
  ASSERT_EQ(owner.requests.size(), 1U);
  EXPECT_EQ(owner.requests[0].size(), body.size() + 7);
}

TEST_F(Http2, HoldsTheWindowOfABodyThatIsNotRead) {
  stream_bodies();
  send(headers(1, post("/"), kEndHeaders));
  ASSERT_EQ(kept.size(), 1U);
  const std::string part(16'384, 'x');
  for (int i = 0; i < 64; ++i) {
    peer.spend(1, part.size());
    send(data(1, part));
  }
  EXPECT_EQ(peer.credit(1), 0U);
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  EXPECT_EQ(owner.session().held_bytes(), 1U << 20);
  read_on(1);
  EXPECT_GT(owner.wakes, 0);
  drain();
  EXPECT_EQ(read.size(), 1U << 20);
  EXPECT_EQ(peer.credit(1), 1U << 20);
  EXPECT_EQ(owner.session().phase(), Phase::kStreaming);
  send(data(1, "end", kEndStream));
  EXPECT_THAT(read, testing::EndsWith("end<end>"));
}

TEST_F(Http2, OpensTheConnectionsWindowForABodyThatNobodyReadsAnyMore) {
  stream_bodies();
  StreamId id = 1;
  for (; id < 200; id += 2) {  // Far more than the connection's window in all.
    send(headers(id, post("/"), kEndHeaders));
    for (int i = 0; i < 30; ++i) {
      ASSERT_GE(peer.credit(0), 16'384U) << id;
      peer.spend(id, 16'384);
      send(data(id, std::string(16'384, 'x')));
    }
    send(reset(id, 8));
    kept.clear();
    owner.session().answer(id, {});
    owner.time += std::chrono::seconds(1);
  }
}

TEST_F(Http2, AnswersWhileTheRequestStillComesIn) {
  stream_bodies();
  send(headers(1, post("/"), kEndHeaders) + data(1, "abc"));
  read_on(1);
  const auto script = answer_in_pieces(1);
  EXPECT_EQ(peer.streams[1].status, 200);
  script->give("first");
  drain();
  EXPECT_EQ(peer.streams[1].body, "first");
  send(data(1, "de", kEndStream));
  EXPECT_EQ(read, "abcde<end>");
  script->give("second");
  script->end();
  drain();
  EXPECT_EQ(peer.streams[1].body, "firstsecond");
  EXPECT_TRUE(peer.streams[1].ended);
  EXPECT_TRUE(script->destroyed);
}

TEST_F(Http2, AsksAnAnswersStreamForMoreOnlyWhenTheWindowIsOpen) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders));
  const auto script = answer_in_pieces(1);
  EXPECT_EQ(script->asked, 1);
  script->give(std::string(70'000, 'x'));
  drain();
  EXPECT_EQ(script->asked, 1);
  send(window_update(0, 100'000) + window_update(1, 1'000));
  EXPECT_EQ(script->asked, 1);
  send(window_update(1, 100'000));
  EXPECT_EQ(script->asked, 2);
}

TEST_F(Http2, AFailedAnswerIsReset) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders));
  const auto script = answer_in_pieces(1);
  script->give("a");
  script->give(fail(ErrorCode::kUnavailable, "gone"));
  drain();
  EXPECT_EQ(peer.streams[1].body, "a");
  EXPECT_FALSE(peer.streams[1].ended);
  EXPECT_EQ(peer.streams[1].reset, 2U);  // INTERNAL_ERROR.
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(status_of(3, get("/")), 0);
  EXPECT_EQ(kept.size(), 2U);
}

TEST_F(Http2, AWithdrawnRequestLetsGoOfBothStreams) {
  stream_bodies();
  send(headers(1, post("/"), kEndHeaders) + data(1, "abc"));
  read_on(1);
  const auto script = answer_in_pieces(1);
  send(reset(1, 8));
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(read, "abc<the sender of the body is gone>");
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
}

TEST_F(Http2, AnEndedConnectionLetsGoOfAllStreams) {
  stream_bodies();
  send(headers(1, post("/"), kEndHeaders) + headers(3, post("/"), kEndHeaders));
  read_on(1);
  const auto script = answer_in_pieces(3);
  owner.end_connection();
  EXPECT_EQ(read, "<the sender of the body is gone>");
  EXPECT_TRUE(script->destroyed);
}

TEST_F(Http2, RefusesAtTheHeadAndStopsTheBody) {
  owner.admission = [](Request&) { return Admission{.refusal = text(401, "who?")}; };
  send(headers(1, post("/"), kEndHeaders));
  EXPECT_EQ(peer.streams[1].status, 401);
  EXPECT_EQ(peer.streams[1].reset, 0U);  // NO_ERROR: please stop.
  send(headers(3, post("/", {{"content-length", "5"}}), kEndHeaders));
  EXPECT_EQ(peer.streams[3].status, 401);
  EXPECT_EQ(peer.streams[3].reset, std::nullopt);
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  send(data(3, "hello", kEndStream));
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
  EXPECT_THAT(owner.requests, IsEmpty());
}

TEST_F(Http2, HoldsTheBodyLimits) {
  send(headers(1, post("/", {{"content-length", "4000000"}}), kEndHeaders));
  EXPECT_EQ(peer.streams[1].status, 413);
  owner.admission = [](Request&) { return Admission{.refusal = {}, .stream_body = false, .max_body = ByteCount(10)}; };
  send(headers(3, post("/"), kEndHeaders) + data(3, "0123456789") + data(3, "a", kEndStream));
  EXPECT_EQ(peer.streams[3].status, 413);
  EXPECT_THAT(owner.requests, IsEmpty());
}

TEST_F(Http2, SaysContinue) {
  send(headers(1, post("/", {{"expect", "100-continue"}}), kEndHeaders));
  EXPECT_EQ(peer.streams[1].interim, 100);
  send(data(1, "x", kEndStream));
  EXPECT_EQ(peer.streams[1].status, 200);
}

TEST_F(Http2, DropsTrailers) {
  keep_requests();
  send(headers(1, post("/"), kEndHeaders) + data(1, "x") +
       headers(1, {{"authorization", "late"}}, kEndStream | kEndHeaders));
  EXPECT_EQ(kept.at(1).body, "x");
  EXPECT_EQ(kept.at(1).headers.get("authorization"), std::nullopt);
}

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

TEST_F(Http2, FinishTellsThePeerAndAnswersWhatIsOwed) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders));
  owner.session().finish();
  drain();
  EXPECT_EQ(peer.gone_away, 0U);
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  send(headers(3, get("/"), kEndStream | kEndHeaders));
  EXPECT_EQ(kept.size(), 1U);
  answer(1, text(200, "x"));
  EXPECT_EQ(peer.streams[1].body, "x");
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http2, ATimeoutEndsTheSlowRequestAndAnswersTheOthers) {
  keep_requests();
  send(headers(1, get("/"), kEndStream | kEndHeaders) + headers(3, post("/"), kEndHeaders) + data(3, "drip"));
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  const auto deadline = owner.session().progress();
  send(data(3, "drip") + headers(5, get("/"), kEndStream | kEndHeaders));
  EXPECT_EQ(owner.session().progress(), deadline) << "a drip must not win time";
  owner.session().refuse(408, "too slow");
  drain();
  EXPECT_EQ(peer.streams[3].status, 408);
  EXPECT_EQ(peer.gone_away, 0U);
  answer(1, text(200, "x"));
  answer(5, text(200, "y"));
  EXPECT_EQ(peer.streams[5].body, "y");
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http2, RefusesAConnectionAsAWhole) {
  FakeOwner fresh(make_http2_session, limits());
  fresh.session().refuse(503, "full");
  FramePeer end;
  end.take(fresh.drain());
  EXPECT_EQ(end.gone_away, 0U);
  EXPECT_EQ(fresh.session().phase(), Phase::kEnding);
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
  const auto provoke = [](int i) {  // A window that overflows is a stream error, and the reset is ours.
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
