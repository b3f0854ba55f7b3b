#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::log {

// The frame that the small files beside the segments share: a magic of four bytes, a version byte, the content, and a CRC-32C of all
// before it. Pure functions.
std::string seal(std::string_view magic, std::string_view content);
// The content. kCorrupt: something else, or changed bytes. kInvalid: a newer version.
Result<std::string_view> unseal(std::string_view magic, std::string_view bytes);

}  // namespace pinflow::log
