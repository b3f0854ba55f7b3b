#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/hash_key.h"

namespace pinflow::doors::kinesis {

using aws::HashKey;
using aws::KeyHasher;
using aws::kLastHashKey;
using aws::parse_hash_key;
using aws::to_decimal;

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
