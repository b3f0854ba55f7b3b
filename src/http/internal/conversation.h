#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/request_reader.h"
#include "http/message.h"

namespace pinflow::http::internal {

// The server's side of one connection, sans-I/O: bytes in, requests out, answers in, bytes out. One request
// is in hand at a time (a later one may depend on an earlier one's effect), so answers keep the order of
// pipelined requests.
class Conversation {
 public:
  enum class Phase {
    kIdle,       // Waits for a request's first byte.
    kHead,       // Part of a head came.
    kBody,       // Part of a body came, or is awaited.
    kAnswering,  // A request is in hand.
    kEnding,     // No more requests: what is in output() goes out, then the connection closes.
  };

  Conversation(const RequestLimits& limits, std::uint64_t max_body) : reader_(limits), max_body_(max_body) {}

  // Takes what the peer sent. What lies beyond the request in hand is kept (at most one read's worth: the
  // owner stops reading while a request is in hand).
  void receive(std::string_view bytes);
  // The next whole request, if there is one; then answer() is due. Failures of the sender are answered here.
  std::optional<Request> next(std::string_view date);
  void answer(Response response, std::string_view date);
  // Says no outside of any request (a timeout, a full house), and ends.
  void refuse(int status, std::string_view message, std::string_view date);
  // Ends after the answer in hand, or now.
  void finish();

  Phase phase() const;
  // Rises with each request taken, so that the owner sees one phase follow another of the same name.
  std::uint64_t requests() const { return requests_; }
  // Bytes that this side keeps of the peer's, the request in hand included.
  std::size_t held_bytes() const;
  // Bytes to send, oldest first. The owner pops what is sent.
  std::deque<std::string>& output() { return output_; }

 private:
  std::size_t feed(std::string_view bytes);
  void feed_kept();
  void put(std::string bytes);

  RequestReader reader_;
  const std::uint64_t max_body_;
  std::string body_;
  std::string kept_;           // Came, but is beyond the request being read.
  std::size_t kept_from_ = 0;  // What lies before it in kept_ is read.
  std::deque<std::string> output_;
  std::uint64_t requests_ = 0;
  std::size_t in_hand_bytes_ = 0;
  bool in_hand_ = false;
  bool ending_ = false;
  bool continue_sent_ = false;
  bool head_method_ = false;
  bool http_1_0_ = false;
  bool keep_alive_ = true;
};

}  // namespace pinflow::http::internal
