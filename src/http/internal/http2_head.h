#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/session.h"
#include "http/internal/wire.h"
#include "http/message.h"

namespace pinflow::http::internal {

// Makes a Request of the header fields of one HTTP/2 stream, so that handlers see what they see over HTTP/1: :authority is Host, cookies
// are one field, and targets and hosts are read by the same code. A failure is kept until the head is whole, and answered then.
class Http2Head {
 public:
  // Takes one field. What is over the limits, or comes as a trailer, is counted and dropped.
  void add(std::string_view name, std::string_view value, const SessionLimits& limits, bool trailer);
  void refuse(int status, std::string message);
  // The head is whole: checks it.
  std::optional<Failure> finish(const SessionLimits& limits);

  Request& request() { return request_; }
  std::size_t bytes() const { return bytes_; }  // As SETTINGS_MAX_HEADER_LIST_SIZE counts them.
  std::optional<std::uint64_t> content_length() const { return content_length_; }
  bool expects_continue() const { return expects_continue_; }

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void add_host(std::string_view value);

  Request request_;
  std::string path_;
  std::string cookies_;
  std::size_t bytes_ = 0;
  std::size_t fields_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::optional<Failure> failure_;
  bool expects_continue_ = false;
};

}  // namespace pinflow::http::internal
