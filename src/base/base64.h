#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow {

// RFC 4648 base64 with padding. Both ways run at several gigabytes a second where the processor has AVX2.
std::string base64_encode(std::string_view bytes);
// Appends the text of `bytes`.
void append_base64(std::string& out, std::string_view bytes);
// Decodes strictly: length a multiple of four, canonical padding, no white space. kInvalid says what is
// wrong.
Result<std::string> base64_decode(std::string_view text);

}  // namespace pinflow
