#include "doors/streams/shard_map.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/check.h"

namespace pinflow::doors::streams {

namespace {
constexpr HashKey kLast = ~HashKey{0};

// floor(2^128 / n) without the 129th bit.
HashKey width(std::int32_t shards) {
  const auto n = static_cast<HashKey>(shards);
  return kLast / n + (kLast % n == n - 1 ? 1 : 0);
}
}  // namespace

HashKey hash_key(std::string_view partition_key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const int good = EVP_Digest(partition_key.data(), partition_key.size(), digest.data(), &length, EVP_md5(), nullptr);
  CHECK(good == 1 && length == 16, "OpenSSL gives no MD5; Kinesis hashes its partition keys with it");
  HashKey key = 0;
  for (std::size_t i = 0; i < 16; ++i) key = key << 8 | digest[i];
  return key;
}

std::string to_decimal(HashKey key) {
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(key % 10));
    key /= 10;
  } while (key != 0);
  std::ranges::reverse(out);
  return out;
}

HashRange shard_range(std::int32_t shards, log::PartitionId shard) {
  const bool one = shards == 1;
  const bool last = shard.value() == shards - 1;
  const HashKey first = one ? 0 : width(shards) * static_cast<HashKey>(shard.value());
  return {first, last ? kLast : first + width(shards) - 1};
}

log::PartitionId shard_of(std::int32_t shards, HashKey key) {
  if (shards == 1) return log::PartitionId(0);
  return log::PartitionId(static_cast<std::int32_t>(std::min(key / width(shards), static_cast<HashKey>(shards - 1))));
}

}  // namespace pinflow::doors::streams
