#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/internal/session.h"

// What tests and fuzzers of sessions stand on: an owner that plays the loop and the handler in one.
namespace pinflow::http::internal {

// A body whose pieces the test gives, before or after they are asked for.
class ScriptedBody final : public BodyStream {
 public:
  struct Script {
    std::deque<Piece> pieces;
    Take take;
    bool destroyed = false;
    int asked = 0;
    void give(Piece piece) {
      if (!take) return pieces.push_back(std::move(piece));
      std::exchange(take, nullptr)(std::move(piece));
    }
    void end() { give(std::nullopt); }
  };
  explicit ScriptedBody(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  ~ScriptedBody() override {
    script_->destroyed = true;
    script_->take = nullptr;
  }
  void next(Take take) override {
    ++script_->asked;
    if (script_->pieces.empty()) {
      script_->take = std::move(take);
      return;
    }
    auto piece = std::move(script_->pieces.front());
    script_->pieces.pop_front();
    take(std::move(piece));
  }

 private:
  const std::shared_ptr<Script> script_;  // Shared with the test, which looks at it afterwards.
};

// Owns a session as the loop does. Unless a test says otherwise, each request is answered with its own body.
class FakeOwner final : public SessionOwner {
 public:
  using Make = std::unique_ptr<Session> (*)(const SessionLimits&, SessionOwner&);
  explicit FakeOwner(Make make, const SessionLimits& limits = {}) : session_(make(limits, *this)) {}

  std::function<Admission(Request&)> admission = [](Request&) { return Admission{}; };
  std::function<void(StreamId, Request)> handler = [this](StreamId id, Request request) {
    requests.push_back(request.method + " " + request.target + " " + request.body);
    session_->answer(id, Response::json(200, std::move(request.body)));
  };
  std::vector<std::string> requests;
  int wakes = 0;
  std::chrono::steady_clock::time_point time{};

  Session& session() { return *session_; }
  void end_connection() { session_.reset(); }
  // Feeds bytes, `step` at a time, as long as the session wants them; returns what it sends.
  std::string send(std::string_view bytes, std::size_t step = SIZE_MAX) {
    std::string out;
    while (!bytes.empty() && session_->wants_input()) {
      const auto part = bytes.substr(0, step);
      session_->receive(part);
      bytes.remove_prefix(part.size());
      out += drain();
    }
    left = bytes;
    return out;
  }
  std::string left;  // What the session did not want.
  // Lets the session go on, and takes what it sends, until it waits.
  std::string drain() {
    std::string out;
    for (;;) {
      session_->advance();
      if (session_->output().empty()) return out;
      for (const auto& part : session_->output()) out += part;
      session_->output().clear();
    }
  }
  // As a handler answers: also when its connection is gone.
  void reply(StreamId id, Response response) {
    if (session_) session_->answer(id, std::move(response));
  }
  std::string answer(StreamId id, Response response) {
    session_->answer(id, std::move(response));
    return drain();
  }

  Admission admit(Request& head) override { return admission(head); }
  void hand_over(StreamId id, Request request) override { handler(id, std::move(request)); }
  void pull(StreamId id, BodyStream& stream) override {
    stream.next([this, id](BodyStream::Piece piece) {
      if (session_) session_->piece(id, std::move(piece));
    });
  }
  void wake() override { ++wakes; }
  std::string_view date() override { return "Sun, 06 Nov 1994 08:49:37 GMT"; }
  std::chrono::steady_clock::time_point now() override { return time; }

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace pinflow::http::internal
