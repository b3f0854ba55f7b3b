#include <algorithm>

#include <fmt/format.h>

#include "doors/kinesis/conversion.h"
#include "doors/kinesis/input.h"

namespace pinflow::doors::kinesis {

namespace {

constexpr std::size_t kMostClauses = 10;

// Where a value stands, from the inside out; only written where something is wrong there.
struct Path {
  const Path* outer = nullptr;
  std::string_view member;
  std::size_t element = 0;  // Counted from 1; 0: `member` is that of a structure.
};

void append(std::string& out, const Path& path) {
  if (path.outer != nullptr) append(out, *path.outer);
  if (path.element > 0) {
    out += fmt::format(".{}.member", path.element);
    return;
  }
  if (!out.empty()) out += '.';
  const auto start = out.size();
  out += path.member;
  if (out[start] >= 'A' && out[start] <= 'Z') out[start] = static_cast<char>(out[start] - 'A' + 'a');
}

std::int64_t java_length(std::string_view text) {
  std::int64_t units = 0;
  for (const char c : text) units += ((c & 0xc0) != 0x80 ? 1 : 0) + ((c & 0xf8) == 0xf0 ? 1 : 0);
  return units;
}

// Whether a text's length is in the bounds, counting its units only where its bytes leave that open.
bool is_too_long(std::string_view text, std::int64_t max) {
  return std::ssize(text) > max && java_length(text) > max;
}

std::string printed(const Shape& shape, const Value& value) {
  std::string out;
  switch (shape.type) {
    case Type::kString:
      return value.text();
    case Type::kInteger:
      return fmt::to_string(value.integer());
    case Type::kBlob:
      return fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", value.text().size());
    case Type::kList:
      for (const Value& element : value.list()) {
        out += out.empty() ? "[" : ", ";
        if (element.is_null()) {
          out += "null";
        } else {
          out += shape.element->type == Type::kStructure ? std::string(shape.element->printed)
                                                         : printed(*shape.element, element);
        }
      }
      return out.empty() ? "[]" : out + "]";
    case Type::kMap:
      for (const auto& [key, element] : value.map()) {
        out += out.empty() ? "{" : ", ";
        out += key + "=" + (element.is_null() ? "null" : printed(*shape.element, element));
      }
      return out.empty() ? "{}" : out + "}";
    case Type::kBoolean:
    case Type::kTimestamp:
    case Type::kStructure:
      break;  // These have no constraints.
  }
  return out;
}

std::string length_clauses(const Shape& shape) {
  return fmt::format(
      "[Member must have length less than or equal to {}, Member must have length greater than or equal to {}]",
      shape.max, shape.min);
}

class Constraints {
 public:
  void check_members(const Shape& shape, const Value& value, const Path* outer) {
    for (const Member& member : shape.members) {
      if (clauses_.size() >= kMostClauses) return;
      const Path path{outer, member.name};
      const Value& held = value[member.name];
      if (!held.is_null()) {
        check(*member.shape, held, path);
      } else if (member.need == Need::kRequired ||
                 (member.need == Need::kRequiredWithoutArn && value["StreamARN"].is_null())) {
        fail_null(path);
      }
    }
  }

  std::optional<std::string> message() && {
    if (clauses_.empty()) return std::nullopt;
    for (auto& clause : usual_clauses_) {
      if (clauses_.size() < kMostClauses) clauses_.push_back(std::move(clause));
    }
    return fmt::format("{} validation error{} detected: {}", clauses_.size(), clauses_.size() == 1 ? "" : "s",
                       fmt::join(clauses_, "; "));
  }

 private:
  void check(const Shape& shape, const Value& value, const Path& path) {
    switch (shape.type) {
      case Type::kString:
        check_text(shape, value, path);
        return;
      case Type::kInteger:
        if (value.integer() < shape.min) fail(shape, value, path, at_least("value", shape));
        if (value.integer() > shape.max) fail(shape, value, path, at_most("value", shape.max));
        return;
      case Type::kBlob:
        if (std::ssize(value.text()) > shape.max) {
          fail(shape, value, path, at_most("length", shape.max));
        } else if (std::ssize(value.text()) > shape.usual_max && usual_clauses_.size() < kMostClauses) {
          usual_clauses_.push_back(clause(shape, value, path, at_most("length", shape.usual_max)));
        }
        return;
      case Type::kList:
        check_list(shape, value, path);
        return;
      case Type::kMap:
        check_map(shape, value, path);
        return;
      case Type::kStructure:
        check_members(shape, value, &path);
        return;
      case Type::kBoolean:
      case Type::kTimestamp:
        return;
    }
  }

  void check_text(const Shape& shape, const Value& value, const Path& path) {
    const std::string& text = value.text();
    if (!matches(shape.pattern, text)) {
      fail(shape, value, path,
           fmt::format("Member must satisfy regular expression pattern: {}", kinesis::printed(shape.pattern)));
    }
    if (!is_of_enum(shape, text)) fail(shape, value, path, enum_clause(shape));
    if (text.empty() && shape.min > 0) fail(shape, value, path, at_least("length", shape));
    if (is_too_long(text, shape.max)) fail(shape, value, path, at_most("length", shape.max));
  }

  void check_list(const Shape& shape, const Value& value, const Path& path) {
    const auto& elements = value.list();
    check_count(shape, value, path, std::ssize(elements));
    if (shape.element->type == Type::kString) {
      check_texts(shape, value, path);
      return;
    }
    for (std::size_t i = 0; i < elements.size() && clauses_.size() < kMostClauses; ++i) {
      const Path place{&path, "", i + 1};
      if (elements[i].is_null()) {
        fail_null(place);
      } else {
        check(*shape.element, elements[i], place);
      }
    }
  }

  // Texts of a list are judged together, at the list.
  void check_texts(const Shape& shape, const Value& value, const Path& path) {
    const Shape& element = *shape.element;
    if (std::ranges::any_of(value.list(), &Value::is_null)) {
      fail_null(
          {&path, "",
           1 + static_cast<std::size_t>(std::ranges::find_if(value.list(), &Value::is_null) - value.list().begin())});
      return;
    }
    const auto is_wrong = [&](const Value& text) {
      return !is_of_enum(element, text.text()) || (text.text().empty() && element.min > 0) ||
             is_too_long(text.text(), element.max);
    };
    if (std::ranges::none_of(value.list(), is_wrong)) return;
    fail(shape, value, path,
         "Member must satisfy constraint: " +
             (element.values.empty() ? length_clauses(element) : "[" + enum_clause(element) + "]"));
  }

  void check_map(const Shape& shape, const Value& value, const Path& path) {
    const auto& entries = value.map();
    check_count(shape, value, path, std::ssize(entries));
    const auto outside = [](const Shape& bounds, const std::string& text) {
      return (text.empty() && bounds.min > 0) || is_too_long(text, bounds.max);
    };
    if (std::ranges::any_of(entries, [](const auto& entry) { return entry.second.is_null(); })) {
      fail(shape, value, path, "Map value must satisfy constraint: [Member must not be null]");
      return;
    }
    if (std::ranges::any_of(entries, [&](const auto& entry) { return outside(*shape.key, entry.first); })) {
      fail(shape, value, path, "Map keys must satisfy constraint: " + length_clauses(*shape.key));
    }
    if (std::ranges::any_of(entries, [&](const auto& entry) { return outside(*shape.element, entry.second.text()); })) {
      fail(shape, value, path, "Map value must satisfy constraint: " + length_clauses(*shape.element));
    }
  }

  void check_count(const Shape& shape, const Value& value, const Path& path, std::int64_t count) {
    if (count < shape.min) fail(shape, value, path, at_least("length", shape));
    if (count > shape.max) fail(shape, value, path, at_most("length", shape.max));
  }

  static bool is_of_enum(const Shape& shape, std::string_view text) {
    return shape.values.empty() || std::ranges::find(shape.values, text) != shape.values.end();
  }
  static std::string enum_clause(const Shape& shape) {
    return fmt::format("Member must satisfy enum value set: [{}]", fmt::join(shape.values, ", "));
  }
  static std::string at_least(std::string_view what, const Shape& shape) {
    return fmt::format("Member must have {} greater than or equal to {}", what, shape.min);
  }
  static std::string at_most(std::string_view what, std::int64_t max) {
    return fmt::format("Member must have {} less than or equal to {}", what, max);
  }

  static std::string clause(const Shape& shape, const Value& value, const Path& path, std::string_view constraint) {
    std::string place;
    append(place, path);
    return fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", echoed(printed(shape, value)), place,
                       constraint);
  }
  void fail(const Shape& shape, const Value& value, const Path& path, std::string_view constraint) {
    if (clauses_.size() < kMostClauses) clauses_.push_back(clause(shape, value, path, constraint));
  }
  void fail_null(const Path& path) {
    std::string place;
    append(place, path);
    if (clauses_.size() < kMostClauses) {
      clauses_.push_back(
          fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null", place));
    }
  }

  std::vector<std::string> clauses_;
  std::vector<std::string> usual_clauses_;
};

}  // namespace

std::optional<std::string> broken_constraints(const Shape& shape, const Value& value) {
  Constraints constraints;
  constraints.check_members(shape, value, nullptr);
  return std::move(constraints).message();
}

}  // namespace pinflow::doors::kinesis
