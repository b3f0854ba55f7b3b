#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "doors/kinesis/shapes.h"

namespace pinflow::doors::kinesis {

// What both readers of bodies share: how what was sent becomes what its shape asks for, and what AWS says where it does not.

enum class Found : std::uint8_t { kBoolean, kNumber, kString, kBytes, kList, kMap };

// The message where `found` stands in the place of `expected`. `text` is that of a string.
std::string mismatch_message(Type expected, Found found, std::string_view text = {});
// The bytes of a base64 text, or the message.
std::expected<std::string, std::string> blob_of(std::string_view text);
// Fractions go down; what is out of range becomes the nearest number of 32 bits.
std::int64_t integer_of(double number);
std::int64_t integer_of(std::int64_t number);
WallTime time_of_seconds(double seconds);
WallTime time_of_milliseconds(std::int64_t milliseconds);

bool is_utf8(std::string_view text);
// `text`, cut to a length that an answer may echo.
std::string_view echoed(std::string_view text);

}  // namespace pinflow::doors::kinesis
