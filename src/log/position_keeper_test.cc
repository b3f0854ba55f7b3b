#include "log/position_keeper.h"

#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

class PositionKeeperTest : public LogFixture {
 protected:
  PositionKeeperTest() {
    reopen();
    create("a", 2);
  }
  std::map<std::int32_t, std::int64_t> committed() {
    std::map<std::int32_t, std::int64_t> found;
    for (const GroupOffset& position : log_->committed_offsets("lane").value())
      found[position.partition.partition.value()] = position.offset.value();
    return found;
  }
  using Found = std::map<std::int32_t, std::int64_t>;
};

TEST_F(PositionKeeperTest, CommitsTheLastPlacesAtItsEnd) {
  {
    PositionKeeper keeper(*log_, "lane", logger_, std::chrono::hours(1));
    for (std::int64_t next = 1; next <= 1'000; ++next) keeper.note({"a", PartitionId(0)}, Offset(next));
    keeper.note({"a", PartitionId(1)}, Offset(7));
  }
  EXPECT_EQ(committed(), (Found{{0, 1'000}, {1, 7}}));
}

TEST_F(PositionKeeperTest, CommitsWhileTheReaderRests) {
  PositionKeeper keeper(*log_, "lane", logger_, std::chrono::milliseconds(1));
  for (std::int64_t next = 1; next <= 3; ++next) {
    keeper.note({"a", PartitionId(0)}, Offset(next));
    while (committed() != Found{{0, next}}) std::this_thread::yield();
  }
}

TEST_F(PositionKeeperTest, WritesNothingWhereNothingChanged) {
  const std::uint64_t before = disk_.count(disk::Operation::kAppend);
  {
    PositionKeeper keeper(*log_, "lane", logger_, std::chrono::milliseconds(0));
    for (int i = 0; i < 5; ++i) {
      keeper.note({"a", PartitionId(0)}, Offset(3));
      while (committed() != Found{{0, 3}}) std::this_thread::yield();
    }
  }
  EXPECT_EQ(disk_.count(disk::Operation::kAppend), before + 1);
}

TEST_F(PositionKeeperTest, LeavesOutTopicsThatAreGone) {
  {
    PositionKeeper keeper(*log_, "lane", logger_, std::chrono::hours(1));
    keeper.note({"gone", PartitionId(0)}, Offset(3));
    keeper.note({"a", PartitionId(5)}, Offset(3));
    keeper.note({"a", PartitionId(1)}, Offset(4));
  }
  EXPECT_EQ(committed(), (Found{{1, 4}}));
}

TEST_F(PositionKeeperTest, CommitsLaterWhatCouldNotBeCommitted) {
  disk_.fail_nth(disk::Operation::kAppend, 1, ErrorCode::kUnavailable);
  {
    PositionKeeper keeper(*log_, "lane", logger_, std::chrono::milliseconds(0));
    keeper.note({"a", PartitionId(0)}, Offset(3));
    while (disk_.count(disk::Operation::kTruncate) == 0)
      std::this_thread::yield();  // The append that failed is undone.
    keeper.note({"a", PartitionId(1)}, Offset(4));
  }
  EXPECT_EQ(committed(), (Found{{0, 3}, {1, 4}}));
}

}  // namespace
}  // namespace pinflow::log
