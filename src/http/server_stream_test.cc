#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_fixture.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;

// Pieces of a response as a test gives them, from its own thread.
class Faucet {
 public:
  class Stream final : public BodyStream {
   public:
    explicit Stream(Faucet& faucet) : faucet_(faucet) {}
    ~Stream() override {
      faucet_.destroyed_on = std::this_thread::get_id();
      faucet_.destroyed.release();
    }
    void next(Take take) override {
      ++faucet_.asked_count;
      const std::scoped_lock lock(faucet_.mutex_);
      faucet_.take_ = std::move(take);
      faucet_.asked.release();
    }

   private:
    Faucet& faucet_;
  };
  void give(BodyStream::Piece piece) {
    asked.acquire();
    BodyStream::Take take;
    {
      const std::scoped_lock lock(mutex_);
      take = std::move(take_);
    }
    take(std::move(piece));
  }
  BodyStream::Take take_away() {
    asked.acquire();
    const std::scoped_lock lock(mutex_);
    return std::move(take_);
  }
  std::counting_semaphore<> asked{0};
  std::counting_semaphore<> destroyed{0};
  std::atomic<int> asked_count{0};
  std::atomic<std::thread::id> destroyed_on;

 private:
  std::mutex mutex_;
  BodyStream::Take take_;
};

// As many pieces of one size as there are, at once.
class Flow final : public BodyStream {
 public:
  Flow(std::size_t size, int count, std::atomic<int>& taken) : piece_(size, 'p'), left_(count), taken_(taken) {}
  void next(Take take) override {
    if (left_-- == 0) return take(std::nullopt);
    ++taken_;
    take(std::string(piece_));
  }

 private:
  const std::string piece_;
  int left_;
  std::atomic<int>& taken_;
};

class ServerStreams : public ServerTest {
 protected:
  ServerStreams() {
    handler_.answer = [this](Request& request) {
      loop_ = std::this_thread::get_id();
      if (request.target != "/stream") return Response::json(200, request.target);
      Response response = Response::json(200, "");
      response.body_stream = std::make_unique<Faucet::Stream>(faucet_);
      return response;
    };
  }
  Faucet faucet_;
  std::atomic<std::thread::id> loop_;
};

TEST_F(ServerStreams, SendsPiecesAsTheyComeFromAnyThread) {
  start();
  auto peer = this->peer();
  peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(peer.read_until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  faucet_.give("first");
  EXPECT_EQ(peer.read_until("first\r\n"), "5\r\nfirst\r\n");
  faucet_.give("second");
  EXPECT_EQ(peer.read_until("second\r\n"), "6\r\nsecond\r\n");
  faucet_.give(std::nullopt);
  EXPECT_EQ(peer.read_until("\r\n\r\n"), "0\r\n\r\n");
  faucet_.destroyed.acquire();
  EXPECT_EQ(faucet_.destroyed_on, loop_.load());
  peer.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(peer.read_until("/next"), HasSubstr("200 OK"));
}

TEST_F(ServerStreams, AsksOnlyForWhatThePeerHasRoomFor) {
  std::atomic<int> taken = 0;
  constexpr int kPieces = 2'000;
  handler_.answer = [&](Request& request) {
    Response response = Response::json(200, "");
    if (request.target != "/x") return response;
    response.body_stream = std::make_unique<Flow>(64 << 10, kPieces, taken);
    return response;
  };
  start();
  RawPeer slow(server_->port(), 4096);
  slow.send("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  slow.read_until("\r\n\r\n");
  // Others are served meanwhile, and the flow has stopped: what a socket holds is a few megabytes.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client()->send(request("GET", "/y")));
  EXPECT_LT(taken, kPieces / 4);
  EXPECT_GT(slow.read_all().size(), std::size_t{kPieces} * (64 << 10));
  EXPECT_EQ(taken, kPieces);
}

TEST_F(ServerStreams, TellsTheStreamOnTheLoopWhenThePeerGoes) {
  start();
  BodyStream::Take late;
  {
    auto peer = this->peer();
    peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
    late = faucet_.take_away();
  }
  late("into the void");
  while (!faucet_.destroyed.try_acquire()) {  // A reset comes back after the first write or the second.
    if (faucet_.asked.try_acquire()) {
      faucet_.asked.release();
      faucet_.give("x");
    }
    std::this_thread::yield();
  }
  EXPECT_EQ(faucet_.destroyed_on, loop_.load());
  wait_for_connections(0);
}

TEST_F(ServerStreams, ADroppedTakeBreaksTheAnswerOff) {
  start();
  auto peer = this->peer();
  peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  faucet_.give("part");
  faucet_.take_away() = {};
  const auto answer = peer.read_all();
  EXPECT_THAT(answer, HasSubstr("4\r\npart\r\n"));
  EXPECT_FALSE(answer.ends_with("0\r\n\r\n"));
}

TEST_F(ServerStreams, TakesPiecesAfterTheServerIsGone) {
  start();
  auto peer = this->peer();
  peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  auto take = faucet_.take_away();
  server_->stop(0ms);
  server_.reset();
  faucet_.destroyed.acquire();
  take("late");
}

TEST_F(ServerStreams, LetsAStreamEndWithinTheGraceOfAStop) {
  start();
  auto peer = this->peer();
  peer.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  faucet_.give("first");
  peer.read_until("first");
  std::thread stopper([&] { server_->stop(20s); });
  faucet_.give("last");
  faucet_.give(std::nullopt);
  EXPECT_TRUE(peer.read_all().ends_with("4\r\nlast\r\n0\r\n\r\n"));
  stopper.join();
}

// Reads a request's body as fast as it is let, and answers with its size.
class Swallower final : public Handler {
 public:
  Admission admit(Request&) override { return {.refusal = {}, .stream_body = true}; }
  void handle(Request request, Responder respond) override {
    auto reading = std::make_shared<Reading>();  // Shared with the Take that it waits in.
    reading->body = std::move(request.body_stream);
    reading->respond = std::move(respond);
    go_on(std::move(reading));
  }

 private:
  struct Reading {
    std::unique_ptr<BodyStream> body;
    Responder respond;
    std::size_t size = 0;
  };
  void go_on(std::shared_ptr<Reading> reading) {
    BodyStream& body = *reading->body;
    body.next([this, reading = std::move(reading)](BodyStream::Piece piece) mutable {
      if (!piece) return reading->respond(Response::failure(499, 499, piece.error().message));
      if (!*piece) return reading->respond(Response::json(200, std::to_string(reading->size)));
      reading->size += (*piece)->size();
      go_on(std::move(reading));
    });
  }
};

TEST_F(ServerStreams, HandsBodiesOverAsTheyCome) {
  Swallower swallower;
  server_ = std::move(start_server(options_, swallower, logger_)).value();
  const auto response = client()->send(request("POST", "/x", std::string(30'000'000, 'x')));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "30000000");
}

TEST_F(ServerStreams, EndsABodyWhosePiecesComeTooSlowly) {
  Swallower swallower;
  options_.body_timeout = 100ms;
  server_ = std::move(start_server(options_, swallower, logger_)).value();
  auto peer = this->peer();
  peer.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nab");
  EXPECT_THAT(peer.read_all(), HasSubstr("HTTP/1.1 408 "));
}

}  // namespace
}  // namespace pinflow::http
