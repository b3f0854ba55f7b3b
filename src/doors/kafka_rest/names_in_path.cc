#include "doors/kafka_rest/names_in_path.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>

namespace pinflow::doors::kafka_rest {

namespace {
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string with_pictures(const std::string& text) {
  constexpr std::size_t kMost = 100;
  std::string out;
  for (const char c : text.substr(0, kMost)) {
    if (!is_control(c)) {
      out += c;
      continue;
    }
    const unsigned picture = c == 0x7f ? 0x21U : static_cast<unsigned char>(c);
    out += "\xe2\x90";  // The first two bytes of U+2400 to U+243F in UTF-8.
    out += static_cast<char>(0x80U + picture);
  }
  return out;
}
}  // namespace

std::optional<Refusal> check_path_names(const http::Request& request) {
  for (const auto& [name, value] : request.parameters) {
    if (std::ranges::none_of(value, is_control)) continue;
    return Refusal{400, 400, fmt::format("Parameter contained invalid control characters: {}", with_pictures(value))};
  }
  return std::nullopt;
}

}  // namespace pinflow::doors::kafka_rest
