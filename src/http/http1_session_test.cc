#include "http/internal/http1_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/internal/session_fixture.h"

namespace pinflow::http::internal {
namespace {

using Phase = Session::Phase;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

constexpr std::string_view kChunkedHead = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

class Http1 : public testing::Test {
 protected:
  static SessionLimits limits() { return {.max_header = 4096, .max_target = 2048, .max_body = 1000}; }
  void keep_requests() {
    owner.handler = [this](StreamId id, Request request) { kept.emplace_back(id, std::move(request)); };
  }
  void stream_bodies() {
    owner.admission = [](Request&) { return Admission{.refusal = {}, .stream_body = true}; };
    keep_requests();
  }
  // Reads on in the streamed body of the last request; what comes is appended to `read`.
  void read_on() {
    kept.back().second.body_stream->next([this](BodyStream::Piece piece) {
      if (!piece) {
        read += "<" + piece.error().message + ">";
      } else if (*piece) {
        read += **piece;
        if (greedy) read_on();
      } else {
        read += "<end>";
      }
    });
  }
  std::shared_ptr<ScriptedBody::Script> answer_in_pieces() {
    auto script = std::make_shared<ScriptedBody::Script>();
    Response response;
    response.body_stream = std::make_unique<ScriptedBody>(script);
    owner.session().answer(kept.back().first, std::move(response));
    return script;
  }

  FakeOwner owner{make_http1_session, limits()};
  std::vector<std::pair<StreamId, Request>> kept;
  std::string read;
  bool greedy = true;
};

TEST_F(Http1, AnswersPipelinedRequestsInOrder) {
  const std::string bytes = post("one") + "\r\n" + post("two") + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::size_t step : {1UZ, 13UZ, 4000UZ}) {
    FakeOwner fresh(make_http1_session, limits());
    const auto out = fresh.send(bytes, step);
    EXPECT_THAT(fresh.requests, ElementsAre("POST /a one", "POST /a two", "GET /b ")) << step;
    EXPECT_THAT(out,
                HasSubstr("Content-Length: 3\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\noneHTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(fresh.session().phase(), Phase::kIdle);
  }
}

TEST_F(Http1, KeepsALaterRequestUntilTheFirstIsAnswered) {
  keep_requests();
  EXPECT_EQ(owner.send(post("one") + post("two")), "");
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  EXPECT_FALSE(owner.session().wants_input());
  EXPECT_THAT(owner.answer(1, text(201, "x")), StartsWith("HTTP/1.1 201 Created\r\n"));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].second.body, "two");
  EXPECT_EQ(owner.answer(1, text(200, "again")), "");
  EXPECT_THAT(owner.answer(2, text(200, "y")), EndsWith("\r\n\r\ny"));
  EXPECT_TRUE(owner.session().wants_input());
  EXPECT_EQ(owner.session().held_bytes(), 0U);
}

TEST_F(Http1, RefusesAtTheHeadAndPassesOverAShortBody) {
  owner.admission = [](Request& head) {
    Admission admission;
    if (!head.headers.get("Authorization")) admission.refusal = text(401, "who?");
    return admission;
  };
  const auto out = owner.send(post("ignored") + post("taken", "Authorization: x\r\n"), 5);
  EXPECT_THAT(out, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(out, EndsWith("taken"));
  EXPECT_THAT(owner.requests, ElementsAre("POST /a taken"));
}

TEST_F(Http1, ClosesAfterARefusalWhoseBodyIsLongOrUnmeasured) {
  for (const std::string head : {"Content-Length: 300000\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
                                 "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"}) {
    FakeOwner fresh(make_http1_session, limits());
    fresh.admission = [](Request&) { return Admission{.refusal = text(403, "no")}; };
    const auto out = fresh.send("POST / HTTP/1.1\r\nHost: h\r\n" + head);
    EXPECT_THAT(out, StartsWith("HTTP/1.1 403 Forbidden\r\n")) << head;
    EXPECT_THAT(out, HasSubstr("Connection: close\r\n")) << head;
    EXPECT_THAT(out, Not(HasSubstr("100 Continue"))) << head;
    EXPECT_EQ(fresh.session().phase(), Phase::kEnding) << head;
  }
}

TEST_F(Http1, SaysContinueOnceAndOnlyToThoseWhoWait) {
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(owner.send(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  EXPECT_EQ(owner.send("bo"), "");
  EXPECT_THAT(owner.send("dy"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(owner.send(head + "body"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Http1, HoldsTheBodyLimitOfTheRoute) {
  EXPECT_THAT(FakeOwner(make_http1_session, limits()).send(post(std::string(1001, 'x'))), StartsWith("HTTP/1.1 413 "));
  owner.admission = [](Request&) {
    return Admission{.refusal = {}, .stream_body = false, .max_body = ByteCount(2000)};
  };
  EXPECT_THAT(owner.send(post(std::string(1001, 'x'))), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(owner.send(post(std::string(2001, 'x'))), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http1, HandsAStreamedBodyOverPieceByPiece) {
  stream_bodies();
  owner.send(std::string(kChunkedHead) + "3\r\nabc\r\n");
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  read_on();
  EXPECT_EQ(read, "abc");
  EXPECT_GT(owner.wakes, 0);
  EXPECT_EQ(owner.session().phase(), Phase::kStreaming);
  const auto before = owner.session().progress();
  owner.send("2\r\nde\r\n");
  EXPECT_GT(owner.session().progress(), before);
  EXPECT_EQ(read, "abcde");
  owner.send("0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(read, "abcde<end>");
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  const auto out = owner.answer(1, text(200, "done"));
  EXPECT_THAT(out, Not(HasSubstr("Connection: close")));
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
}

TEST_F(Http1, LeavesInputInTheSocketWhileTheReaderIsSlow) {
  stream_bodies();
  owner.send(std::string(kChunkedHead) + "20000\r\n" + std::string(0x11000, 'x'));
  EXPECT_FALSE(owner.session().wants_input());
  EXPECT_GE(owner.session().held_bytes(), 0x11000U);
  greedy = false;
  read_on();
  EXPECT_EQ(read.size(), 0x11000U);
  EXPECT_GT(owner.wakes, 0);
  EXPECT_TRUE(owner.session().wants_input());
}

TEST_F(Http1, AStreamedBodyMayBeLargerThanTheLimit) {
  stream_bodies();
  owner.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n");
  read_on();
  owner.send(std::string(5000, 'x'), 100);
  EXPECT_EQ(read, std::string(5000, 'x') + "<end>");
}

TEST_F(Http1, TellsTheReaderOfABrokenBodyAndClosesAfterTheAnswer) {
  stream_bodies();
  owner.send(std::string(kChunkedHead) + "3\r\nabc\r\n");
  read_on();
  owner.send("zz\r\n");
  EXPECT_THAT(read, HasSubstr("abc<the size of a chunk"));
  const auto out = owner.answer(1, text(400, "bad"));
  EXPECT_THAT(out, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http1, TellsTheReaderWhenThePeerLeaves) {
  stream_bodies();
  owner.send(std::string(kChunkedHead) + "3\r\nabc\r\n");
  read_on();
  owner.end_connection();
  EXPECT_EQ(read, "abc<the sender of the body is gone>");
  kept.clear();  // The reader may go later than its connection.
}

TEST_F(Http1, AnswersWhileTheRequestStillComesIn) {
  stream_bodies();
  owner.send(std::string(kChunkedHead) + "3\r\nabc\r\n");
  read_on();
  const auto script = answer_in_pieces();
  const auto head = owner.drain();
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  script->give("first");
  EXPECT_EQ(owner.drain(), "5\r\nfirst\r\n");
  owner.send("2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(read, "abcde<end>");
  script->give("second");
  script->end();
  EXPECT_EQ(owner.drain(), "6\r\nsecond\r\n0\r\n\r\n");
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
  owner.send(std::string(kChunkedHead));
  EXPECT_EQ(kept.size(), 2U);
}

TEST_F(Http1, PullsTheNextPieceOnlyWhenTheOutputIsTaken) {
  keep_requests();
  owner.send(post("x"));
  const auto script = answer_in_pieces();
  for (int i = 0; i < 4; ++i) script->give(std::string(40'000, 'x'));
  owner.session().advance();
  EXPECT_EQ(script->asked, 1);
  owner.session().output().clear();
  owner.session().advance();
  EXPECT_EQ(script->asked, 2);
}

TEST_F(Http1, SmallPiecesGoOutTogether) {
  keep_requests();
  owner.send(post("x"));
  const auto script = answer_in_pieces();
  for (const auto* piece : {"a", "b", "c"}) script->give(piece);
  script->end();
  owner.session().advance();
  ASSERT_EQ(owner.session().output().size(), 1U);
  EXPECT_THAT(owner.session().output().front(), EndsWith("\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"));
}

TEST_F(Http1, CutsAnAnswerWhoseStreamFails) {
  keep_requests();
  owner.send(post("x"));
  auto script = answer_in_pieces();
  script->give("a");
  script->give(fail(ErrorCode::kUnavailable, "gone"));
  EXPECT_THAT(owner.drain(), EndsWith("1\r\na\r\n"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);

  FakeOwner old(make_http1_session, limits());
  old.handler = [&](StreamId id, Request) {
    Response response;
    script = std::make_shared<ScriptedBody::Script>();
    response.body_stream = std::make_unique<ScriptedBody>(script);
    old.session().answer(id, std::move(response));
  };
  const auto head = old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  script->give("a");
  EXPECT_EQ(old.drain(), "a");
  script->give(fail(ErrorCode::kUnavailable, "gone"));
  EXPECT_EQ(old.drain(), "");
  EXPECT_EQ(old.session().phase(), Phase::kCut);
}

TEST_F(Http1, EndsAStreamedAnswerToAnOldClientByClosing) {
  keep_requests();
  owner.send("GET / HTTP/1.0\r\n\r\n");
  const auto script = answer_in_pieces();
  script->give("a");
  script->end();
  EXPECT_THAT(owner.drain(), EndsWith("\r\n\r\na"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http1, SendsNoBodyWhereNoneMayBe) {
  keep_requests();
  owner.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(owner.answer(1, text(200, "abc")),
              EndsWith("Content-Length: 3\r\nDate: " + std::string(owner.date()) + "\r\n\r\n"));
  for (const int status : {204, 304}) {
    owner.send(post("x"));
    const auto out = owner.answer(kept.back().first, text(status, "abc"));
    EXPECT_THAT(out, EndsWith("\r\n\r\n"));
    EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
  }
  owner.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto script = answer_in_pieces();
  EXPECT_THAT(owner.drain(), EndsWith("\r\n\r\n"));
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(script->asked, 0);
  EXPECT_EQ(owner.session().phase(), Phase::kIdle);
}

TEST_F(Http1, AHandlerMayAnswerWithoutReadingTheBody) {
  stream_bodies();
  owner.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
  kept.back().second.body_stream.reset();
  EXPECT_FALSE(owner.session().wants_input());
  EXPECT_THAT(owner.answer(1, text(409, "no")), Not(HasSubstr("Connection: close")));
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  owner.send("def" + std::string(kChunkedHead));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_THAT(owner.answer(2, text(409, "no")), HasSubstr("Connection: close"));
}

TEST_F(Http1, RefusesPackingsThatItDoesNotKnow) {
  const auto out = owner.send(post("x", "Content-Encoding: br\r\n") + post("y", "Content-Encoding: identity\r\n"));
  EXPECT_THAT(out, StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(out, HasSubstr("Accept-Encoding: gzip, zstd\r\n"));
  EXPECT_THAT(owner.requests, ElementsAre("POST /a y"));
}

TEST_F(Http1, AnswersMalformedBytesAndCloses) {
  const auto out = owner.send(post("ok") + "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" + post("never"));
  EXPECT_THAT(owner.requests, ElementsAre("POST /a ok"));
  EXPECT_THAT(out, HasSubstr("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(out, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
  EXPECT_EQ(owner.session().held_bytes(), 0U);
}

TEST_F(Http1, FinishLetsTheRequestInHandBeAnswered) {
  keep_requests();
  owner.send(post("one") + post("two"));
  owner.session().finish();
  EXPECT_EQ(owner.session().phase(), Phase::kAnswering);
  EXPECT_THAT(owner.answer(1, text(200, "x")), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
  EXPECT_EQ(kept.size(), 1U);

  FakeOwner idle(make_http1_session, limits());
  idle.send(post("one") + "GET");
  idle.session().finish();
  EXPECT_EQ(idle.session().phase(), Phase::kEnding);
}

TEST_F(Http1, FinishLetsABodyComeToItsEnd) {
  owner.send(post("onexx").substr(0, post("onexx").size() - 2));
  owner.session().finish();
  EXPECT_EQ(owner.session().phase(), Phase::kBody);
  EXPECT_THAT(owner.send("xx"), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http1, ATimeoutIsSaidInsteadOfTheAnswer) {
  stream_bodies();
  owner.send(std::string(kChunkedHead));
  read_on();
  owner.session().refuse(408, "too slow");
  EXPECT_THAT(owner.drain(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(read, "<the sender of the body is gone>");
  EXPECT_EQ(owner.answer(1, text(200, "late")), "");
  EXPECT_EQ(owner.session().phase(), Phase::kEnding);
}

TEST_F(Http1, AnAnswerCannotBeginAnotherHeaderLine) {
  keep_requests();
  owner.send(post("x"));
  Response response;
  response.headers.add("X", "a\r\nSet-Cookie: b");
  response.headers.add("Content-Length", "99");
  const auto out = owner.answer(1, std::move(response));
  EXPECT_THAT(out, HasSubstr("X: a  Set-Cookie: b\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("Length: 99")));
}

}  // namespace
}  // namespace pinflow::http::internal
