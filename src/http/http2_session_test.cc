#include "http/internal/http2_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/internal/http2_fixture.h"

namespace pinflow::http::internal {
namespace {

using Phase = Session::Phase;
using testing::ElementsAre;
using testing::IsEmpty;

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
  const auto abandoned = kept.at(1).abandoned;
  const auto script = answer_in_pieces(1);
  EXPECT_FALSE(abandoned.stop_requested());
  send(reset(1, 8));
  EXPECT_TRUE(abandoned.stop_requested());
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(read, "abc<the sender of the body is gone>");
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
}

TEST_F(Http2, AReaderMayDropItsBodyWhileItReads) {
  stream_bodies();
  send(headers(1, post("/"), kEndHeaders) + data(1, "abc"));
  kept.at(1).body_stream->next([this](const BodyStream::Piece& piece) {
    read = **piece;
    kept.at(1).body_stream.reset();
  });
  EXPECT_EQ(read, "abc");
  send(data(1, "more", kEndStream));
  answer(1, text(200, "x"));
  EXPECT_EQ(peer.streams[1].body, "x");
  EXPECT_EQ(peer.streams[1].reset, std::nullopt);
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
  send(headers(3, post("/", {{"content-length", "5"}}), kEndHeaders));
  EXPECT_EQ(peer.streams[3].status, 401);
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  send(data(3, "hello", kEndStream));
  EXPECT_EQ(peer.streams[3].reset, std::nullopt);
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
  EXPECT_THAT(owner.requests, IsEmpty());
}

// curl takes a reset for a failure of the request when it is still sending: the answer must reach it before.
TEST_F(Http2, ReadsOnAfterAnEarlyAnswerBeforeItResets) {
  send(headers(1, post("/", {{"content-length", "4000000"}}), kEndHeaders));
  const std::string piece(16 << 10, 'x');
  for (int i = 0; i < 64; ++i) send(data(1, piece));
  EXPECT_EQ(peer.streams[1].status, 413);
  EXPECT_TRUE(peer.streams[1].ended);
  EXPECT_EQ(peer.streams[1].reset, std::nullopt);
  send(data(1, piece));
  EXPECT_EQ(peer.streams[1].reset, 0U);  // NO_ERROR: please stop.
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
  EXPECT_EQ(status_of(3, get("/")), 200);

  send(headers(5, post("/", {{"content-length", "4000000"}}), kEndHeaders));
  EXPECT_EQ(peer.streams[5].reset, std::nullopt);
  owner.session().finish();
  drain();
  EXPECT_EQ(peer.streams[5].reset, 0U);
  EXPECT_EQ(owner.session().phase(), Phase::kEnding) << "nobody waits for a body that nobody wants";
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

}  // namespace
}  // namespace pinflow::http::internal
