#include "http/internal/request_reader.h"

#include <algorithm>

#include "base/check.h"
#include "http/internal/request_target.h"

namespace pinflow::http::internal {

std::size_t RequestReader::feed(std::string_view bytes, std::string& body) {
  if (failure_) return 0;
  if (stage_ == Stage::kBody) {
    const std::size_t used = body_->feed(bytes, body);
    failure_ = body_->failure();
    if (body_->done()) stage_ = Stage::kComplete;
    return used;
  }
  if (stage_ != Stage::kIdle && stage_ != Stage::kHead) return 0;
  const std::size_t used = head_.feed(bytes);
  if (head_.started()) stage_ = Stage::kHead;
  failure_ = head_.failure();
  if (failure_ || !head_.done()) return used;
  failure_ = take_head();
  if (!failure_) stage_ = Stage::kHeadDone;
  return used;
}

void RequestReader::begin_body(std::uint64_t max_bytes) {
  CHECK(stage_ == Stage::kHeadDone, "a body is begun without a head");
  body_.emplace(framing_, max_bytes);
  failure_ = body_->failure();
  stage_ = body_->done() ? Stage::kComplete : Stage::kBody;
}

void RequestReader::restart() {
  request_ = Request();
  head_.reset();
  body_.reset();
  stage_ = Stage::kIdle;
  expects_continue_ = false;
}

std::optional<Failure> RequestReader::take_head() {
  const auto head = head_.head();
  const auto end = std::min(head.find("\r\n"), head.size());
  if (auto failure = parse_request_line(head.substr(0, end))) return failure;
  if (auto failure = parse_fields(head.substr(std::min(end + 2, head.size())), request_.headers)) return failure;
  if (auto failure = check_headers()) return failure;
  framing_ = Framing();
  if (auto failure = parse_framing(request_.headers, framing_)) return failure;
  if (framing_.kind == Framing::Kind::kChunked && minor_version_ == 0) {
    return Failure{400, "Transfer-Encoding is not part of HTTP/1.0"};
  }
  if (framing_.kind == Framing::Kind::kLength && framing_.length == 0) expects_continue_ = false;
  return std::nullopt;
}

std::optional<Failure> RequestReader::parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Failure{400, "the first line is not of the form METHOD TARGET HTTP/1.1"};
  }
  const auto method = line.substr(0, first);
  const auto version = line.substr(last + 1);
  if (!is_token(method)) return Failure{400, "the method has characters that are not allowed"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other_version = version.starts_with("HTTP/") && version.size() == 8;
    return Failure{other_version ? 505 : 400, "the version of the first line is not HTTP/1.1 or HTTP/1.0"};
  }
  minor_version_ = version.back() - '0';
  request_.version = minor_version_ == 0 ? Version::kHttp10 : Version::kHttp11;
  request_.method = method;
  return parse_target(line.substr(first + 1, last - first - 1), limits_.max_target, request_, authority_);
}

std::optional<Failure> RequestReader::check_headers() {
  keep_alive_ = minor_version_ == 1;
  bool closes = false;
  std::optional<std::string_view> host;
  for (const auto& [name, value] : request_.headers.fields()) {
    if (equals_ignoring_case(name, "Host")) {
      if (host) return Failure{400, "the request has two Host headers"};
      host = value;
    } else if (equals_ignoring_case(name, "Connection")) {
      if (list_has(value, "close")) closes = true;
      if (list_has(value, "keep-alive")) keep_alive_ = true;
    } else if (equals_ignoring_case(name, "Expect")) {
      if (!equals_ignoring_case(value, "100-continue")) {
        return Failure{417, "the only expectation that is met is '100-continue'"};
      }
      expects_continue_ = minor_version_ == 1;
    }
  }
  if (closes) keep_alive_ = false;
  if (!host) {
    if (minor_version_ == 1) return Failure{400, "the request has no Host header"};
    return std::nullopt;
  }
  if (auto failure = check_host(*host)) return failure;
  if (!authority_.empty() && !equals_ignoring_case(*host, authority_)) {
    return Failure{400, "the host of the target is not that of the Host header"};
  }
  return std::nullopt;
}

}  // namespace pinflow::http::internal
