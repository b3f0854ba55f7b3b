#include "http/message.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace pinflow::http {

namespace {
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}
}  // namespace

void Headers::set(std::string name, std::string value) {
  const auto first = std::ranges::find_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
  if (first == fields_.end()) {
    add(std::move(name), std::move(value));
    return;
  }
  first->second = std::move(value);
  fields_.erase(
      std::remove_if(first + 1, fields_.end(), [&](const auto& field) { return same_name(field.first, name); }),
      fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

const std::string& Request::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  CHECK(found != parameters.end(), "a handler asks for a part that its route does not name");
  return found->second;
}

Response Response::json(int status, std::string body, std::string_view content_type) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = std::move(body);
  return response;
}

Response Response::failure(int status, int code, std::string_view message, std::string_view content_type) {
  JsonWriter writer;
  writer.begin_object().key("error_code").integer(code).key("message").string(message).end_object();
  return json(status, std::move(writer).take(), content_type);
}

Response Response::refusal(int status, std::string_view message) {
  constexpr int kCodesOfStatus = 100;
  Response response = failure(status, status * kCodesOfStatus + 1, message);
  response.headers.add("Cache-Control", "no-store");
  if (status == 503) response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace pinflow::http
