#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/server.h"

namespace pinflow::doors {

// The body of a request that a test sends in pieces, and what became of it. For tests.
class SentBody {
 public:
  SentBody() = default;
  SentBody(SentBody&&) = default;
  SentBody& operator=(SentBody&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  // The connection ends with the test: who waits for a piece is let go.
  ~SentBody() {
    if (state_ != nullptr) std::exchange(state_->take, nullptr);
  }
  void send(std::string piece) { push(http::BodyStream::Piece(std::move(piece))); }
  void end() { push(http::BodyStream::Piece(std::optional<std::string>())); }
  void break_off() { push(fail(ErrorCode::kCancelled, "the peer left")); }
  // Pieces that nobody asked for yet.
  std::size_t waiting() const { return state_->pieces.size(); }
  bool is_wanted() const { return state_->take != nullptr; }
  bool is_destroyed() const { return state_->destroyed; }

  std::unique_ptr<http::BodyStream> stream() { return std::make_unique<Stream>(state_); }

 private:
  struct State {
    std::deque<http::BodyStream::Piece> pieces;
    http::BodyStream::Take take;
    bool destroyed = false;
  };
  class Stream final : public http::BodyStream {
   public:
    explicit Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
    ~Stream() override {
      state_->destroyed = true;
      state_->take = nullptr;
    }
    void next(Take take) override {
      if (state_->pieces.empty()) {
        state_->take = std::move(take);
        return;
      }
      auto piece = std::move(state_->pieces.front());
      state_->pieces.pop_front();
      take(std::move(piece));
    }

   private:
    std::shared_ptr<State> state_;
  };

  void push(http::BodyStream::Piece piece) {
    if (state_->take) {
      auto take = std::exchange(state_->take, nullptr);
      take(std::move(piece));
    } else {
      state_->pieces.push_back(std::move(piece));
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// A response whose body comes in pieces, and who reads it. For tests; asks for the next piece when told.
class ReceivedBody {
 public:
  http::Responder responder() {
    return [state = state_](http::Response response) { state->response = std::move(response); };
  }
  bool has_head() const { return state_->response.has_value(); }
  const http::Response& head() const { return *state_->response; }
  // Asks for a piece, unless one is owed already.
  void ask() {
    if (state_->owed || state_->ended) return;
    state_->owed = true;
    // Not shared: the stream, which keeps what it is asked by, lies in the state.
    state_->response->body_stream->next([weak = std::weak_ptr(state_)](http::BodyStream::Piece piece) {
      const auto state = weak.lock();
      if (state == nullptr) return;
      state->owed = false;
      state->ended = !piece || !*piece;
      if (piece && *piece) state->text += **piece;
    });
  }
  // Everything that can be had without waiting.
  std::string read() {
    while (has_head() && state_->response->body_stream && !state_->ended && !state_->owed) ask();
    return std::exchange(state_->text, "");
  }
  bool has_ended() const { return state_->ended; }
  void leave() { state_->response.reset(); }

 private:
  struct State {
    std::optional<http::Response> response;
    std::string text;
    bool owed = false;
    bool ended = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace pinflow::doors
