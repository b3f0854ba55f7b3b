#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "http/internal/body_intake.h"
#include "http/internal/http2_head.h"
#include "http/internal/session.h"

namespace pinflow::http::internal {

// One request of an HTTP/2 connection and its answer.
struct Http2Stream {
  // What becomes of the request.
  enum class Step {
    kHead,     // Its head comes.
    kCollect,  // Its body comes, to be handed over whole.
    kRefuse,   // refusal is the answer.
    kHand,     // To be handed over.
    kOwed,     // The handler has it.
    kAnswered,
  };

  explicit Http2Stream(StreamId number) : id(number) {}

  const StreamId id;
  Step step = Step::kHead;
  Http2Head head;
  BodyIntake intake;
  std::optional<Response> refusal;
  bool streamed = false;    // The handler reads the body.
  bool body_ended = false;  // END_STREAM came.
  bool unwanted = false;    // What comes of the body is dropped.
  bool to_head = false;
  bool packs = false;  // The answer may be packed.
  std::uint64_t max_body = 0;
  std::uint64_t body_bytes = 0;         // As sent.
  std::uint64_t reset_at = UINT64_MAX;  // So many of them are dropped before a reset ends an answered request.
  std::size_t in_hand_bytes = 0;
  std::stop_source abandoned{std::nostopstate};  // Its handler's sign that nobody waits any more.

  std::string out;  // Of the answer's body, from out_from on.
  std::size_t out_from = 0;
  std::unique_ptr<BodyStream> response_stream;
  bool out_ended = true;   // `out` is the last of it.
  bool hungry = false;     // The peer would take more of the answer than is there.
  bool piece_due = false;  // Asked for.

  // When the deadline of what is waited for began, in the session's count.
  std::uint64_t stamp = 0;

  bool collecting() const { return step == Step::kCollect || (unwanted && !body_ended); }
  bool reader_waits() const { return streamed && !body_ended && intake.reader_waits(); }
  bool has_output() const { return step == Step::kAnswered && out_from < out.size(); }
};

}  // namespace pinflow::http::internal
