#include "kinesis_source/aggregated.h"

#include <gtest/gtest.h>

namespace pinflow::kinesis_source {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// As AWS's own library for Python (aws_kinesis_agg) packs three records.
const std::string kPacked = bytes_of(
    "f3899ac2"
    "0a034164610a03426f62"
    "1227313730313431313833343630343639323331373331363837333033373135383834313035373238"
    "1a0f08001a0b7b22696e646578223a317d1a0f08011a0b7b22696e646578223a327d1a08080010001a0200ff"
    "c4282f9e08684d443022034c18ab16f3");

TEST(Aggregated, IsUnpackedWithKeysAndHashes) {
  aws::KeyHasher hasher;
  const auto records = unpack(kPacked, hasher);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ((*records)[0].key, "Ada");
  EXPECT_EQ((*records)[0].data, R"({"index":1})");
  EXPECT_EQ((*records)[0].hash, hasher("Ada"));
  EXPECT_EQ((*records)[1].key, "Bob");
  EXPECT_EQ((*records)[2].key, "Ada");
  EXPECT_EQ((*records)[2].data, std::string("\0\xff", 2));
  EXPECT_EQ((*records)[2].hash, aws::HashKey{1} << 127);
}

TEST(Aggregated, IsTakenAsItIsWhereItIsNotWhole) {
  aws::KeyHasher hasher;
  EXPECT_FALSE(unpack("", hasher));
  EXPECT_FALSE(unpack(R"({"index":1})", hasher));
  for (std::size_t size = 0; size < kPacked.size(); ++size)
    EXPECT_FALSE(unpack(std::string_view(kPacked).substr(0, size), hasher)) << size;
  for (std::size_t at = 0; at < kPacked.size(); ++at) {
    std::string damaged = kPacked;
    damaged[at] ^= 1;
    EXPECT_FALSE(unpack(damaged, hasher)) << at;
  }
}

}  // namespace
}  // namespace pinflow::kinesis_source
