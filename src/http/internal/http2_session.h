#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "http/internal/http2_guard.h"
#include "http/internal/http2_stream.h"
#include "http/internal/session.h"

namespace pinflow::http::internal {

// The server's side of one HTTP/2 connection (RFC 9113). nghttp2 reads and writes the frames and holds both windows; here requests are made
// of them and answers put into them. Requests go on side by side and are answered in any order. A streamed body opens its
// window only as its handler reads, and an answer's stream is asked for more only when the peer's window takes it. Handlers are called from
// within advance() alone, never from nghttp2's callbacks. Limits: SessionLimits; as many handlers again as streams may still work for
// requests that the peer withdrew, then nothing more is read; Http2Guard.
class Http2Session final : public Session {
 public:
  Http2Session(const SessionLimits& limits, SessionOwner& owner);
  ~Http2Session() override;

  void receive(std::string_view bytes) override;
  void answer(StreamId id, Response response) override;
  void piece(StreamId id, BodyStream::Piece piece) override;
  void advance() override;
  void refuse(int status, std::string_view message) override;
  void finish() override;
  bool wants_input() const override;
  Phase phase() const override;
  std::uint64_t progress() const override;
  std::size_t held_bytes() const override;
  std::deque<std::string>& output() override { return output_; }

 private:
  using Stream = Http2Stream;
  using Step = Http2Stream::Step;
  struct Callbacks;  // nghttp2 calls it; in http2_callbacks.cc.

  struct Urgent {
    Phase phase;
    std::uint64_t stamp;
  };

  static nghttp2_session* make_protocol(Http2Session& self);
  void submit_settings();
  Stream* find(StreamId id);

  // What comes in; from within the callbacks.
  void begin_stream(StreamId id);
  void take_head(Stream& stream, bool body_ended);
  void take_data(Stream& stream, std::string_view bytes);
  void end_body(Stream& stream);
  void take_away(StreamId id);
  void fail_body(Stream& stream, const Failure& failure);
  void refuse_stream(Stream& stream, Response refusal);
  void charge(double cost);
  void calm();

  // What goes out.
  void bury();
  void take_step(Stream& stream);
  void hand_over(Stream& stream);
  bool move_on();
  void submit(Stream& stream, Response response);
  std::size_t fill(Stream& stream, std::uint8_t* into, std::size_t room, std::uint32_t* flags);
  void answer_sent(Stream& stream);
  void stop_body(Stream& stream);
  bool write();
  bool pull();
  void go_away();
  void body_read(StreamId id, std::size_t bytes);
  Urgent urgent() const;

  const SessionLimits limits_;
  SessionOwner& owner_;
  Http2Guard guard_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> gone_;  // Closed; their handlers are still to hear of it.
  std::set<StreamId> withdrawn_;               // Handed over, and closed before the handler answered.
  std::vector<StreamId> ready_;                // Streams with a step to take.
  std::deque<std::string> output_;
  std::uint64_t stamp_ = 0;
  std::uint64_t head_stamp_ = 0;
  bool head_open_ = false;  // Part of a header block came.
  bool calming_ = false;
  bool ending_ = false;
  bool broken_ = false;  // nghttp2 gave up.
  bool advancing_ = false;
  nghttp2_session* const protocol_;  // Owned. Last, since it is made with the rest.
};

}  // namespace pinflow::http::internal
