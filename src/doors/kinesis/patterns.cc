#include "doors/kinesis/patterns.h"

#include <algorithm>

namespace pinflow::doors::kinesis {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
}

// What '.' of a pattern does not match.
constexpr std::string_view kLineEnds = "\n\r";
// What \S does not match.
constexpr std::string_view kSpaces = " \t\n\v\f\r";

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_name_character);
}

bool is_number(std::string_view text, std::size_t most_digits) {
  if (text.empty() || text.size() > most_digits || !std::ranges::all_of(text, is_digit)) return false;
  return text.front() != '0' || text.size() == 1;
}

// Where ":" and twelve digits begin that end before `colon`; npos if they do not stand there.
std::size_t account_before(std::string_view text, std::size_t colon) {
  constexpr std::size_t kSize = 13;
  if (colon < kSize || text[colon - kSize] != ':') return std::string_view::npos;
  return std::ranges::all_of(text.substr(colon - kSize + 1, kSize - 1), is_digit) ? colon - kSize
                                                                                  : std::string_view::npos;
}

// The end of the shortest beginning of the form arn:aws.*:kinesis:, less its last colon; npos if there is none.
std::size_t service_end(std::string_view text) {
  constexpr std::string_view kStart = "arn:aws";
  constexpr std::string_view kService = ":kinesis:";
  if (!text.starts_with(kStart)) return std::string_view::npos;
  const auto service = text.find(kService, kStart.size());
  return service == std::string_view::npos ? service : service + kService.size() - 1;
}

// arn:aws.*:kinesis:.*:\d{12}:stream/\S+
bool is_stream_arn(std::string_view text) {
  constexpr std::string_view kResource = ":stream/";
  const auto service = service_end(text);
  if (service == std::string_view::npos) return false;
  const auto line_end = std::min(text.find_first_of(kLineEnds), text.size());
  const auto last_space = text.find_last_of(kSpaces);
  for (auto at = text.find(kResource); at != std::string_view::npos; at = text.find(kResource, at + 1)) {
    const auto name = at + kResource.size();
    if (name == text.size() || at > line_end) return false;
    if (last_space != std::string_view::npos && last_space >= name) continue;
    const auto account = account_before(text, at);
    if (account != std::string_view::npos && account > service) return true;
  }
  return false;
}

// arn:aws.*:kinesis:.*:\d{12}:.* as a whole.
bool is_arn_beginning(std::string_view text) {
  const auto service = service_end(text);
  if (service == std::string_view::npos || text.find_first_of(kLineEnds) != std::string_view::npos) return false;
  for (auto colon = text.find(':', service + 1); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    const auto account = account_before(text, colon);
    if (account != std::string_view::npos && account > service) return true;
  }
  return false;
}

// arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+; the last "stream/" that something follows is the one that fits best.
bool is_resource_arn(std::string_view text) {
  constexpr std::string_view kResource = "stream/";
  if (text.size() <= kResource.size()) return false;
  const auto at = text.rfind(kResource, text.size() - kResource.size() - 1);
  if (at == std::string_view::npos) return false;
  const auto name = text.substr(at + kResource.size());
  return name.find_first_of(kSpaces) == std::string_view::npos && is_arn_beginning(text.substr(0, at));
}

// Takes the longest run of characters for which `fits` holds from the end, at least one, then `before` from the new end.
template <class Fits>
bool take_back(std::string_view& text, Fits fits, std::string_view before) {
  std::size_t size = text.size();
  while (size > 0 && fits(text[size - 1])) --size;
  if (size == text.size() || !text.substr(0, size).ends_with(before)) return false;
  text = text.substr(0, size - before.size());
  return true;
}

// ^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+
bool is_consumer_arn(std::string_view text) {
  return take_back(text, is_digit, ":") && take_back(text, is_name_character, "/consumer/") &&
         take_back(text, is_name_character, "stream/") && is_arn_beginning(text);
}

}  // namespace

std::string_view printed(Pattern pattern) {
  switch (pattern) {
    case Pattern::kNone:
      return "";
    case Pattern::kName:
      return "[a-zA-Z0-9_.-]+";
    case Pattern::kSequenceNumber:
      return R"(0|([1-9]\d{0,128}))";
    case Pattern::kHashKey:
      return R"(0|([1-9]\d{0,38}))";
    case Pattern::kStreamArn:
      return R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)";
    case Pattern::kConsumerArn:
      return R"(^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+)";
    case Pattern::kResourceArn:
      return R"(arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+)";
  }
  return "";
}

bool matches(Pattern pattern, std::string_view text) {
  switch (pattern) {
    case Pattern::kNone:
      return true;
    case Pattern::kName:
      return is_name(text);
    case Pattern::kSequenceNumber:
      return is_number(text, 129);
    case Pattern::kHashKey:
      return is_number(text, 39);
    case Pattern::kStreamArn:
      return is_stream_arn(text);
    case Pattern::kConsumerArn:
      return is_consumer_arn(text);
    case Pattern::kResourceArn:
      return is_resource_arn(text);
  }
  return false;
}

}  // namespace pinflow::doors::kinesis
