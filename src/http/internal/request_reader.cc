#include "http/internal/request_reader.h"

#include <algorithm>

#include <fmt/core.h>

namespace pinflow::http::internal {

namespace {
bool is_visible(char c) {
  return c > 0x20 && c < 0x7f;
}

// Splits a path at '/' into decoded segments. False: bad percent-encoding.
bool split_path(std::string_view path, std::vector<std::string>& segments) {
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash > 0) {
      auto segment = percent_decode(path.substr(0, slash), false);
      if (!segment) return false;
      segments.push_back(std::move(*segment));
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

bool split_query(std::string_view query, std::vector<std::pair<std::string, std::string>>& out) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return false;
    if (!pair.empty()) out.emplace_back(std::move(*name), std::move(*value));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return true;
}
}  // namespace

std::size_t RequestReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  if (stage_ == Stage::kIdle || stage_ == Stage::kHead) {
    used = head_.feed(bytes);
    if (head_.started()) stage_ = Stage::kHead;
    failure_ = head_.failure();
    if (failure_ || !head_.done()) return used;
    failure_ = begin_body();
    if (failure_) return used;
    stage_ = Stage::kBody;
  }
  if (stage_ == Stage::kBody) {
    used += body_->feed(bytes.substr(used));
    failure_ = body_->failure();
    if (body_->done()) {
      stage_ = Stage::kComplete;
    }
  }
  return used;
}

Request RequestReader::take() {
  Request request = std::move(request_);
  request.body = body_->take();
  request_ = Request();
  head_.reset();
  body_.reset();
  stage_ = Stage::kIdle;
  expects_continue_ = false;
  return request;
}

void RequestReader::discard() {
  request_ = Request();
  head_.reset();
  body_.reset();
  stage_ = Stage::kIdle;
}

std::optional<Failure> RequestReader::begin_body() {
  if (auto failure = parse_head(head_.head())) return failure;
  if (auto failure = check_headers()) return failure;
  Framing framing;
  if (auto failure = parse_framing(request_.headers, framing)) return failure;
  if (framing.kind == Framing::Kind::kChunked && minor_version_ == 0) {
    return Failure{400, "Transfer-Encoding is not part of HTTP/1.0"};
  }
  body_.emplace(framing, limits_.max_body);
  if (body_->done()) expects_continue_ = false;
  return body_->failure();
}

std::optional<Failure> RequestReader::parse_head(std::string_view head) {
  const auto end = std::min(head.find("\r\n"), head.size());
  if (auto failure = parse_request_line(head.substr(0, end))) return failure;
  return parse_fields(head.substr(std::min(end + 2, head.size())), request_.headers);
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
  if (version == "HTTP/2.0") return Failure{505, "HTTP/2 is not spoken here; use HTTP/1.1"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other_version = version.starts_with("HTTP/") && version.size() == 8;
    return Failure{other_version ? 505 : 400, "the version of the first line is not HTTP/1.1 or HTTP/1.0"};
  }
  minor_version_ = version.back() - '0';
  request_.method = method;
  return parse_target(line.substr(first + 1, last - first - 1));
}

std::optional<Failure> RequestReader::parse_target(std::string_view target) {
  authority_.clear();
  if (!std::ranges::all_of(target, is_visible)) {
    return Failure{400, "the target has characters that must be percent-encoded"};
  }
  if (equals_ignoring_case(target.substr(0, 7), "http://")) {
    target.remove_prefix(7);
    const auto slash = std::min(target.find_first_of("/?"), target.size());
    authority_ = target.substr(0, slash);
    target.remove_prefix(slash);
    if (target.empty()) target = "/";
    if (authority_.empty()) return Failure{400, "the target names no host"};
  }
  const bool asterisk = target == "*" && request_.method == "OPTIONS";
  if (!target.starts_with('/') && !asterisk) return Failure{400, "the target does not begin with '/'"};
  if (target.contains('#')) return Failure{400, "the target has a fragment ('#')"};
  request_.target = target;
  if (asterisk) return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  if (!split_path(target.substr(0, question), request_.segments) ||
      !split_query(target.substr(std::min(question + 1, target.size())), request_.query)) {
    return Failure{400, "the target has a '%' that is not followed by two hexadecimal digits"};
  }
  return std::nullopt;
}

std::optional<Failure> RequestReader::check_headers() {
  keep_alive_ = minor_version_ == 1;
  std::optional<std::string_view> host;
  for (const auto& [name, value] : request_.headers.fields()) {
    if (equals_ignoring_case(name, "Host")) {
      if (host) return Failure{400, "the request has two Host headers"};
      host = value;
    } else if (equals_ignoring_case(name, "Connection")) {
      if (list_has(value, "close")) {
        keep_alive_ = false;
      } else if (minor_version_ == 0 && list_has(value, "keep-alive")) {
        keep_alive_ = true;
      }
    } else if (equals_ignoring_case(name, "Expect")) {
      if (!equals_ignoring_case(value, "100-continue")) {
        return Failure{417, "the only expectation that is met is '100-continue'"};
      }
      expects_continue_ = minor_version_ == 1;
    } else if (equals_ignoring_case(name, "Content-Encoding") && !equals_ignoring_case(value, "identity")) {
      return Failure{415, fmt::format("Content-Encoding '{}' is not understood; send the body as it is", value)};
    }
  }
  if (!host && minor_version_ == 1) return Failure{400, "the request has no Host header"};
  if (host && !authority_.empty() && !equals_ignoring_case(*host, authority_)) {
    return Failure{400, "the host of the target is not that of the Host header"};
  }
  return std::nullopt;
}

}  // namespace pinflow::http::internal
