#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"

namespace pinflow::http::internal {

// Names one request of a connection. HTTP/1: the requests counted from 1; HTTP/2: the stream's id.
using StreamId = std::uint32_t;

// What a session asks of the loop that owns it. Called on the loop, from within the session's own calls.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  // Fills in the head's peer and asks the handler.
  virtual Admission admit(Request& head) = 0;
  // Hands a request to the handler: whole, or its head with body_stream. Session::answer() may be called from within.
  virtual void hand_over(StreamId id, Request request) = 0;
  // Asks `stream` for a response's next piece; Session::piece() brings it, maybe from within, maybe later.
  virtual void pull(StreamId id, BodyStream& stream) = 0;
  // The session can go on (a handler read some of a streamed body): advance this connection soon, not from within this call.
  virtual void wake() = 0;
  virtual std::string_view date() = 0;
  // For rates of what a peer may do.
  virtual std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
};

// One connection's protocol, the server's side, sans-I/O: bytes come in, requests go to the owner, answers come back, bytes go
// out. Owned by the loop and used on its thread alone; Http1Session and Http2Session.
class Session {
 public:
  // What the peer owes us or we owe it: each has its own deadline. HTTP/2: the one of its streams that is most urgent.
  enum class Phase {
    kIdle,       // Waits for a request's first byte.
    kHead,       // Part of a head came.
    kBody,       // A body is being collected.
    kStreaming,  // A streamed body is read by its handler, which waits for the peer.
    kAnswering,  // The handler has what it needs, and we owe an answer.
    kEnding,     // No more requests: what is in output() goes out, then the connection closes.
    kCut,        // As kEnding, but by a reset: a close would look like the regular end of an answer that is cut short.
  };

  virtual ~Session() = default;

  // Takes what the peer sent.
  virtual void receive(std::string_view bytes) = 0;
  // Ignored for a request that is no longer there.
  virtual void answer(StreamId id, Response response) = 0;
  virtual void piece(StreamId id, BodyStream::Piece piece) = 0;
  // Hands over what is ready and puts into output() what may be sent now, up to about 64 KiB; pulls responses' streams when
  // output() has run dry. The owner calls it after each of the calls above and whenever the socket took all output.
  virtual void advance() = 0;
  // Says no outside of any request (a timeout, a full house), and ends.
  virtual void refuse(int status, std::string_view message) = 0;
  // Takes no more requests; ends after the answers that are owed.
  virtual void finish() = 0;

  // False: leave what comes in the socket for now (a request is in hand, a handler is slow), so that the peer feels it.
  virtual bool wants_input() const = 0;
  virtual Phase phase() const = 0;
  // Rises whenever the deadline of the phase begins anew: a new request, a piece of a streamed body. A trickle of bytes within a head or a
  // collected body does not raise it.
  virtual std::uint64_t progress() const = 0;
  // Bytes that this side keeps of the peer's requests, those in hand included.
  virtual std::size_t held_bytes() const = 0;
  // Bytes to send, oldest first. The owner pops what is sent.
  virtual std::deque<std::string>& output() = 0;
};

struct SessionLimits {
  std::size_t max_header = 16 << 10;
  std::size_t max_target = 8 << 10;
  std::uint64_t max_body = std::uint64_t{10} << 20;
  std::uint32_t max_unpack_ratio = 100;
  std::uint32_t max_streams = 128;
};

// The first bytes of a connection decide: HTTP/2's preface (RFC 9113, 3.4), or HTTP/1.
std::unique_ptr<Session> make_http1_session(const SessionLimits& limits, SessionOwner& owner);
std::unique_ptr<Session> make_http2_session(const SessionLimits& limits, SessionOwner& owner);

}  // namespace pinflow::http::internal
