#include "migrate/state_copy.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"

namespace pinflow::migrate {
namespace {

const disk::Path kHere = "/here/state";
const disk::Path kThere = "/there/state";

class StateCopy : public ::testing::Test {
 protected:
  StateCopy() {
    EXPECT_TRUE(disk_.create_folders(kHere / "schedule/runs"));
    EXPECT_TRUE(disk_.create_folders(kThere));
    EXPECT_TRUE(disk_.write_file(kHere / "schedule/state.json", "state"));
    EXPECT_TRUE(disk_.write_file(kHere / "schedule/runs/1", "one"));
    EXPECT_TRUE(disk_.write_file(kHere / "schedule/LOCK", ""));
  }
  disk::MemoryDisk disk_;
};

TEST_F(StateCopy, TakesAFolderWholeWithoutItsLock) {
  EXPECT_EQ(copy_folder(disk_, kHere / "schedule", kThere / "schedule"), true);
  EXPECT_EQ(disk_.read_file(kThere / "schedule/state.json"), "state");
  EXPECT_EQ(disk_.read_file(kThere / "schedule/runs/1"), "one");
  EXPECT_FALSE(disk_.describe(kThere / "schedule/LOCK"));
  EXPECT_EQ(copy_folder(disk_, kHere / "access", kThere / "access"), false);
}

TEST_F(StateCopy, LeavesAFolderOfTheOtherSideAsItIs) {
  ASSERT_TRUE(disk_.create_folders(kThere / "schedule"));
  ASSERT_TRUE(disk_.write_file(kThere / "schedule/state.json", "its own"));
  EXPECT_EQ(copy_folder(disk_, kHere / "schedule", kThere / "schedule"), false);
  EXPECT_EQ(disk_.read_file(kThere / "schedule/state.json"), "its own");
}

TEST_F(StateCopy, IsWholeOrNotThereAfterACrashAtAnyStep) {
  for (std::uint64_t step = 1; step < 40; ++step) {
    Random random(step);
    const disk::Path to = kThere / ("schedule" + std::to_string(step));
    disk_.lose_power_at(step);
    (void)copy_folder(disk_, kHere / "schedule", to);
    disk_.crash(random);
    ASSERT_TRUE(copy_folder(disk_, kHere / "schedule", to));
    EXPECT_EQ(disk_.read_file(to / "state.json"), "state") << step;
    EXPECT_EQ(disk_.read_file(to / "runs/1"), "one") << step;
  }
}

}  // namespace
}  // namespace pinflow::migrate
