#include "kinesis_source/internal/positions_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"

namespace pinflow::kinesis_source::internal {
namespace {

using testing::HasSubstr;

Positions example() {
  return {.topic_id = Uuid::parse("0badcafe-0000-4000-8000-000000000001").value(),
          .seen = {{log::PartitionId(0), log::Offset(17)}, {log::PartitionId(2), log::Offset(4)}},
          .shards = {{"shardId-000000000000",
                      {"49590338271490256608559692538361571095921575989136588898", true,
                       WallTime(std::chrono::milliseconds(1'790'000'000'007))}},
                     {"shardId-000000000001", {std::nullopt, false}}}};
}

TEST(PositionsFile, HasTheseBytes) {
  // docs/formats/kinesis-positions.md shows them.
  disk::MemoryDisk disk;
  ASSERT_TRUE(write_positions(disk, "/state/kinesis", "pins", example()));
  EXPECT_EQ(
      disk.read_file("/state/kinesis/pins.json"),
      R"({"format":1,"topic_id":"0badcafe-0000-4000-8000-000000000001","seen":[17,0,4],"shards":{)"
      R"("shardId-000000000000":{"complete":"49590338271490256608559692538361571095921575989136588898","finished":true,"read_until":1790000000007},)"
      R"("shardId-000000000001":{"finished":false}}})");
}

TEST(PositionsFile, IsReadAsItWasWritten) {
  disk::MemoryDisk disk;
  EXPECT_EQ(read_positions(disk, "/state/kinesis", "pins").value(), std::nullopt);
  ASSERT_TRUE(write_positions(disk, "/state/kinesis", "pins", example()));
  Positions filled = example();
  filled.seen[log::PartitionId(1)] = log::Offset(0);
  EXPECT_EQ(read_positions(disk, "/state/kinesis", "pins").value(), filled);
}

TEST(PositionsFile, RefusesWhatItCannotUnderstand) {
  disk::MemoryDisk disk;
  ASSERT_TRUE(disk.create_folders("/f"));
  const auto problem = [&](std::string_view text) {
    EXPECT_TRUE(disk.write_file("/f/pins.json", text));
    const auto read = read_positions(disk, "/f", "pins");
    return read ? "no problem" : read.error().message;
  };
  EXPECT_THAT(problem(""), HasSubstr("/f/pins.json is no file of positions. Remove it"));
  EXPECT_THAT(problem(R"({"format":2})"), HasSubstr("has format 2"));
  EXPECT_THAT(problem(R"({"format":1})"), HasSubstr("is not whole"));
  const std::string head = R"({"format":1,"topic_id":"0badcafe-0000-4000-8000-000000000001",)";
  EXPECT_THAT(problem(head + R"("seen":[-1],"shards":{}})"), HasSubstr("offset that is none"));
  EXPECT_THAT(problem(head + R"("seen":[1],"shards":{"a":{}}})"), HasSubstr("is not whole"));
  EXPECT_EQ(problem(head + R"("seen":[1],"shards":{}})"), "no problem");
}

}  // namespace
}  // namespace pinflow::kinesis_source::internal
