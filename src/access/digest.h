#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pinflow::access {

// Hashes and secrets, as raw bytes. Safe from any thread.
std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view text);
// Bytes that nobody can guess, from the operating system's generator.
std::string random_bytes(std::size_t count);
// Takes the same time wherever the two differ; lengths are no secret.
bool same_secret(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);  // Lower case.
// The alphabet of RFC 4648 in lower case (a-z, 2-7), without padding: survives being read out, double-clicked and put into a URL.
std::string to_base32(std::string_view bytes);

}  // namespace pinflow::access
