#include "objects/internal/object_name.h"

#include <algorithm>

#include <fmt/format.h>

namespace pinflow::objects::internal {

namespace {

constexpr std::size_t kLongestPart = 255;
constexpr std::size_t kLongestName = 1024;

// What other tools put into names is taken as it is: partition folders of Spark hold spaces and percent signs.
bool is_allowed(char c) {
  return static_cast<unsigned char>(c) >= ' ' && c != '\x7f' && c != '/';
}

std::unexpected<Error> refuse(std::string_view what, std::string_view text) {
  // The text may be anything: show little of it, and nothing that a terminal would obey.
  std::string shown(text.substr(0, 80));
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return fail(
      ErrorCode::kInvalid,
      fmt::format("\"{}\" is no {}: use parts joined by '/', without control characters, each of 1 to {} bytes and not "
                  "beginning with '.', together at most {} bytes",
                  shown, what, kLongestPart, kLongestName));
}

bool are_parts(std::string_view name) {
  while (true) {
    const std::size_t slash = name.find('/');
    if (!is_part(name.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_part(std::string_view part) {
  return !part.empty() && part.size() <= kLongestPart && part.front() != '.' && std::ranges::all_of(part, is_allowed);
}

Result<void> check_object_name(std::string_view name) {
  if (name.size() > kLongestName || !are_parts(name)) return refuse("object name", name);
  return {};
}

Result<void> check_prefix(std::string_view prefix) {
  const std::string_view whole = prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix;
  if (prefix.size() > kLongestName || (!prefix.empty() && !are_parts(whole)))
    return refuse("prefix of object names", prefix);
  return {};
}

}  // namespace pinflow::objects::internal
