#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "doors/kinesis/conversion.h"
#include "doors/kinesis/input.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMaxDepth = 128;  // Of what is passed over.
constexpr double kMostSeconds = 1e11;   // A fraction past this can only be milliseconds.

enum class Major : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kList, kMap, kTag, kSimple };

// The start of an item (RFC 8949, section 3).
struct Head {
  Major major = Major::kUnsigned;
  std::uint8_t info = 0;  // The low five bits.
  std::uint64_t number = 0;
  bool indefinite = false;
  bool is_break() const { return major == Major::kSimple && indefinite; }
  bool is_null() const { return major == Major::kSimple && (info == 22 || info == 23); }
  bool is_boolean() const { return major == Major::kSimple && (info == 20 || info == 21); }
  bool is_float() const { return major == Major::kSimple && info >= 25 && info <= 27; }
};

double half_float(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const double fraction = static_cast<double>(bits & 1023);
  double number = exponent == 0    ? std::ldexp(fraction, -24)
                  : exponent == 31 ? (fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan(""))
                                   : std::ldexp(fraction + 1024, exponent - 25);
  return (bits & 0x8000) != 0 ? -number : number;
}

double real(const Head& head) {
  if (head.info == 25) return half_float(head.number);
  if (head.info == 26) return std::bit_cast<float>(static_cast<std::uint32_t>(head.number));
  return std::bit_cast<double>(head.number);
}

std::int64_t whole(const Head& head) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto size = static_cast<std::int64_t>(std::min(head.number, kMost));
  return head.major == Major::kNegative ? -1 - size : size;
}

// Reads a CBOR item by a shape. It goes as deep as the shape; all else is passed without recursion, to a bounded depth. Every reading
// method returns whether the bytes are CBOR so far. Counts are never trusted: memory grows with items that are there.
class CborInput {
 public:
  explicit CborInput(std::string_view bytes) : bytes_(bytes) {}

  Input read(const Shape* shape) {
    Input input;
    Head start;
    if (!untagged(start) || start.major != Major::kMap) return input;
    input.parsed = (shape == nullptr ? pass(start) : value(*shape, start, input.value)) && at_ == bytes_.size();
    input.mismatch = std::move(mismatch_);
    return input;
  }

 private:
  bool head(Head& out) {
    if (at_ == bytes_.size()) return false;
    const auto first = static_cast<std::uint8_t>(bytes_[at_++]);
    out.major = static_cast<Major>(first >> 5);
    out.info = first & 31;
    out.number = out.info;
    out.indefinite = false;
    if (out.info < 24) return true;
    if (out.info == 31) {
      out.indefinite = true;
      out.number = 0;
      return (out.major >= Major::kBytes && out.major <= Major::kMap) || out.major == Major::kSimple;
    }
    if (out.info > 27) return false;
    const std::size_t size = std::size_t{1} << (out.info - 24);
    if (bytes_.size() - at_ < size) return false;
    out.number = 0;
    for (std::size_t i = 0; i < size; ++i) out.number = out.number << 8 | static_cast<std::uint8_t>(bytes_[at_++]);
    return out.major != Major::kSimple || out.info > 24;  // One-byte simple values have no meaning.
  }

  // The next head that is not a tag: a number is a time where a time is asked for.
  bool untagged(Head& out) {
    do {
      if (!head(out)) return false;
    } while (out.major == Major::kTag);
    return true;
  }

  bool value(const Shape& shape, const Head& start, Value& out) {
    if (mismatch_) return pass(start);
    switch (start.major) {
      case Major::kUnsigned:
      case Major::kNegative:
        return number(shape, start, out);
      case Major::kBytes:
        return string(shape, start, Found::kBytes, out);
      case Major::kText:
        return string(shape, start, Found::kString, out);
      case Major::kList:
        return shape.type == Type::kList ? list(shape, start, out) : refuse(shape, start, Found::kList);
      case Major::kMap:
        if (shape.type == Type::kStructure) return structure(shape, start, out);
        if (shape.type == Type::kMap) return map(shape, start, out);
        return refuse(shape, start, Found::kMap);
      case Major::kTag:
        return false;  // untagged() passed it.
      case Major::kSimple:
        break;
    }
    if (start.is_null()) return true;
    if (start.is_float()) return number(shape, start, out);
    if (!start.is_boolean()) return false;
    if (shape.type != Type::kBoolean) return refuse(shape, start, Found::kBoolean);
    out = Value(start.info == 21);
    return true;
  }

  bool number(const Shape& shape, const Head& start, Value& out) {
    const bool is_float = start.is_float();
    if (shape.type == Type::kInteger) {
      out = Value(is_float ? integer_of(real(start)) : integer_of(whole(start)));
    } else if (shape.type == Type::kTimestamp) {
      const double seconds = is_float ? real(start) : 0;
      if (!is_float) {
        out = Value(time_of_milliseconds(whole(start)));
      } else {
        out = Value(time_of_seconds(std::abs(seconds) < kMostSeconds ? seconds : seconds / 1000));
      }
    } else {
      return refuse(shape, start, Found::kNumber);
    }
    return true;
  }

  bool string(const Shape& shape, const Head& start, Found found, Value& out) {
    std::string kept;
    std::string_view text;
    if (!text_of(start, text, kept)) return false;
    if (found == Found::kString && !is_utf8(text)) return false;
    const bool fits = shape.type == (found == Found::kBytes ? Type::kBlob : Type::kString);
    if (fits) {
      out = Value(kept.empty() ? std::string(text) : std::move(kept));
    } else if (shape.type == Type::kBlob) {
      auto bytes = blob_of(text);
      if (bytes) {
        out = Value(std::move(*bytes));
      } else {
        mismatch_ = std::move(bytes).error();
      }
    } else {
      mismatch_ = mismatch_message(shape.type, found, text);
    }
    return true;
  }

  bool structure(const Shape& shape, const Head& start, Value& out) {
    Value::Structure members;
    members.reserve(shape.members.size());
    for (Items items{start};;) {
      Head key;
      if (!next(items, key)) return false;
      if (items.ended) break;
      std::string kept;
      std::string_view name;
      const Member* known = nullptr;
      if (key.major == Major::kText) {
        if (!text_of(key, name, kept)) return false;
        for (const Member& member : shape.members) {
          if (member.name == name) known = &member;
        }
      } else if (!pass(key)) {
        return false;
      }
      Head element;
      if (!untagged(element)) return false;
      if (known == nullptr) {
        if (!pass(element)) return false;
        continue;
      }
      Value member;
      if (!value(*known->shape, element, member)) return false;
      set(members, known->name, std::move(member));
    }
    out = Value(std::move(members));
    return true;
  }

  bool map(const Shape& shape, const Head& start, Value& out) {
    Value::Map members;
    std::int64_t left = 4 * shape.max;  // As in JSON.
    for (Items items{start};;) {
      Head key;
      if (!next(items, key)) return false;
      if (items.ended) break;
      std::string kept;
      std::string_view name;
      if (key.major != Major::kText || !text_of(key, name, kept) || !is_utf8(name)) return false;
      std::string owned(name);
      Head element;
      Value member;
      if (!untagged(element) || !value(*shape.element, element, member)) return false;
      if (std::ssize(members) <= shape.max && --left >= 0) set(members, std::move(owned), std::move(member));
    }
    out = Value(std::move(members));
    return true;
  }

  bool list(const Shape& shape, const Head& start, Value& out) {
    Value::List elements;
    for (Items items{start};;) {
      Head first;
      if (!next(items, first)) return false;
      if (items.ended) break;
      Value element;
      if (!value(*shape.element, first, element)) return false;
      if (std::ssize(elements) <= shape.max) elements.push_back(std::move(element));
    }
    out = Value(std::move(elements));
    return true;
  }

  // Sets a member, also one that was set before.
  template <class Members, class Name>
  static void set(Members& members, Name name, Value value) {
    for (auto& [known, held] : members) {
      if (known == name) {
        held = std::move(value);
        return;
      }
    }
    members.emplace_back(std::move(name), std::move(value));
  }

  // What is left of a list, or of the pairs of a map.
  struct Items {
    explicit Items(const Head& start) : indefinite(start.indefinite), left(start.number) {}
    bool indefinite;
    std::uint64_t left;
    bool ended = false;
  };

  // The head of the next element or key, or `ended`.
  bool next(Items& items, Head& out) {
    if (!items.indefinite && items.left-- == 0) {
      items.ended = true;
      return true;
    }
    if (!untagged(out)) return false;
    items.ended = out.is_break();
    return !items.ended || items.indefinite;
  }

  // The content of a text or byte string: a slice of the body, or kept in `kept` if it came in chunks.
  bool text_of(const Head& start, std::string_view& text, std::string& kept) {
    if (!start.indefinite) return slice(start.number, text);
    for (;;) {
      Head chunk;
      if (!head(chunk)) return false;
      if (chunk.is_break()) break;
      std::string_view piece;
      if (chunk.major != start.major || chunk.indefinite || !slice(chunk.number, piece)) return false;
      kept += piece;
    }
    text = kept;
    return true;
  }

  bool slice(std::uint64_t size, std::string_view& out) {
    if (size > bytes_.size() - at_) return false;
    out = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }

  bool refuse(const Shape& shape, const Head& start, Found found) {
    mismatch_ = mismatch_message(shape.type, found);
    return pass(start);
  }

  // Passes the rest of the item that begins with `start`, of any kind.
  bool pass(Head start) {
    struct Level {
      bool indefinite;
      bool is_map;
      std::uint64_t left;    // Elements, keys and values alike.
      bool has_key = false;  // Of an indefinite map: a key waits for its value.
    };
    std::array<Level, kMaxDepth> levels;
    std::size_t depth = 0;
    for (;;) {
      if (start.is_break()) {
        if (depth == 0 || !levels[depth - 1].indefinite || levels[depth - 1].has_key) return false;
        --depth;
      } else if (start.major == Major::kList || start.major == Major::kMap) {
        const bool is_map = start.major == Major::kMap;
        if (depth == kMaxDepth || start.number > bytes_.size()) return false;
        if (depth > 0) flip(levels[depth - 1]);
        levels[depth++] = {start.indefinite, is_map, is_map ? 2 * start.number : start.number};
      } else {
        std::string kept;
        std::string_view text;
        const bool is_string = start.major == Major::kBytes || start.major == Major::kText;
        if (is_string && !text_of(start, text, kept)) return false;
        if (start.major == Major::kSimple && !start.is_null() && !start.is_boolean() && !start.is_float()) return false;
        if (depth > 0) flip(levels[depth - 1]);
      }
      while (depth > 0 && !levels[depth - 1].indefinite && levels[depth - 1].left == 0) --depth;
      if (depth == 0) return true;
      if (!levels[depth - 1].indefinite) --levels[depth - 1].left;
      if (!untagged(start)) return false;
    }
  }

  template <class Level>
  static void flip(Level& level) {
    level.has_key = level.is_map && !level.has_key;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::optional<std::string> mismatch_;
};

}  // namespace

Input read_cbor(std::string_view body, const Shape* shape) {
  return CborInput(body).read(shape);
}

}  // namespace pinflow::doors::kinesis
