#pragma once

#include <optional>
#include <string_view>

#include "http/internal/wire.h"
#include "http/message.h"

namespace pinflow::http::internal {

struct RequestLimits {
  std::size_t max_header = 16 << 10;
  std::size_t max_target = 8 << 10;
};

// Reads one HTTP/1.1 or 1.0 request after another from a connection's bytes, and stops between a head and its body so that its owner
// can decide what becomes of the body. Sans-I/O; one thread. After failure() is set, the connection can only be answered and closed:
// where the next request begins is unknown.
class RequestReader {
 public:
  enum class Stage {
    kIdle,
    kHead,      // Part of a head came.
    kHeadDone,  // begin_body() is due.
    kBody,
    kComplete,  // restart() is due.
  };

  explicit RequestReader(const RequestLimits& limits) : limits_(limits), head_(limits.max_header) {}

  // Takes bytes up to the end of a head or of a body, whose bytes it appends to `body`; returns how many it took: none at kHeadDone and
  // kComplete, or after a failure.
  std::size_t feed(std::string_view bytes, std::string& body);
  Stage stage() const { return stage_; }
  const std::optional<Failure>& failure() const { return failure_; }
  // The request without its body; from kHeadDone on. The owner takes it.
  Request& request() { return request_; }
  // True if the sender waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  // True if the connection may carry another request after the answer.
  bool keep_alive() const { return keep_alive_; }
  bool is_http_1_0() const { return minor_version_ == 0; }
  // How the body is delimited; from kHeadDone on.
  const Framing& framing() const { return framing_; }
  std::uint64_t body_bytes() const { return body_ ? body_->size() : 0; }  // Of the body as far as it came.
  // Goes on to the body, which may have so many bytes; a longer one is a failure (413).
  void begin_body(std::uint64_t max_bytes);
  // Makes ready for the next request.
  void restart();

 private:
  std::optional<Failure> take_head();
  std::optional<Failure> parse_request_line(std::string_view line);
  std::optional<Failure> check_headers();

  RequestLimits limits_;
  Stage stage_ = Stage::kIdle;
  HeadReader head_;
  Framing framing_;
  std::optional<BodyReader> body_;
  Request request_;
  std::string authority_;  // Of an absolute-form target.
  int minor_version_ = 1;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  std::optional<Failure> failure_;
};

}  // namespace pinflow::http::internal
