#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/log.h"

namespace pinflow::doors::streams {

// A place on the ring of keys: the MD5 of a partition key as a big-endian 128-bit number.
using HashKey = unsigned __int128;
HashKey hash_key(std::string_view partition_key);
std::string to_decimal(HashKey key);

// The part of the ring that belongs to a shard, both ends included. Shards are equally wide, floor(2^128 / n), and the last
// takes the rest.
struct HashRange {
  HashKey first;
  HashKey last;
};
HashRange shard_range(std::int32_t shards, log::PartitionId shard);
log::PartitionId shard_of(std::int32_t shards, HashKey key);

}  // namespace pinflow::doors::streams
