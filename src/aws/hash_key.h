#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::aws {

// A place on the ring of keys of Kinesis: the MD5 of a partition key as a big-endian 128-bit number.
using HashKey = unsigned __int128;
inline constexpr HashKey kLastHashKey = ~HashKey{0};

// Hashes partition keys. Keeps OpenSSL's state between calls, since making it costs more than hashing a short key. One thread.
class KeyHasher final {
 public:
  KeyHasher();
  ~KeyHasher();
  KeyHasher(const KeyHasher&) = delete;
  KeyHasher& operator=(const KeyHasher&) = delete;
  HashKey operator()(std::string_view partition_key);

 private:
  struct Digest;
  std::unique_ptr<Digest> digest_;
};

std::string to_decimal(HashKey key);
// Empty: not decimal digits, or 2^128 and more.
std::optional<HashKey> parse_hash_key(std::string_view text);

}  // namespace pinflow::aws
