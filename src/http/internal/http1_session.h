#pragma once

#include "http/internal/body_intake.h"
#include "http/internal/request_reader.h"
#include "http/internal/session.h"

namespace pinflow::http::internal {

// The server's side of one HTTP/1.1 or 1.0 connection. One request is in hand at a time (a later one may depend on an earlier one's
// effect), so answers keep the order of pipelined requests. A streamed request and its streamed answer go on side by side. What is
// ambiguous in the peer's bytes is answered 400, and the connection ends there. Keeps at most one read's worth of what lies beyond the
// request in hand, and of a streamed body that its handler has not read yet.
class Http1Session final : public Session {
 public:
  Http1Session(const SessionLimits& limits, SessionOwner& owner);
  ~Http1Session() override;

  void receive(std::string_view bytes) override;
  void answer(StreamId id, Response response) override;
  void piece(StreamId id, BodyStream::Piece piece) override;
  void advance() override;
  void refuse(int status, std::string_view message) override;
  void finish() override;
  bool wants_input() const override;
  Phase phase() const override;
  std::uint64_t progress() const override { return progress_; }
  std::size_t held_bytes() const override;
  std::deque<std::string>& output() override { return output_; }

 private:
  // What the peer's bytes are for.
  enum class Input {
    kHead,
    kCollect,  // A body that is handed over whole.
    kStream,   // A body that its handler reads.
    kSkip,     // A body that nobody wants.
    kDone,     // The request in hand is whole, or its rest is given up.
  };
  // What becomes of the request in hand.
  enum class Reply {
    kNone,    // Not whole yet.
    kRefuse,  // refusal_ is the answer.
    kHand,    // To be handed over.
    kOwed,    // The handler has it.
    kPieces,  // The head of the answer is out, its body comes in pieces.
    kSent,
  };

  std::size_t read(std::string_view bytes);
  void read_kept();
  void take_head();
  void take_body();
  void end_body();
  void fail_input(const Failure& failure);
  bool move_on();
  void hand_over();
  void write(Response response);
  bool give_up_body();
  void end_answer();
  void next_request();
  bool pull();
  void end_input();
  void body_read(std::size_t bytes);
  UnpackLimits unpack_limits(std::uint64_t max_body) const { return {max_body, limits_.max_unpack_ratio}; }

  const SessionLimits limits_;
  SessionOwner& owner_;
  RequestReader reader_;
  BodyIntake intake_;
  std::string kept_;           // Came, but is beyond what may be read now.
  std::size_t kept_from_ = 0;  // What lies before it in kept_ is read.
  std::deque<std::string> output_;
  std::optional<Response> refusal_;
  std::unique_ptr<BodyStream> response_stream_;
  std::string skipped_;  // Where unwanted bytes go.
  StreamId id_ = 0;
  std::uint64_t progress_ = 0;
  std::size_t in_hand_bytes_ = 0;
  Input input_ = Input::kHead;
  Reply reply_ = Reply::kNone;
  bool continue_due_ = false;
  bool close_ = false;  // No request after the one in hand.
  bool cut_ = false;
  bool advancing_ = false;
  bool in_pull_ = false;
  bool piece_due_ = false;
  bool to_head_ = false;
  bool packs_ = false;   // The answer may be packed.
  bool chunked_ = true;  // How the pieces of the answer are sent.
};

}  // namespace pinflow::http::internal
