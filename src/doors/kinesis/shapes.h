#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "doors/kinesis/patterns.h"

namespace pinflow::doors::kinesis {

enum class Type : std::uint8_t { kString, kInteger, kBoolean, kBlob, kTimestamp, kList, kMap, kStructure };

struct Member;

// What a value must be, after AWS's API model. Bounds are of the number itself; for texts, blobs, lists and maps of the length (texts
// count UTF-16 units, as Java does).
struct Shape {
  Type type;
  Pattern pattern = Pattern::kNone;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  // Holds only where there is no stream that could allow more: beside another clause about the request.
  std::int64_t usual_max = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> values{};  // Of an enum, in the order in which AWS prints them; empty: any.
  const Shape* key = nullptr;                  // Of a map.
  const Shape* element = nullptr;              // Of a list, and of a map's values.
  std::span<const Member> members{};           // Of a structure.
  std::string_view printed{};                  // How Java prints a structure as an element of a list.
};

enum class Need : std::uint8_t { kOptional, kRequired, kRequiredWithoutArn };

struct Member {
  std::string_view name;
  const Shape* shape;
  Need need = Need::kOptional;
};

struct Operation {
  std::string_view name;
  Shape input;
};

// In the order of their names. Names and shapes live for ever.
std::span<const Operation> operations();
// Null: there is none of that name.
const Operation* find_operation(std::string_view name);

}  // namespace pinflow::doors::kinesis
