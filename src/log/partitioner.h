#pragma once

#include <cstdint>
#include <string_view>

#include "log/log.h"

namespace pinflow::log {

// MurmurHash2 with the seed and the 32-bit arithmetic of Kafka's Java client.
std::int32_t murmur2(std::string_view bytes);

// Where Kafka's default partitioner puts a record with this key; the empty key is a key.
PartitionId partition_of_key(std::string_view key, std::int32_t partitions);

}  // namespace pinflow::log
