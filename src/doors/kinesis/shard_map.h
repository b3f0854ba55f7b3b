#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::doors::kinesis {

// A place on the ring of keys: the MD5 of a partition key as a big-endian 128-bit number.
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

// The part of the ring that belongs to a shard, both ends included.
struct HashRange {
  HashKey first = 0;
  HashKey last = kLastHashKey;
  friend bool operator==(const HashRange&, const HashRange&) = default;
};
// Of the shards that a stream begins with: equally wide, floor(2^128 / n), and the last takes the rest.
HashRange even_range(std::int32_t shards, std::int32_t index);

// "shardId-000000000003".
std::string shard_id(std::int32_t index);
// Reads "shardId-3", "a-0003" or "3": the digits after the first '-'. Empty: no such form.
std::optional<std::int32_t> parse_shard_id(std::string_view text);

}  // namespace pinflow::doors::kinesis
