#pragma once

#include <string>
#include <string_view>

namespace pinflow::aws {

// Hashes as raw bytes. Safe from any thread.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string to_hex(std::string_view bytes);  // Lower case.

}  // namespace pinflow::aws
