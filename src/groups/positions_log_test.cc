#include "groups/positions_log.h"

#include <future>

#include <gtest/gtest.h>

#include "groups/coordinator.h"
#include "log/testing/memory_log.h"

namespace pinflow::groups {
namespace {

// A coordinator over a log that is no broker's.
class ClusterPositions : public ::testing::Test {
 protected:
  ClusterPositions() { EXPECT_TRUE(log_.create_topic({"a", 2, {}})); }

  OffsetsReply commit(GroupCoordinator& coordinator, const std::string& group, std::int64_t offset) {
    std::promise<OffsetsReply> answer;
    CommitRequest request;
    request.group = group;
    request.offsets = {{{"a", log::PartitionId(1)}, log::Offset(offset)}};
    coordinator.commit(std::move(request), [&](OffsetsReply reply) { answer.set_value(std::move(reply)); });
    return answer.get_future().get();
  }

  log::MemoryLog log_;
  ManualClock clock_;
  NullLogger logger_;
};

TEST_F(ClusterPositions, OfAGroupLieInTheCluster) {
  {
    PositionsLog positions(log_);
    GroupCoordinator coordinator({}, positions, clock_, logger_, 1);
    const OffsetsReply reply = commit(coordinator, "g", 5);
    EXPECT_EQ(reply.error, GroupError::kNone);
    EXPECT_EQ(reply.partitions, std::vector{GroupError::kNone});
    EXPECT_EQ(positions.groups(), std::vector<std::string>{"g"});
  }
  const auto stored = log_.committed_offsets("g").value();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].offset, log::Offset(5));
  PositionsLog positions(log_);
  GroupCoordinator another({}, positions, clock_, logger_, 2);
  ASSERT_EQ(another.committed("g").size(), 1u);
  EXPECT_TRUE(another.committed("h").empty());
}

TEST_F(ClusterPositions, RefuseWhatOnlyABrokerHas) {
  PositionsLog positions(log_);
  EXPECT_EQ(positions.new_producer_id().error().code, ErrorCode::kInvalid);
  Result<void> deleted;
  positions.delete_offsets("g", {}, [&](Result<void> result) { deleted = std::move(result); });
  ASSERT_FALSE(deleted);
  EXPECT_NE(deleted.error().message.find("ask its brokers"), std::string::npos);
}

}  // namespace
}  // namespace pinflow::groups
