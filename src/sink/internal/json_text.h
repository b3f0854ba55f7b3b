#pragma once

#include <string>
#include <string_view>

namespace pinflow::sink::internal {

enum class JsonText { kNotJson, kOneLine, kManyLines };

// Says whether bytes are exactly one JSON value (RFC 8259, UTF-8, at most 512 levels deep, no byte order
// mark), and whether a raw line feed or carriage return stands in it. These can only be blanks between
// tokens.
JsonText inspect_json(std::string_view bytes);

// Appends a JSON text without the blanks between its tokens; nothing within strings changes.
void append_without_blanks(std::string& out, std::string_view json);

}  // namespace pinflow::sink::internal
