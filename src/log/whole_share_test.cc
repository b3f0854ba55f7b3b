#include "log/whole_share.h"

#include <future>

#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

class WholeShare : public LogFixture {
 protected:
  WholeShare() { reopen(); }
  static std::vector<TopicPartition> of(const std::string& topic, std::int32_t partitions) {
    std::vector<TopicPartition> all;
    for (std::int32_t id = 0; id < partitions; ++id) all.push_back({topic, PartitionId(id)});
    return all;
  }
};

TEST_F(WholeShare, HasAllPartitionsOfItsTopics) {
  create("a", 3);
  create("b", 1);
  const auto share = log_->join("g", {"a"}).value();
  EXPECT_EQ(share->assignment().partitions, of("a", 3));
  EXPECT_EQ(share->assignment(), share->assignment());
  const auto other = log_->join("g", {"b"}).value();
  EXPECT_EQ(other->assignment().partitions, of("b", 1));
}

TEST_F(WholeShare, GrowsWithItsTopics) {
  create("a", 1);
  const auto share = log_->join("g", {"a", "b"}).value();
  const Assignment first = share->assignment();
  ASSERT_TRUE(log_->add_partitions("a", 2));
  const Assignment second = share->assignment();
  EXPECT_GT(second.version, first.version);
  EXPECT_EQ(second.partitions, of("a", 2));
  create("c", 1);
  EXPECT_EQ(share->assignment(), second);
  create("b", 1);
  EXPECT_EQ(share->assignment().partitions.size(), 3u);
  ASSERT_TRUE(log_->delete_topic("a"));
  EXPECT_EQ(share->assignment().partitions, of("b", 1));
  ASSERT_TRUE(share->subscribe({"c"}));
  EXPECT_EQ(share->assignment().partitions, of("c", 1));
}

TEST_F(WholeShare, WakesWhoWaitsForAChange) {
  const auto share = log_->join("g", {"a"}).value();
  const Assignment none = share->assignment();
  auto waiting = std::async(std::launch::async, [&] { return share->wait(none.version, {}); });
  create("b", 1);
  create("a", 2);
  EXPECT_EQ(waiting.get().partitions, of("a", 2));
  const std::uint64_t known = share->assignment().version;
  waiting = std::async(std::launch::async, [&] { return share->wait(known, {}); });
  ASSERT_TRUE(log_->delete_topic("a"));
  EXPECT_TRUE(waiting.get().partitions.empty());
}

TEST_F(WholeShare, StopsWaitingWhenAsked) {
  create("a", 1);
  const auto share = log_->join("g", {"a"}).value();
  const Assignment now = share->assignment();
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return share->wait(now.version, stop.get_token()); });
  stop.request_stop();
  EXPECT_EQ(waiting.get(), now);
}

}  // namespace
}  // namespace pinflow::log
