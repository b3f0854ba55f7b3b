#include "http/internal/http2_head.h"

#include <charconv>
#include <utility>

#include <fmt/core.h>

#include "http/internal/request_target.h"

namespace pinflow::http::internal {

namespace {
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113, 6.5.2.
constexpr std::size_t kMaxFields = 100;
constexpr std::size_t kTypicalFields = 12;
}  // namespace

void Http2Head::add(std::string_view name, std::string_view value, const SessionLimits& limits, bool trailer) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  if (++fields_ > kMaxFields) refuse(431, fmt::format("the request has more than {} header fields", kMaxFields));
  if (bytes_ > limits.max_header) {
    refuse(431, fmt::format("the headers are larger than the limit of {} bytes", limits.max_header));
  }
  if (failure_ || trailer) return;
  if (name.starts_with(':')) return add_pseudo(name, value);
  if (name == "host") return add_host(value);
  if (name == "cookie") {
    cookies_ += (cookies_.empty() ? "" : "; ") + std::string(value);
    return;
  }
  if (name == "content-length") {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (content_length_ || error != std::errc{} || end != value.data() + value.size()) {
      return refuse(400, "Content-Length is not a decimal number of bytes");
    }
    content_length_ = length;
  } else if (name == "expect") {
    if (!equals_ignoring_case(value, "100-continue")) {
      return refuse(417, "the only expectation that is met is '100-continue'");
    }
    expects_continue_ = true;
  }
  request_.headers.add(std::string(name), std::string(value));
}

void Http2Head::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    request_.method = value;
  } else if (name == ":path") {
    path_ = value;
  } else if (name == ":authority") {
    request_.headers.reserve(kTypicalFields);
    add_host(value);
  }
}

void Http2Head::add_host(std::string_view value) {
  const auto known = request_.headers.get("Host");
  if (!known) {
    request_.headers.add("Host", std::string(value));
  } else if (!equals_ignoring_case(*known, value)) {
    refuse(400, "the host of the target is not that of the Host header");
  }
}

void Http2Head::refuse(int status, std::string message) {
  if (!failure_) failure_ = Failure{status, std::move(message)};
}

std::optional<Failure> Http2Head::finish(const SessionLimits& limits) {
  if (failure_) return failure_;
  request_.version = Version::kHttp2;
  if (!cookies_.empty()) request_.headers.add("cookie", std::move(cookies_));
  if (!is_token(request_.method)) return Failure{400, "the method has characters that are not allowed"};
  if (!path_.starts_with('/') && path_ != "*") return Failure{400, "the target does not begin with '/'"};
  std::string authority;
  if (auto failure = parse_target(path_, limits.max_target, request_, authority)) return failure;
  const auto host = request_.headers.get("Host");
  if (!host) return Failure{400, "the request has no Host header"};
  return check_host(*host);
}

}  // namespace pinflow::http::internal
