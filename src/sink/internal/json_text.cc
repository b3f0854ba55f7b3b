#include "sink/internal/json_text.h"

#include <array>
#include <cstdint>

namespace pinflow::sink::internal {

namespace {

constexpr std::size_t kMaxDepth = 512;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A reader of the grammar that keeps nothing but its place and the kinds of the open brackets.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The value loop of the grammar, without recursion: input decides the depth.
  bool value() {
    for (;;) {
      blanks();
      if (!begin_value()) return false;
      if (opened_) continue;
      if (!close_finished()) return false;
      if (depth_ == 0) break;
    }
    blanks();
    return at_ == text_.size();
  }

  bool many_lines() const { return many_lines_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void blanks() {
    for (; at_ < text_.size() && is_blank(text_[at_]); ++at_) many_lines_ |= text_[at_] == '\n' || text_[at_] == '\r';
  }

  // Reads a scalar or an empty bracket whole, or opens a bracket up to its first value (opened_).
  bool begin_value() {
    opened_ = false;
    switch (peek()) {
      case '{':
      case '[':
        return open_bracket();
      case '"':
        return string();
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  bool open_bracket() {
    const bool object = text_[at_++] == '{';
    blanks();
    if (take(object ? '}' : ']')) return true;
    if (depth_ == kMaxDepth) return false;
    is_object_[depth_++] = object;
    opened_ = true;
    return !object || member_name();
  }

  // Behind a value: closes the brackets that end here, up to a comma (then the next value follows) or the
  // top.
  bool close_finished() {
    while (depth_ > 0) {
      const bool object = is_object_[depth_ - 1];
      blanks();
      if (take(',')) {
        blanks();
        return !object || member_name();
      }
      if (!take(object ? '}' : ']')) return false;
      --depth_;
    }
    return true;
  }

  bool member_name() {
    if (!string()) return false;
    blanks();
    return take(':');
  }

  bool digits() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ > begin;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) return false;
      if (c == '\\') {
        if (!escape()) return false;
      } else if (c >= 0x80) {
        if (!multibyte()) return false;
      } else {
        ++at_;
        if (c == '"') return true;
      }
    }
    return false;
  }

  bool escape() {
    ++at_;
    if (!take('u')) {
      const char c = peek();
      ++at_;
      return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
    }
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!is_hex(peek())) return false;
    }
    return true;
  }

  // One character of two to four bytes, in the shortest form, no surrogate, at most U+10FFFF.
  bool multibyte() {
    const auto byte = [&](std::size_t i) {
      return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : std::uint8_t{0};
    };
    const auto first = byte(0);
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    const auto second = byte(1);
    if (first == 0xE0 && second < 0xA0) return false;
    if (first == 0xED && second > 0x9F) return false;
    if (first == 0xF0 && second < 0x90) return false;
    if (first == 0xF4 && second > 0x8F) return false;
    at_ += length;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::array<bool, kMaxDepth> is_object_{};
  bool opened_ = false;
  bool many_lines_ = false;
};

}  // namespace

JsonText inspect_json(std::string_view bytes) {
  Scanner scanner(bytes);
  if (!scanner.value()) return JsonText::kNotJson;
  return scanner.many_lines() ? JsonText::kManyLines : JsonText::kOneLine;
}

void append_without_blanks(std::string& out, std::string_view json) {
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!in_string && is_blank(c)) continue;
    out += c;
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\' && i + 1 < json.size()) out += json[++i];
  }
}

}  // namespace pinflow::sink::internal
