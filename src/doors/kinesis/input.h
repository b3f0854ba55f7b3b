#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doors/kinesis/protocol.h"
#include "doors/kinesis/shapes.h"

namespace pinflow::doors::kinesis {

// What a body turned out to be.
struct Input {
  bool parsed = false;  // It is whole, and an object.
  // Of the first value that is not of its shape's type, as the Message of a SerializationException. Then `value` is of no use.
  std::optional<std::string> mismatch;
  Value
      value;  // Typed, its constraints not yet checked. Lists and maps end one past the length that their shape allows.
};

// Read a body by a shape; null: only whether it is well-formed. One pass, no tree of what the shape does not know; nesting deeper than the shape's
// costs no stack. Members that are unknown or null are left out; of members told twice the last one counts.
Input read_json(std::string_view body, const Shape* shape);
// RFC 8949, definite and indefinite lengths. Times are whole milliseconds, tagged (1) or not; fractions below 1e11 are seconds.
Input read_cbor(std::string_view body, const Shape* shape);

// Nothing if `value` keeps all constraints of its shape, else the message of a ValidationException: at most ten clauses.
std::optional<std::string> broken_constraints(const Shape& shape, const Value& value);

}  // namespace pinflow::doors::kinesis
