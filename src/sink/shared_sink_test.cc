#include <array>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/testing/memory_log.h"
#include "log/testing/moved_share.h"
#include "sink/internal/worker.h"
#include "sink/sink.h"
#include "sink/testing/memory_store.h"
#include "sink/testing/sunk.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kPartitions = 4;

log::TopicPartition part(std::int32_t id) {
  return {"pinterest.pin", log::PartitionId(id)};
}

// Two sinks of one group over one log and one store.
class SharedSink : public ::testing::Test {
 protected:
  SharedSink() {
    stopped_.request_stop();  // Fetches answer at once with what they have.
    EXPECT_TRUE(log_.create_topic({part(0).topic, kPartitions, {}}));
    for (std::size_t i = 0; i < shares_.size(); ++i) start(i);
  }
  // A new process; the old one is dead.
  void start(std::size_t i) {
    workers_[i].reset();
    workers_[i].emplace(options_, log_, store_, clock_, logger_, &shares_[i]);
  }
  void append(std::int32_t partition, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets(part(partition))->end.value();
      const auto value = fmt::format(R"({{"ind":{},"of":{}}})", offset, partition);
      wanted_[part(partition)][offset] = value;
      log_.append(part(partition).topic, partition, {value});
    }
  }
  void turn(std::size_t i) {
    workers_[i]->hurry();
    workers_[i]->work(targets_);
    workers_[i]->fetch(targets_, stopped_.get_token());
    workers_[i]->work(targets_);
  }
  void want_all_now() {
    for (const auto& [name, values] : wanted_) targets_[name] = log_.offsets(name)->end;
  }
  std::vector<log::TopicPartition> worked_on(std::size_t i) {
    std::vector<log::TopicPartition> all;
    for (const PartitionStatus& partition : workers_[i]->status().partitions) all.push_back(partition.partition);
    return all;
  }
  void expect_all_sunk_once() {
    for (const auto& [name, values] : wanted_) EXPECT_EQ(testing::sunk_values(store_, name), values);
  }

  SinkOptions options_{.topics = {"pinterest.*"}, .flush_size = 10};
  log::MemoryLog log_;
  testing::MemoryStore store_;
  ManualClock clock_;
  NullLogger logger_;
  std::stop_source stopped_;
  internal::Targets targets_;
  std::map<log::TopicPartition, testing::Values> wanted_;
  std::array<log::MovedShare, 2> shares_;
  std::array<std::optional<internal::Worker>, 2> workers_;
};

TEST_F(SharedSink, SubscribesToTheTopicsThatMatch) {
  ASSERT_TRUE(log_.create_topic({"other", 1, {}}));
  turn(0);
  EXPECT_EQ(shares_[0].topics(), std::vector<std::string>{"pinterest.pin"});
  ASSERT_TRUE(log_.create_topic({"pinterest.geo", 1, {}}));
  turn(0);
  EXPECT_EQ(shares_[0].topics(), (std::vector<std::string>{"pinterest.geo", "pinterest.pin"}));
}

TEST_F(SharedSink, WorksOnItsPartitionsAlone) {
  for (std::int32_t id = 0; id < kPartitions; ++id) append(id, 12);
  shares_[0].give({part(0), part(2)});
  shares_[1].give({part(1)});
  for (int i = 0; i < 2; ++i) {
    turn(0);
    turn(1);
  }
  EXPECT_EQ(worked_on(0), (std::vector{part(0), part(2)}));
  EXPECT_EQ(worked_on(1), (std::vector{part(1)}));
  EXPECT_EQ(testing::sunk_values(store_, part(2)).size(), 10u);
  EXPECT_TRUE(testing::sunk_values(store_, part(3)).empty());
}

TEST_F(SharedSink, DropsWhatIsOpenOfAPartitionThatGoes) {
  append(0, 15);
  shares_[0].give({part(0)});
  turn(0);
  EXPECT_EQ(testing::sunk_values(store_, part(0)).size(), 10u);
  shares_[0].give({});
  EXPECT_FALSE(shares_[0].is_settled());
  turn(0);
  EXPECT_TRUE(shares_[0].is_settled());
  EXPECT_TRUE(worked_on(0).empty());
  EXPECT_EQ(testing::sunk_values(store_, part(0)).size(), 10u);  // The other one reads the five again.
  shares_[1].give({part(0)});
  want_all_now();
  turn(1);
  expect_all_sunk_once();
}

TEST_F(SharedSink, PutsWhatIsOpenOfATopicThatIsGone) {
  append(0, 5);
  shares_[0].give({part(0)});
  turn(0);
  ASSERT_TRUE(log_.delete_topic(part(0).topic));
  turn(0);
  expect_all_sunk_once();
}

// Partitions move between two sinks at random, some to both (a late twin) or to none for a while, and sinks die.
TEST_F(SharedSink, MovesAtRandomMomentsPutEachRecordOnce) {
  Random random(7);
  for (int i = 0; i < 1'500; ++i) {
    append(static_cast<std::int32_t>(random.below(kPartitions)), static_cast<std::int64_t>(random.below(6)));
    if (random.chance(0.1)) {
      for (auto& share : shares_) {
        std::vector<log::TopicPartition> some;
        for (std::int32_t id = 0; id < kPartitions; ++id) {
          if (random.chance(0.6)) some.push_back(part(id));
        }
        if (random.chance(0.8)) share.give(std::move(some));
      }
    }
    if (random.chance(0.02)) start(random.below(2));
    if (random.chance(0.05)) clock_.advance(5s);
    internal::Worker& one = *workers_[random.below(2)];
    switch (random.below(4)) {
      case 0:
        one.hurry();
        one.work({});
        break;
      case 1:
        want_all_now();
        one.work(targets_);
        break;
      default:
        one.fetch({}, stopped_.get_token());
        break;
    }
  }
  shares_[0].give({part(0), part(1)});
  shares_[1].give({part(2), part(3)});
  want_all_now();
  for (int i = 0; i < 4; ++i) {
    turn(0);
    turn(1);
  }
  expect_all_sunk_once();
  EXPECT_GT(workers_[0]->status().records + workers_[1]->status().records, 0u);
}

// The same with their threads: what one is told to let go of is soon the other's.
TEST_F(SharedSink, RunningSinksTakeOverFromEachOther) {
  SystemClock clock;
  SinkOptions options = options_;
  options.discovery_interval = 1h;  // The share alone wakes them.
  Sink one(options, log_, store_, clock, logger_, &shares_[0]);
  Sink two(options, log_, store_, clock, logger_, &shares_[1]);
  Random random(3);
  for (int round = 0; round < 20; ++round) {
    for (std::int32_t id = 0; id < kPartitions; ++id) append(id, 1 + static_cast<std::int64_t>(random.below(15)));
    std::array<std::vector<log::TopicPartition>, 2> given;
    for (std::int32_t id = 0; id < kPartitions; ++id) given[random.below(2)].push_back(part(id));
    for (std::size_t i = 0; i < 2; ++i) shares_[i].give(given[i]);
    for (auto& share : shares_) share.await_settled();
    if (round % 3 != 2) continue;  // They leave the others open.
    ASSERT_TRUE(one.flush(30s, {}));
    ASSERT_TRUE(two.flush(30s, {}));
    expect_all_sunk_once();
  }
}

}  // namespace
}  // namespace pinflow::sink
