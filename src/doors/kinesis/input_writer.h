#pragma once

#include <string>

#include "doors/kinesis/protocol.h"
#include "doors/kinesis/shapes.h"

namespace pinflow::doors::kinesis {

// Writes a typed input as a client would send it: what read_json and read_cbor (input.h) read back as the same value. Absent members are left out.
std::string write_input(const Shape& shape, const Value& value, Encoding encoding);

}  // namespace pinflow::doors::kinesis
