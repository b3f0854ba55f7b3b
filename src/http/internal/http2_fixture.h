#pragma once

#include <map>

#include <gtest/gtest.h>

#include "http/internal/http2_frames.h"
#include "http/internal/session_fixture.h"

namespace pinflow::http::internal {

inline Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// A session and its peer, who has confirmed the session's settings.
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

}  // namespace pinflow::http::internal
