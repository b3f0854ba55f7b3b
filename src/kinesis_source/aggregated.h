#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/hash_key.h"

namespace pinflow::kinesis_source {

// One of the records that a producer packed into one of Kinesis.
struct PackedRecord {
  std::string key;
  aws::HashKey hash = 0;  // Of the key, or the one given in its place.
  std::string data;
};

// Unpacks what the Kinesis Producer Library and those like it aggregate (github.com/awslabs/amazon-kinesis-producer, aggregation-format.md: four
// bytes, a Protocol Buffers message, its MD5). Empty: `data` is no such record, also where its sum is right and its message is none; consumers take it as it is.
std::optional<std::vector<PackedRecord>> unpack(std::string_view data, aws::KeyHasher& hasher);

}  // namespace pinflow::kinesis_source
