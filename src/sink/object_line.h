#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::sink {

// How one record's value stands as one line of a sunk object (docs/formats/objects.md): a JSON text as it is,
// or, where it has raw newlines, without the blanks between its tokens; all else under an escape, so that
// each value can be had back. A line that begins so is an escape. A value that begins so by itself is escaped
// too: no value can feign one.
inline constexpr std::string_view kEscapePrefix = R"({"pinflow.raw":)";

// Appends the line of a value and its newline. No value is Kafka's null.
void append_object_line(std::string& out, std::optional<std::string_view> value);

inline bool is_escaped(std::string_view line) {
  return line.starts_with(kEscapePrefix);
}

// The bytes behind an escaped line (without its newline); empty optional for a null value. kCorrupt: an
// escape that append_object_line never writes.
Result<std::optional<std::string>> unescape(std::string_view line);

}  // namespace pinflow::sink
