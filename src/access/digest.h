#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aws/digest.h"

namespace pinflow::access {

// The hashes of those who sign serve here as well.
using aws::hmac_sha256;
using aws::sha256;
using aws::to_hex;

// Secrets, as raw bytes. Safe from any thread.
// Bytes that nobody can guess, from the operating system's generator.
std::string random_bytes(std::size_t count);
// Takes the same time wherever the two differ; lengths are no secret.
bool same_secret(std::string_view a, std::string_view b);

// The alphabet of RFC 4648 in lower case (a-z, 2-7), without padding: survives being read out, double-clicked and put into a URL.
std::string to_base32(std::string_view bytes);

}  // namespace pinflow::access
