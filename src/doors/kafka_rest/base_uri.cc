#include "doors/kafka_rest/base_uri.h"

#include <algorithm>

#include <fmt/core.h>

namespace pinflow::doors::kafka_rest {

namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The first of a list of values, if it consists of letters, digits and `others` alone.
std::string_view first_value(const http::Request& request, std::string_view field, std::string_view others) {
  auto value = request.headers.get(field).value_or("");
  value = value.substr(0, value.find(','));
  while (value.ends_with(' ')) value.remove_suffix(1);
  const bool clean = value.size() <= 255 && std::ranges::all_of(value, [&](char c) {
                       return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
                     });
  return clean ? value : std::string_view();
}

// What stands before the route in the path as it was sent: the stage of a gateway.
std::string_view stage(const http::Request& request) {
  const std::string_view target = request.target;
  const auto at = target.substr(0, target.find('?')).find("/consumers/");
  const auto before = at == std::string_view::npos ? std::string_view() : target.substr(0, at);
  const bool clean = before.starts_with('/') && std::ranges::all_of(before, [](char c) {
                       return is_letter_or_digit(c) || std::string_view("/-._~%").find(c) != std::string_view::npos;
                     });
  return clean ? before : std::string_view();
}

std::string dialled(const http::Request& request) {
  auto scheme = first_value(request, "X-Forwarded-Proto", "");
  if (scheme != "http" && scheme != "https") scheme = request.peer.encrypted ? "https" : "http";
  auto host = first_value(request, "X-Forwarded-Host", ".-_:[]");
  const bool forwarded = !host.empty();
  if (!forwarded) host = first_value(request, "Host", ".-_:[]");
  if (host.empty()) host = "localhost";
  std::string address = fmt::format("{}://{}", scheme, host);
  const auto port = first_value(request, "X-Forwarded-Port", "");
  const bool has_port =
      host.find(':', host.rfind(']') == std::string_view::npos ? 0 : host.rfind(']')) != std::string_view::npos;
  const bool is_number =
      !port.empty() && port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  const bool is_default = (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
  if (forwarded && is_number && !has_port && !is_default) address += fmt::format(":{}", port);
  auto prefix = first_value(request, "X-Forwarded-Prefix", "/-._~");
  if (!prefix.starts_with('/')) prefix = {};
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return address + std::string(prefix) + std::string(stage(request));
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string consumer_base_uri(const http::Request& request, std::string_view advertised, const std::string& group,
                              const std::string& instance) {
  while (advertised.ends_with('/')) advertised.remove_suffix(1);
  return fmt::format("{}/consumers/{}/instances/{}", advertised.empty() ? dialled(request) : std::string(advertised),
                     percent_encode(group), percent_encode(instance));
}

}  // namespace pinflow::doors::kafka_rest
