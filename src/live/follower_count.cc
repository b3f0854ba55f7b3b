#include "live/follower_count.h"

#include <limits>

namespace pinflow::live {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr int kMaxDecimals = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the factor of the letter at the end off the text.
std::int64_t take_factor(std::string_view& text) {
  if (text.empty()) return 1;
  std::int64_t factor = 1;
  switch (text.back()) {
    case 'k':
    case 'K':
      factor = 1'000;
      break;
    case 'm':
    case 'M':
      factor = 1'000'000;
      break;
    case 'b':
    case 'B':
      factor = 1'000'000'000;
      break;
    default:
      return 1;
  }
  text.remove_suffix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return factor;
}

// Reads digits, with commas between groups of three or without any. Empty for anything else.
std::optional<std::int64_t> read_whole(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t first_comma = text.find(',');
  if (first_comma != std::string_view::npos && (first_comma == 0 || first_comma > 3)) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool comma_here =
        first_comma != std::string_view::npos && i >= first_comma && (i - first_comma) % 4 == 0;
    if (comma_here) {
      if (text[i] != ',' || i + 3 >= text.size()) return std::nullopt;
      continue;
    }
    if (!is_digit(text[i])) return std::nullopt;
    const int digit = text[i] - '0';
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

// The decimals times the factor, rounded half up: (".25", 1000) is 250. Decimals past the ninth do not count.
std::optional<std::int64_t> read_decimals(std::string_view text, std::int64_t factor) {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  std::int64_t unit = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    if (i >= kMaxDecimals) continue;
    value = value * 10 + (text[i] - '0');
    unit *= 10;
  }
  return (value * factor + unit / 2) / unit;
}

}  // namespace

std::optional<std::int64_t> parse_follower_count(std::string_view text) {
  text = trimmed(text);
  const std::int64_t factor = take_factor(text);
  const std::size_t point = text.find('.');
  const auto whole = read_whole(text.substr(0, point));
  if (!whole) return std::nullopt;
  std::int64_t rest = 0;
  if (point != std::string_view::npos) {
    const auto decimals = read_decimals(text.substr(point + 1), factor);
    if (!decimals) return std::nullopt;
    rest = *decimals;
  }
  if (*whole > (kMax - rest) / factor) return std::nullopt;
  return *whole * factor + rest;
}

}  // namespace pinflow::live
