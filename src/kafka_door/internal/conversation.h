#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka_door/internal/answer.h"
#include "kafka_door/internal/frame_reader.h"

namespace pinflow::kafka_door::internal {

// The order of one connection, sans-I/O: frames in, requests out when they may start, answers in, bytes out in the order of the
// requests. A request starts when all before it are answered and their answers have left, so that only one response with records is in
// memory; Produce alone starts while other Produce requests wait for the disk. Owned by the connection's loop.
class Conversation final {
 public:
  struct Started {
    std::uint64_t request = 0;  // Counts the requests of this connection.
    Frame frame;
  };
  // Bytes to send; the views point into `answer`.
  struct Output {
    Answer answer;
    std::vector<std::string_view> pieces;
  };

  Conversation(std::size_t max_frame, std::size_t max_in_flight) : reader_(max_frame), max_in_flight_(max_in_flight) {}

  FrameReader& reader() { return reader_; }
  // The next request that may start now.
  std::optional<Started> next();
  // Takes the answer of a started request. Late ones, after an end, are dropped. Not for Answer::Kind::kWait.
  void answer(std::uint64_t request, Answer answer);
  // Takes no more requests; what is started is still answered.
  void finish();

  // Whether more bytes of the peer are of use now.
  bool wants_bytes();
  // Neither requests in hand nor bytes to send nor part of a request.
  bool idle() const { return slots_.empty() && output_.empty() && !reader_.has_bytes(); }
  // No requests will start any more, all answers are sent: the connection can be closed.
  bool over() const { return ending_ && slots_.empty() && output_.empty(); }
  bool working() const { return !slots_.empty(); }
  // Why the connection ends, where the client or a handler gave a reason.
  const std::string& reason() const { return reason_; }
  std::uint64_t requests() const { return first_ + slots_.size(); }

  const std::deque<Output>& output() const { return output_; }
  // Tells that so many bytes of the output were sent.
  void sent(std::size_t count);
  // What this connection keeps in memory: requests, read or in hand, and responses.
  std::size_t held_bytes() const { return reader_.held_bytes() + in_hand_bytes_ + output_bytes_; }

 private:
  struct Slot {
    bool pipelined = false;
    std::size_t bytes = 0;
    std::optional<Answer> answer;
  };
  bool may_start(std::string_view frame) const;
  void end(std::string reason);

  FrameReader reader_;
  const std::size_t max_in_flight_;
  std::deque<Slot> slots_;   // Requests in hand, oldest first.
  std::uint64_t first_ = 0;  // The number of the oldest.
  std::deque<Output> output_;
  std::size_t in_hand_bytes_ = 0;
  std::size_t output_bytes_ = 0;
  bool ending_ = false;
  std::string reason_;
};

}  // namespace pinflow::kafka_door::internal
