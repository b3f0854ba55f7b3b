#include "http/internal/request_target.h"

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

std::optional<Failure> parse_target(std::string_view target, std::size_t max_bytes, Request& request,
                                    std::string& authority) {
  authority.clear();
  if (target.size() > max_bytes) {
    return Failure{414, fmt::format("the target is longer than the limit of {} bytes", max_bytes)};
  }
  if (!std::ranges::all_of(target, is_visible)) {
    return Failure{400, "the target has characters that must be percent-encoded"};
  }
  const std::size_t scheme = equals_ignoring_case(target.substr(0, 7), "http://")    ? 7
                             : equals_ignoring_case(target.substr(0, 8), "https://") ? 8
                                                                                     : 0;
  if (scheme > 0) {
    target.remove_prefix(scheme);
    const auto path = std::min(target.find_first_of("/?"), target.size());
    authority = target.substr(0, path);
    target.remove_prefix(path);
    if (target.empty()) target = "/";
    if (authority.empty()) return Failure{400, "the target names no host"};
  }
  const bool asterisk = target == "*" && request.method == "OPTIONS";
  if (!target.starts_with('/') && !asterisk) return Failure{400, "the target does not begin with '/'"};
  if (target.contains('#')) return Failure{400, "the target has a fragment ('#')"};
  request.target = target;
  if (asterisk) return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  if (!split_path(target.substr(0, question), request.segments) ||
      !split_query(target.substr(std::min(question + 1, target.size())), request.query)) {
    return Failure{400, "the target has a '%' that is not followed by two hexadecimal digits"};
  }
  return std::nullopt;
}

std::optional<Failure> check_host(std::string_view host) {
  const bool clean = std::ranges::all_of(
      host, [](char c) { return is_visible(c) && !std::string_view("/\\?#@,<>\"{}|^`").contains(c); });
  if (!clean) return Failure{400, "the Host header is not a name or address with an optional port"};
  return std::nullopt;
}

}  // namespace pinflow::http::internal
