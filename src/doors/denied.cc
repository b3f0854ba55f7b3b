#include "doors/denied.h"

#include <fmt/format.h>

namespace pinflow::doors {

namespace {
std::string act(access::Right right, std::string_view topic) {
  switch (right) {
    case access::Right::kProduce:
      return topic.empty() ? "produce" : fmt::format("produce to '{}'", topic);
    case access::Right::kConsume:
      return topic.empty() ? "consume" : fmt::format("consume '{}'", topic);
    case access::Right::kQuery:
      return topic.empty() ? "query" : fmt::format("query '{}'", topic);
    case access::Right::kAdmin:
      return topic.empty() ? "administer" : fmt::format("administer '{}'", topic);
  }
  return "do this";
}
}  // namespace

std::string denial(const std::shared_ptr<const access::Caller>& caller, access::Right right, std::string_view topic) {
  if (caller == nullptr || caller->is_anonymous())
    return fmt::format("callers without credentials may not {}", act(right, topic));
  return fmt::format("'{}' may not {}", caller->name(), act(right, topic));
}

http::Response denied(const std::shared_ptr<const access::Caller>& caller, access::Right right, std::string_view topic,
                      std::string_view content_type) {
  const std::string message = denial(caller, right, topic);
  if (caller == nullptr || caller->is_anonymous()) return unauthenticated(message, {}, content_type);
  return http::Response::failure(403, 40301, message, content_type);
}

http::Response unauthenticated(std::string_view message, std::string_view error, std::string_view content_type) {
  auto response = http::Response::failure(401, 40101, message, content_type);
  response.headers.add("WWW-Authenticate", error.empty() ? std::string(R"(Bearer realm="pinflow")")
                                                         : fmt::format(R"(Bearer realm="pinflow", error="{}")", error));
  response.headers.add("WWW-Authenticate", R"(Basic realm="pinflow", charset="UTF-8")");
  return response;
}

}  // namespace pinflow::doors
