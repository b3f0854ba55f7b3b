#include "live/profile_text.h"

#include <algorithm>
#include <array>

namespace pinflow::live {
namespace {

constexpr std::size_t kMaxPlainDigits = 12;  // Of a number that stands alone ...
constexpr std::size_t kMaxDigits = 9;        // ... and of one with anything around it; also its decimals.
constexpr std::int64_t kDecimalUnit = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What \s means to the SQL engine's regular expressions: no vertical tab.
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Reads at most 18 digits, so it cannot overflow.
std::int64_t read_digits(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the letter at the end, and one blank before it, off the text; gives what it stands for.
std::int64_t take_factor(std::string_view& text) {
  constexpr std::string_view kLetters = "kKmMbB";
  constexpr std::array<std::int64_t, 3> kFactors = {1'000, 1'000'000, 1'000'000'000};
  const std::size_t letter = text.empty() ? kLetters.npos : kLetters.find(text.back());
  if (letter == kLetters.npos) return 1;
  text.remove_suffix(1);
  if (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return kFactors[letter / 2];
}

// Reads 1 to 9 digits, alone or in groups of three behind commas.
std::optional<std::int64_t> read_whole(std::string_view text) {
  if (text.find(',') == text.npos) {
    if (!all_digits(text) || text.size() > kMaxDigits) return std::nullopt;
    return read_digits(text);
  }
  std::int64_t value = 0;
  for (int group = 0; group < 3; ++group) {
    const std::size_t comma = text.find(',');
    const std::string_view digits = text.substr(0, comma);
    const bool fits = group == 0 ? digits.size() <= 3 : digits.size() == 3;
    if (!fits || !all_digits(digits)) return std::nullopt;
    value = value * 1'000 + read_digits(digits);
    if (comma == text.npos) return value;
    text.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

// Reads 1 to 9 decimals as billionths.
std::optional<std::int64_t> read_decimals(std::string_view text) {
  if (!all_digits(text) || text.size() > kMaxDigits) return std::nullopt;
  std::int64_t value = read_digits(text);
  for (std::size_t digits = text.size(); digits < kMaxDigits; ++digits) value *= 10;
  return value;
}

// The code point at the front of UTF-8 text, taken off it; 0 for what is none.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  char32_t code = 0;
  std::size_t length = 1;
  if (first < 0x80) {
    code = first;
  } else if (first < 0xE0) {
    code = (first & 0x1F) << 6 | (byte(1) & 0x3F);
    length = 2;
  } else if (first < 0xF0) {
    code = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    length = 3;
  }  // Nothing blank takes four bytes.
  text.remove_prefix(std::min(length, text.size()));
  return code;
}

bool is_unicode_blank(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 ||
         c == 0xFEFF;
}

}  // namespace

std::optional<std::int64_t> parse_follower_count(std::string_view text) {
  if (text.size() <= kMaxPlainDigits && all_digits(text)) return read_digits(text);
  text = trimmed(text);
  const std::int64_t factor = take_factor(text);
  const std::size_t point = text.find('.');
  const auto whole = read_whole(text.substr(0, point));
  if (!whole) return std::nullopt;
  if (point == text.npos) return *whole * factor;
  const auto decimals = read_decimals(text.substr(point + 1));
  if (!decimals || *decimals * factor % kDecimalUnit != 0) return std::nullopt;
  return *whole * factor + *decimals * factor / kDecimalUnit;
}

bool names_profile(std::string_view poster_name) {
  return poster_name != "User Info Error" && holds_text(poster_name);
}

bool holds_text(std::string_view text) {
  while (!text.empty()) {
    if (!is_unicode_blank(take_code_point(text))) return true;
  }
  return false;
}

}  // namespace pinflow::live
