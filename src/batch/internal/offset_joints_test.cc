#include "batch/internal/offset_joints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::batch::internal {
namespace {

using Findings = std::vector<std::pair<std::string, std::string>>;

SunkObject object(std::int32_t partition, std::int64_t first) {
  const log::TopicPartition place{"pinterest.pin", log::PartitionId(partition)};
  return {.info = {.name = sink::object_name(place, log::Offset(first)), .size = 1, .modified = {}},
          .name = *sink::parse_object_name(sink::object_name(place, log::Offset(first))),
          .kind = records::Kind::kPin};
}

TEST(OffsetJoints, AreFoundWholeWhereEachObjectBeginsBehindTheLast) {
  EXPECT_EQ(broken_joints({object(0, 7), object(0, 10), object(1, 0), object(1, 5)}, {3, 4, 5, 1}, {}), Findings());
  EXPECT_EQ(broken_joints({}, {}, {}), Findings());
}

TEST(OffsetJoints, TellHolesAndOverlaps) {
  EXPECT_EQ(broken_joints({object(0, 0), object(0, 10), object(0, 12)}, {5, 4, 2}, {}),
            (Findings{{"pinterest.pin/0", "offsets 5 to 9 lie in no object"},
                      {"pinterest.pin/0",
                       "offsets 12 to 13 lie in two objects, one of them "
                       "topics/pinterest.pin/partition=0/pinterest.pin+0+0000000012.json"}}));
  // One that lies whole in another takes nothing from what the other reaches.
  EXPECT_EQ(broken_joints({object(0, 0), object(0, 2), object(0, 10)}, {10, 1, 1}, {}).size(), 1U);
}

TEST(OffsetJoints, GoOnFromWhatIsLoaded) {
  const LoadedThrough loaded = {{{"pinterest.pin", log::PartitionId(0)}, {log::Offset(9)}}};
  EXPECT_EQ(broken_joints({object(0, 10)}, {3}, loaded), Findings());
  EXPECT_EQ(broken_joints({object(0, 20), object(1, 40)}, {3, 1}, loaded),
            (Findings{{"pinterest.pin/0", "offsets 10 to 19 lie in no object"}}));
}

}  // namespace
}  // namespace pinflow::batch::internal
