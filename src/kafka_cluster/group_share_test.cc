#include <thread>

#include <gmock/gmock.h>

#include "kafka_cluster/mock_cluster_fixture.h"
#include "log/share.h"

namespace pinflow::kafka_cluster {
namespace {

class GroupShare : public MockClusterFixture {
 protected:
  // Waits until a share has so many partitions, saying each time that nobody works on others.
  static bool comes_to(log::Share& share, std::size_t partitions) {
    std::stop_source stop;
    const std::jthread limit([&](const std::stop_token& done) {
      std::mutex mutex;
      std::condition_variable_any sleep;
      std::unique_lock lock(mutex);
      if (!sleep.wait_for(lock, done, std::chrono::seconds(40), [] { return false; }) && !done.stop_requested())
        stop.request_stop();
    });
    log::Assignment now = share.assignment();
    while (now.partitions.size() != partitions && !stop.stop_requested()) {
      now = share.wait(now.version, stop.get_token());
      share.settled(now.version);
    }
    return now.partitions.size() == partitions;
  }
};

TEST_F(GroupShare, HasAllPartitionsAloneAndCommitsAsAMember) {
  make_topic("t", 4);
  open();
  produce("t", {text("a")}, log::PartitionId(2));
  auto share = log_->join("g", {"t"});
  ASSERT_TRUE(share) << share.error().message;
  ASSERT_TRUE(comes_to(**share, 4));
  const log::Assignment now = (*share)->assignment();
  EXPECT_EQ(now.partitions.front(), (log::TopicPartition{"t", log::PartitionId(0)}));
  const auto committed = log_->commit_offsets("g", {{{"t", log::PartitionId(2)}, log::Offset(1)}});
  EXPECT_TRUE(committed) << committed.error().message;
}

TEST_F(GroupShare, GivesAPartOfItsPartitionsToAnotherAndTakesThemBack) {
  make_topic("t", 4);
  open();
  auto first = log_->join("g", {"t"});
  ASSERT_TRUE(first && comes_to(**first, 4));
  auto other_log = open_kafka_log(options_, clock_, logger_);
  ASSERT_TRUE(other_log);
  auto second = (*other_log)->join("g", {});
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_TRUE((*second)->subscribe({"t"}));
  {
    auto half = std::async(std::launch::async, [&] { return comes_to(**second, 2); });
    EXPECT_TRUE(comes_to(**first, 2));
    EXPECT_TRUE(half.get());
  }
  second->reset();
  EXPECT_TRUE(comes_to(**first, 4));
}

}  // namespace
}  // namespace pinflow::kafka_cluster
