#include "http/router.h"

#include <algorithm>

#include "base/check.h"

namespace pinflow::http {

namespace {
bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

std::vector<std::string> split(std::string_view pattern) {
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    const auto slash = std::min(pattern.find('/'), pattern.size());
    if (slash > 0) segments.emplace_back(pattern.substr(0, slash));
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return segments;
}
}  // namespace

void Router::add(std::string method, std::string_view pattern, RouteHandler handler, RouteOptions options) {
  CHECK(pattern.starts_with('/'), "a route's pattern begins with '/'");
  routes_.push_back({std::move(method), split(pattern), std::move(handler), options});
}

void Router::set_fallback(std::string root, RouteHandler handler) {
  fallbacks_.emplace_back(std::move(root), std::move(handler));
}

bool Router::fits(const Route& route, const std::vector<std::string>& segments) {
  return std::ranges::equal(route.pattern, segments, [](const std::string& expected, const std::string& given) {
    return is_parameter(expected) || expected == given;
  });
}

bool Router::is_root(std::string_view segment) const {
  return std::ranges::any_of(routes_, [&](const Route& route) {
    return !route.pattern.empty() && (is_parameter(route.pattern.front()) || route.pattern.front() == segment);
  });
}

void Router::drop_stage(Request& request) const {
  const auto& segments = request.segments;
  if (segments.size() < 2 || is_root(segments[0]) || !is_root(segments[1])) return;
  request.segments.erase(request.segments.begin());
}

Router::Route* Router::find(const Request& request) {
  Route* chosen = nullptr;
  for (auto& route : routes_) {
    if (!fits(route, request.segments)) continue;
    if (route.method == request.method) return &route;
    if (chosen == nullptr && request.method == "HEAD" && route.method == "GET") chosen = &route;
  }
  return chosen;
}

Admission Router::admit(Request& head) {
  drop_stage(head);
  const Route* const route = find(head);
  if (route == nullptr) return {};
  return {.refusal = std::nullopt, .stream_body = route->options.stream_body, .max_body = route->options.max_body};
}

void Router::handle(Request request, Responder respond) {
  drop_stage(request);
  Route* const chosen = find(request);
  if (chosen == nullptr) {
    std::string allowed;
    for (const auto& route : routes_) {
      if (fits(route, request.segments)) allowed += (allowed.empty() ? "" : ", ") + route.method;
    }
    return answer_unrouted(std::move(request), std::move(respond), allowed);
  }
  for (std::size_t i = 0; i < request.segments.size(); ++i) {
    const auto& name = chosen->pattern[i];
    if (is_parameter(name)) request.parameters.emplace_back(name.substr(1, name.size() - 2), request.segments[i]);
  }
  chosen->handler(std::move(request), std::move(respond));
}

std::vector<std::pair<std::string, std::string>> Router::routes() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& route : routes_) {
    std::string pattern;
    for (const auto& segment : route.pattern) pattern += "/" + segment;
    all.emplace_back(route.method, pattern.empty() ? "/" : pattern);
  }
  return all;
}

void Router::answer_unrouted(Request request, Responder respond, const std::string& allowed) {
  const std::string_view root = request.segments.empty() ? std::string_view() : request.segments.front();
  const bool own = std::ranges::any_of(fallbacks_, [&](const auto& entry) { return entry.first == root; });
  for (auto& [name, handler] : fallbacks_) {
    if (own ? name == root : name.empty() && allowed.empty()) {
      return handler(std::move(request), std::move(respond));
    }
  }
  if (allowed.empty()) return respond(Response::failure(404, 404, "HTTP 404 Not Found"));
  auto response = Response::failure(405, 405, "HTTP 405 Method Not Allowed");
  response.headers.add("Allow", allowed);
  respond(std::move(response));
}

}  // namespace pinflow::http
