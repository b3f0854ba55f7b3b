#include "doors/json_cursor.h"

#include <algorithm>
#include <bit>
#include <bitset>

#include <fmt/core.h>

namespace pinflow::doors {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The length of the well-formed UTF-8 sequence (Unicode table 3-7) at the start of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low && static_cast<unsigned char>(text[i]) <= high;
  };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xbf); };
  if (in(0, 0xc2, 0xdf)) return tail(1) ? 2 : 0;
  if (in(0, 0xe0, 0xe0)) return in(1, 0xa0, 0xbf) && tail(2) ? 3 : 0;
  if (in(0, 0xed, 0xed)) return in(1, 0x80, 0x9f) && tail(2) ? 3 : 0;
  if (in(0, 0xe1, 0xef)) return tail(1) && tail(2) ? 3 : 0;
  if (in(0, 0xf0, 0xf0)) return in(1, 0x90, 0xbf) && tail(2) && tail(3) ? 4 : 0;
  if (in(0, 0xf1, 0xf3)) return tail(1) && tail(2) && tail(3) ? 4 : 0;
  if (in(0, 0xf4, 0xf4)) return in(1, 0x80, 0x8f) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

// How many bytes at the start of `text` are plain string content: no quote, backslash, control byte or byte of a longer
// UTF-8 sequence. Eight bytes at a time, since most of a body is such text.
std::size_t plain_prefix(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t v = 0;
    std::memcpy(&v, text.data() + i, 8);
    const std::uint64_t quote = v ^ (kOnes * '"');
    const std::uint64_t slash = v ^ (kOnes * '\\');
    // The lowest flag is exact; flags above it may be false, which does not matter.
    const std::uint64_t special =
        ((((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash) | ((v - kOnes * 0x20) & ~v)) | v) & kHigh;
    if (special != 0) return i + static_cast<std::size_t>(std::countr_zero(special)) / 8;
  }
  while (i < text.size() && text[i] >= 0x20 && text[i] < 0x7f && text[i] != '"' && text[i] != '\\') ++i;
  return i;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

unsigned read_hex4(std::string_view digits) {
  unsigned number = 0;
  for (const char c : digits.substr(0, 4)) number = number << 4 | static_cast<unsigned>(hex_digit(c));
  return number;
}

void append_utf8(std::string& out, unsigned point) {
  const auto put = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

// Decodes the \uXXXX at the start of `text` and the pair that may follow; returns the bytes used.
std::size_t append_unicode_escape(std::string& out, std::string_view text) {
  const unsigned first = read_hex4(text.substr(2));
  const bool is_high = first >= 0xd800 && first <= 0xdbff;
  if (is_high && text.substr(6).starts_with("\\u")) {
    const unsigned second = read_hex4(text.substr(8));
    if (second >= 0xdc00 && second <= 0xdfff) {
      append_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
      return 12;
    }
  }
  append_utf8(out, first >= 0xd800 && first <= 0xdfff ? 0xfffd : first);
  return 6;
}

}  // namespace

Result<JsonKind> JsonCursor::peek() {
  skip_space();
  const char c = position_ < text_.size() ? text_[position_] : '\0';
  switch (c) {
    case '{':
      return JsonKind::kObject;
    case '[':
      return JsonKind::kArray;
    case '"':
      return JsonKind::kString;
    case 't':
    case 'f':
      return JsonKind::kBoolean;
    case 'n':
      return JsonKind::kNull;
    default:
      break;
  }
  if (c == '-' || is_digit(c)) return JsonKind::kNumber;
  problem("a JSON value is expected");
  return failure();
}

Result<void> JsonCursor::begin_object() {
  skip_space();
  if (!pass('{', "an object ('{') is expected")) return failure();
  first_.push_back(true);
  return {};
}

Result<std::optional<std::string>> JsonCursor::next_member() {
  skip_space();
  if (at('}')) {
    ++position_;
    first_.pop_back();
    return std::optional<std::string>();
  }
  if (!first_.back() && !pass(',', "',' or '}' is expected")) return failure();
  first_.back() = false;
  skip_space();
  const std::size_t begin = position_;
  if (!pass_member_name()) return failure();
  const auto slice = text_.substr(begin, text_.find_last_of('"', position_ - 1) + 1 - begin);
  return std::optional(decode_string(slice));
}

Result<void> JsonCursor::begin_array() {
  skip_space();
  if (!pass('[', "an array ('[') is expected")) return failure();
  first_.push_back(true);
  return {};
}

Result<bool> JsonCursor::next_element() {
  skip_space();
  if (at(']')) {
    ++position_;
    first_.pop_back();
    return false;
  }
  if (!first_.back() && !pass(',', "',' or ']' is expected")) return failure();
  first_.back() = false;
  return true;
}

Result<std::string_view> JsonCursor::value() {
  skip_space();
  const std::size_t begin = position_;
  if (!pass_value()) return failure();
  return text_.substr(begin, position_ - begin);
}

Result<void> JsonCursor::end() {
  skip_space();
  if (position_ == text_.size()) return {};
  problem("the end is expected, as the value is whole");
  return failure();
}

std::string JsonCursor::place() const {
  const auto before = text_.substr(0, position_);
  const auto line = 1 + std::ranges::count(before, '\n');
  const auto newline = before.rfind('\n');
  return fmt::format("line {}, column {}", line,
                     newline == std::string_view::npos ? position_ + 1 : position_ - newline);
}

std::string JsonCursor::decode_string(std::string_view slice) {
  auto text = slice.substr(1, slice.size() - 2);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text[1] == 'u') {
      text.remove_prefix(append_unicode_escape(out, text));
      continue;
    }
    static constexpr std::string_view kNames = "bfnrt";
    const auto named = kNames.find(text[1]);
    out += named == std::string_view::npos ? text[1] : "\b\f\n\r\t"[named];
    text.remove_prefix(2);
  }
  return out;
}

// Without recursion, so that no body can exhaust the stack.
bool JsonCursor::pass_value() {
  std::bitset<kMaxDepth> in_object;
  std::size_t depth = 0;
  for (;;) {
    skip_space();
    if (at('{') || at('[')) {
      if (depth + first_.size() >= kMaxDepth) return problem("the nesting is deeper than 512");
      const bool object = at('{');
      in_object[depth++] = object;
      ++position_;
      skip_space();
      if (!at(object ? '}' : ']')) {
        if (object && !pass_member_name()) return false;
        continue;
      }
    } else if (!pass_scalar()) {
      return false;
    }
    // After a value, or before the end of an empty object or array.
    for (bool more = false; !more;) {
      if (depth == 0) return true;
      skip_space();
      const bool object = in_object[depth - 1];
      if (at(object ? '}' : ']')) {
        ++position_;
        --depth;
        continue;
      }
      if (!pass(',', object ? "',' or '}' is expected" : "',' or ']' is expected")) return false;
      skip_space();
      if (object && !pass_member_name()) return false;
      more = true;
    }
  }
}

bool JsonCursor::pass_member_name() {
  if (!at('"')) return problem("a member name in quotes is expected");
  if (!pass_string()) return false;
  skip_space();
  return pass(':', "':' is expected after the member name");
}

bool JsonCursor::pass_scalar() {
  const char c = position_ < text_.size() ? text_[position_] : '\0';
  switch (c) {
    case '"':
      return pass_string();
    case 't':
      return pass_literal("true");
    case 'f':
      return pass_literal("false");
    case 'n':
      return pass_literal("null");
    default:
      break;
  }
  if (c == '-' || is_digit(c)) return pass_number();
  return problem("a JSON value is expected");
}

bool JsonCursor::pass_string() {
  ++position_;
  for (;;) {
    position_ += plain_prefix(text_.substr(position_));
    if (position_ == text_.size()) return problem("the string has no closing quote");
    const char c = text_[position_];
    if (c == '"') {
      ++position_;
      return true;
    }
    if (c == '\\') {
      if (!pass_escape()) return false;
    } else if (c == 0x7f) {
      ++position_;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return problem("a string has a control character that is not escaped");
    } else {
      const std::size_t length = utf8_length(text_.substr(position_));
      if (length == 0) return problem("a string has bytes that are not UTF-8");
      position_ += length;
    }
  }
}

bool JsonCursor::pass_escape() {
  const char kind = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  if (kind != 'u') {
    if (!std::string_view("\"\\/bfnrt").contains(kind))
      return problem("a string has an escape that JSON does not know");
    position_ += 2;
    return true;
  }
  const auto digits = text_.substr(position_ + 2, 4);
  if (digits.size() < 4 || std::ranges::any_of(digits, [](char c) { return hex_digit(c) < 0; })) {
    return problem("a string has a \\u that four hexadecimal digits do not follow");
  }
  position_ += 6;
  return true;
}

bool JsonCursor::pass_number() {
  const auto pass_digits = [&] {
    const std::size_t begin = position_;
    while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
    return position_ > begin;
  };
  if (at('-')) ++position_;
  if (at('0')) {
    ++position_;
    if (position_ < text_.size() && is_digit(text_[position_])) return problem("a number begins with 0");
  } else if (!pass_digits()) {
    return problem("a digit is expected");
  }
  if (at('.')) {
    ++position_;
    if (!pass_digits()) return problem("a digit is expected after the decimal point");
  }
  if (at('e') || at('E')) {
    ++position_;
    if (at('+') || at('-')) ++position_;
    if (!pass_digits()) return problem("a digit is expected in the exponent");
  }
  return true;
}

bool JsonCursor::pass_literal(std::string_view literal) {
  if (!text_.substr(position_).starts_with(literal)) return problem("a JSON value is expected");
  position_ += literal.size();
  return true;
}

bool JsonCursor::pass(char expected, std::string_view what) {
  if (!at(expected)) return problem(what);
  ++position_;
  return true;
}

void JsonCursor::skip_space() {
  while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n' || text_[position_] == '\r' ||
                                      text_[position_] == '\t')) {
    ++position_;
  }
}

bool JsonCursor::problem(std::string_view what) {
  problem_ = fmt::format("{} at {}{}", what, place(), position_ == text_.size() ? ", where the text ends" : "");
  return false;
}

std::unexpected<Error> JsonCursor::failure() const {
  return fail(ErrorCode::kInvalid, problem_);
}

}  // namespace pinflow::doors
