#pragma once

#include <optional>
#include <string_view>

#include "http/internal/wire.h"
#include "http/message.h"

namespace pinflow::http::internal {

struct RequestLimits {
  std::size_t max_header = 16 << 10;
  std::uint64_t max_body = std::uint64_t{10} << 20;
};

// Reads one HTTP/1.1 or 1.0 request after another from a connection's bytes. Sans-I/O; one thread.
// After failure() is set, the connection can only be answered and closed: where the next request begins is
// unknown.
class RequestReader {
 public:
  enum class Stage { kIdle, kHead, kBody, kComplete };

  explicit RequestReader(const RequestLimits& limits) : limits_(limits), head_(limits.max_header) {}

  // Takes bytes up to the end of a request; returns how many. Nothing more is taken while a request is
  // complete.
  std::size_t feed(std::string_view bytes);
  Stage stage() const { return stage_; }
  const std::optional<Failure>& failure() const { return failure_; }
  // True if the sender waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  // True if the connection may carry another request after the answer.
  bool keep_alive() const { return keep_alive_; }
  bool is_http_1_0() const { return minor_version_ == 0; }
  std::size_t body_bytes() const { return body_ ? body_->size() : 0; }  // Of the request being read.
  // Hands out the complete request, and makes ready for the next.
  Request take();
  // Forgets what is read of a request, and its memory.
  void discard();

 private:
  std::optional<Failure> begin_body();
  std::optional<Failure> parse_head(std::string_view head);
  std::optional<Failure> parse_request_line(std::string_view line);
  std::optional<Failure> parse_target(std::string_view target);
  std::optional<Failure> check_headers();

  RequestLimits limits_;
  Stage stage_ = Stage::kIdle;
  HeadReader head_;
  std::optional<BodyReader> body_;
  Request request_;
  std::string authority_;  // Of an absolute-form target.
  int minor_version_ = 1;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  std::optional<Failure> failure_;
};

}  // namespace pinflow::http::internal
