#include <charconv>

#include "base/base64.h"
#include "doors/json_cursor.h"
#include "doors/kinesis/conversion.h"
#include "doors/kinesis/input.h"

namespace pinflow::doors::kinesis {

namespace {

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '\\';
}

// Sets a member, also one that was set before.
void set(Value::Structure& members, std::string_view name, Value value) {
  for (auto& [known, held] : members) {
    if (known == name) {
      held = std::move(value);
      return;
    }
  }
  if (!value.is_null()) members.emplace_back(name, std::move(value));
}

void set(Value::Map& members, std::string name, Value value) {
  for (auto& [known, held] : members) {
    if (known == name) {
      held = std::move(value);
      return;
    }
  }
  members.emplace_back(std::move(name), std::move(value));
}

// Reads a JSON text by a shape. It goes as deep as the shape; all else is passed by JsonCursor, which checks it without recursion.
// Every reading method returns whether the text is JSON so far.
class JsonInput {
 public:
  explicit JsonInput(std::string_view text) : text_(text) {}

  Input read(const Shape* shape) {
    Input input;
    skip_space();
    if (!at('{')) return input;
    input.parsed = shape == nullptr ? pass() : value(*shape, input.value);
    skip_space();
    input.parsed = input.parsed && at_ == text_.size();
    input.mismatch = std::move(mismatch_);
    return input;
  }

 private:
  bool value(const Shape& shape, Value& out) {
    if (mismatch_) return pass();
    skip_space();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    switch (c) {
      case '{':
        if (shape.type == Type::kStructure) return structure(shape, out);
        if (shape.type == Type::kMap) return map(shape, out);
        return refuse(shape, Found::kMap);
      case '[':
        return shape.type == Type::kList ? list(shape, out) : refuse(shape, Found::kList);
      case '"':
        return string(shape, out);
      case 'n':
        return pass();
      case 't':
      case 'f':
        if (shape.type != Type::kBoolean) return refuse(shape, Found::kBoolean);
        out = Value(c == 't');
        return pass();
      default:
        return number(shape, out);
    }
  }

  bool structure(const Shape& shape, Value& out) {
    Value::Structure members;
    members.reserve(shape.members.size());
    std::string kept;
    std::string_view name;
    for (bool first = true;; first = false) {
      if (!next('}', first)) return false;
      if (ended_) break;
      if (!member_name(name, kept)) return false;
      const Member* known = nullptr;
      for (const Member& member : shape.members) {
        if (member.name == name) known = &member;
      }
      if (known == nullptr) {
        if (!pass()) return false;
        continue;
      }
      Value member;
      if (!value(*known->shape, member)) return false;
      set(members, known->name, std::move(member));
    }
    out = Value(std::move(members));
    return true;
  }

  bool map(const Shape& shape, Value& out) {
    Value::Map members;
    std::string kept;
    std::string_view name;
    // Names told twice are looked for only this long; more entries than that are too many however many differ.
    std::int64_t left = 4 * shape.max;
    for (bool first = true;; first = false) {
      if (!next('}', first)) return false;
      if (ended_) break;
      if (!member_name(name, kept)) return false;
      std::string key(name);
      Value member;
      if (!value(*shape.element, member)) return false;
      if (std::ssize(members) <= shape.max && --left >= 0) set(members, std::move(key), std::move(member));
    }
    out = Value(std::move(members));
    return true;
  }

  bool list(const Shape& shape, Value& out) {
    Value::List elements;
    for (bool first = true;; first = false) {
      if (!next(']', first)) return false;
      if (ended_) break;
      Value element;
      if (!value(*shape.element, element)) return false;
      if (std::ssize(elements) <= shape.max) elements.push_back(std::move(element));
    }
    out = Value(std::move(elements));
    return true;
  }

  bool string(const Shape& shape, Value& out) {
    std::string kept;
    std::string_view text;
    if (shape.type == Type::kBlob) {
      // Decoding checks every character of a blob, so that it is looked at once.
      const auto quote = text_.find('"', at_ + 1);
      if (quote == std::string_view::npos) return false;
      text = text_.substr(at_ + 1, quote - at_ - 1);
      if (auto bytes = base64_or_nothing(text)) {
        at_ = quote + 1;
        out = Value(std::move(*bytes));
        return true;
      }
    }
    if (!quoted(text, kept)) return false;
    if (shape.type == Type::kString) {
      out = Value(std::string(text));
    } else if (shape.type == Type::kBlob) {
      auto bytes = blob_of(text);
      if (!bytes) {
        mismatch_ = std::move(bytes).error();
        return true;
      }
      out = Value(std::move(*bytes));
    } else {
      mismatch_ = mismatch_message(shape.type, Found::kString, text);
    }
    return true;
  }

  static std::optional<std::string> base64_or_nothing(std::string_view text) {
    auto bytes = base64_decode(text);
    if (!bytes) return std::nullopt;
    return std::move(*bytes);
  }

  bool number(const Shape& shape, Value& out) {
    const std::size_t begin = at_;
    if (!pass()) return false;
    const auto digits = text_.substr(begin, at_ - begin);
    if (shape.type == Type::kTimestamp) {
      out = Value(time_of_seconds(real(digits)));
    } else if (shape.type == Type::kInteger) {
      std::int64_t whole = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
      const bool is_whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
      out = Value(is_whole ? integer_of(whole) : integer_of(real(digits)));
    } else {
      mismatch_ = mismatch_message(shape.type, Found::kNumber);
    }
    return true;
  }

  static double real(std::string_view digits) {
    double number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc::result_out_of_range) return number;
    // Too large or too near to nothing: the sign of the exponent, or the first digits where there is none, tell.
    const auto exponent = digits.find_first_of("eE");
    const bool small = exponent != std::string_view::npos ? digits.substr(exponent + 1).starts_with('-')
                                                          : digits.substr(digits.starts_with('-')).starts_with('0');
    if (small) return 0;
    return digits.starts_with('-') ? -1e300 : 1e300;
  }

  bool refuse(const Shape& shape, Found found) {
    mismatch_ = mismatch_message(shape.type, found);
    return pass();
  }

  // To the next member or element, or past the end (then ended_).
  bool next(char close, bool first) {
    if (first) ++at_;  // The bracket.
    skip_space();
    ended_ = at(close);
    if (ended_) {
      ++at_;
      return true;
    }
    if (first) return true;
    if (!at(',')) return false;
    ++at_;
    skip_space();
    return !at(close);
  }

  bool member_name(std::string_view& name, std::string& kept) {
    skip_space();
    if (!at('"') || !quoted(name, kept)) return false;
    skip_space();
    if (!at(':')) return false;
    ++at_;
    return true;
  }

  // The text of the string that begins here: a slice of the body, or kept in `kept` if it had to be decoded.
  bool quoted(std::string_view& text, std::string& kept) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_plain(text_[end]) && text_[end] != '"') ++end;
    if (end < text_.size() && text_[end] == '"') {
      text = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return true;
    }
    const std::size_t begin = at_;
    if (!pass()) return false;
    kept = JsonCursor::decode_string(text_.substr(begin, at_ - begin));
    text = kept;
    return true;
  }

  // Passes a value of any kind.
  bool pass() {
    skip_space();
    JsonCursor cursor(text_.substr(at_));
    const auto slice = cursor.value();
    if (!slice) return false;
    at_ += slice->size();
    return true;
  }

  void skip_space() {
    while (at(' ') || at('\n') || at('\r') || at('\t')) ++at_;
  }
  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ended_ = false;  // What next() found.
  std::optional<std::string> mismatch_;
};

}  // namespace

Input read_json(std::string_view body, const Shape* shape) {
  return JsonInput(body).read(shape);
}

}  // namespace pinflow::doors::kinesis
