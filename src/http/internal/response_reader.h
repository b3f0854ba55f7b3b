#pragma once

#include <optional>
#include <string_view>

#include "http/internal/wire.h"
#include "http/message.h"

namespace pinflow::http::internal {

// Reads the answer to one request from a connection's bytes; skips "100 Continue". Sans-I/O; one thread.
class ResponseReader {
 public:
  // `to_head`: the request's method was HEAD, so that no body follows.
  ResponseReader(bool to_head, std::size_t max_header, std::uint64_t max_body)
      : to_head_(to_head), max_body_(max_body), head_(max_header) {}

  std::size_t feed(std::string_view bytes);
  void close();  // The peer closed.
  bool done() const { return body_ && body_->done(); }
  const std::optional<Failure>& failure() const { return failure_; }
  // True if the connection may carry another request.
  bool keep_alive() const { return keep_alive_; }
  Response take();

 private:
  std::optional<Failure> begin_body();

  bool to_head_;
  std::uint64_t max_body_;
  HeadReader head_;
  Response response_;
  std::optional<BodyReader> body_;
  bool keep_alive_ = false;
  std::optional<Failure> failure_;
};

}  // namespace pinflow::http::internal
