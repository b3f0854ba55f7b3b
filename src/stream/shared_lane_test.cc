#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "log/testing/moved_share.h"
#include "stream/internal/kind_lane.h"
#include "stream/internal/table_keeper.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int32_t kPartitions = 4;

// Two lanes of pins that share one stream of four partitions.
class SharedLane : public LaneFixture {
 protected:
  SharedLane() {
    stopped_.request_stop();  // Fetches answer at once with what they have.
    make_topic(stream_, kPartitions);
    for (std::size_t i = 0; i < shares_.size(); ++i) start(i);
  }
  log::TopicPartition part(std::int32_t id) const { return {stream_, log::PartitionId(id)}; }
  // Every fifth record is no row.
  void append(std::int32_t partition, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets(part(partition))->end.value();
      const bool bad = offset % 5 == 3;
      (bad ? wanted_dead_ : wanted_).push_back(fmt::format("{}:{}", partition, offset));
      log_.append(stream_, partition, {bad ? "{" : fmt::format(R"({{"index":{}}})", offset)});
    }
  }
  StreamContext context(std::size_t i) {
    StreamContext context{log_, *store_, *engine_, statements_, clock_, logger_};
    context.share = &shares_[i];
    return context;
  }
  // A new process; the old one is dead.
  void start(std::size_t i) {
    lanes_[i] =
        std::make_unique<internal::KindLane>(records::Kind::kPin, options_, context(i), Random(++seed_), budget_);
  }
  void turn(std::size_t i) {
    lanes_[i]->hurry();
    lanes_[i]->prepare();
    lanes_[i]->fetch(stopped_.get_token());
    lanes_[i]->commit();
  }
  void expect_all_once() {
    std::ranges::sort(wanted_);
    std::ranges::sort(wanted_dead_);
    auto found = places(table_);
    auto dead = places(options_.dead_letters);
    std::ranges::sort(found);
    std::ranges::sort(dead);
    EXPECT_EQ(found, wanted_);
    EXPECT_EQ(dead, wanted_dead_);
  }

  StreamOptions options_{.pipeline_id = "p1", .max_batch_records = 10};
  const std::string stream_ = options_.names.stream(records::Kind::kPin);
  const std::string table_ = options_.names.table(records::Kind::kPin);
  internal::BatchBudget budget_{options_.batch_memory, records::kKinds.size()};
  ManualClock clock_;
  std::stop_source stopped_;
  std::uint64_t seed_ = 0;
  std::vector<std::string> wanted_, wanted_dead_;
  std::array<log::MovedShare, 2> shares_;
  std::array<std::unique_ptr<internal::KindLane>, 2> lanes_;
};

TEST_F(SharedLane, WorksOnItsPartitionsAlone) {
  for (std::int32_t id = 0; id < kPartitions; ++id) append(id, 2);
  shares_[0].give({part(0), part(2)});
  shares_[1].give({part(1)});
  turn(0);
  EXPECT_THAT(places(table_), ElementsAre("0:0", "0:1", "2:0", "2:1"));
  turn(1);
  EXPECT_THAT(places(table_), ElementsAre("0:0", "0:1", "1:0", "1:1", "2:0", "2:1"));
  EXPECT_EQ(lanes_[1]->status().partitions.size(), 1u);
}

TEST_F(SharedLane, CommitsWhatIsOnItsWayBeforeAPartitionGoes) {
  append(0, 40);
  shares_[0].give({part(0)});
  lanes_[0]->prepare();
  lanes_[0]->fetch(stopped_.get_token());  // A full batch: more is waiting, so it stays on its way.
  lanes_[0]->commit();
  EXPECT_THAT(places(table_), IsEmpty());
  const std::uint64_t before = lanes_[0]->assigned();
  shares_[0].give({});
  lanes_[0]->hurry();
  lanes_[0]->prepare();
  EXPECT_GT(lanes_[0]->assigned(), before);
  EXPECT_EQ(places(table_).size() + places(options_.dead_letters).size(), 10u);
  EXPECT_TRUE(lanes_[0]->status().partitions.empty());
}

TEST_F(SharedLane, GoesOnWhereTheOtherOneWas) {
  shares_[0].give({part(0)});
  shares_[1].give({part(1)});
  for (int round = 0; round < 4; ++round) {
    append(0, 7);
    append(1, 7);
    turn(0);
    turn(1);
    shares_[static_cast<std::size_t>(round) % 2].give({part(1)});
    shares_[static_cast<std::size_t>(round + 1) % 2].give({part(0)});
  }
  expect_all_once();
  EXPECT_EQ(lanes_[0]->status().commits, 4u);  // None was refused and made again.
  EXPECT_EQ(lanes_[1]->status().commits, 4u);
}

TEST_F(SharedLane, WhoHasTheFirstPartitionKeepsTheTable) {
  shares_[0].give({part(0)});
  shares_[1].give({part(1)});
  std::array<int, 2> rounds{};
  for (std::size_t i = 0; i < 2; ++i) {
    append(static_cast<std::int32_t>(i), 3);
    turn(i);
    StreamContext own = context(i);
    own.after_step = [&rounds, i](Step step) { rounds[i] += step == Step::kLookedAfter ? 1 : 0; };
    internal::TableKeeper keeper(options_, own, Random(9));
    keeper.look_after({});
  }
  EXPECT_GT(rounds[0], 0);
  EXPECT_EQ(rounds[1], 0);
}

// A late twin commits for partition 1; then the lane commits for partition 0 alone, which reads over the twin's commit, and goes on with 1.
TEST_F(SharedLane, ACommitOfOtherPartitionsHidesNoMoveOfATwin) {
  append(0, 10);
  append(1, 4);
  shares_[0].give({part(0), part(1)});
  lanes_[0]->prepare();  // Has looked up both, and then sleeps.
  shares_[1].give({part(1)});
  turn(1);
  append(1, 2);
  for (int i = 0; i < 3; ++i) {
    lanes_[0]->fetch(stopped_.get_token());  // A batch of ten, so of partition 0 first.
    lanes_[0]->commit();
  }
  for (int i = 0; i < 3; ++i) turn(0);
  expect_all_once();
}

// Partitions move between two lanes at random, some to both (a late twin) or to none for a while, and lanes die.
TEST_F(SharedLane, MovesAtRandomMomentsDoubleAndLoseNothing) {
  Random random(5);
  for (int i = 0; i < 250; ++i) {
    if (random.chance(0.5)) {
      append(static_cast<std::int32_t>(random.below(kPartitions)), 1 + static_cast<std::int64_t>(random.below(12)));
    }
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
    internal::KindLane& lane = *lanes_[random.below(2)];
    switch (random.below(4)) {
      case 0:
        lane.prepare();
        break;
      case 1:
        lane.hurry();
        lane.prepare();
        break;
      case 2:
        lane.fetch(stopped_.get_token());
        break;
      default:
        lane.commit();
        break;
    }
  }
  shares_[0].give({part(0), part(1)});
  shares_[1].give({part(2), part(3)});
  for (int i = 0; i < 60; ++i) {
    for (auto& lane : lanes_) {
      lane->hurry();
      lane->prepare();
      lane->fetch(stopped_.get_token());
      lane->commit();
    }
  }
  expect_all_once();
}

// The same of whole lanes with their threads.
TEST_F(SharedLane, RunningLanesTakeOverFromEachOther) {
  for (auto& lane : lanes_) lane.reset();
  for (const records::Kind kind : records::kKinds) {
    if (kind != records::Kind::kPin) make_topic(options_.names.stream(kind));
  }
  SystemClock clock;
  Random seeds(9);
  StreamOptions options = options_;
  options.commit_interval = 10ms;
  options.discovery_interval = 1h;  // The share alone wakes them.
  options.optimize_interval = 0ms;
  std::array<std::unique_ptr<StreamLane>, 2> running;
  for (std::size_t i = 0; i < 2; ++i) {
    StreamContext own{log_, *store_, *engine_, statements_, clock, logger_};
    own.share = &shares_[i];
    running[i] = std::make_unique<StreamLane>(options, own, seeds);
  }
  Random random(3);
  for (int round = 0; round < 8; ++round) {
    for (std::int32_t id = 0; id < kPartitions; ++id) append(id, 1 + static_cast<std::int64_t>(random.below(15)));
    std::array<std::vector<log::TopicPartition>, 2> given;
    for (std::int32_t id = 0; id < kPartitions; ++id) given[random.below(2)].push_back(part(id));
    for (std::size_t i = 0; i < 2; ++i) shares_[i].give(given[i]);
    for (auto& share : shares_) share.await_settled();
    if (round % 2 == 0) continue;  // They leave some to the others.
    for (auto& lane : running) {
      const auto waited = lane->wait_until_caught_up(30s, {});
      ASSERT_TRUE(waited) << waited.error().message;
    }
    expect_all_once();
  }
}

}  // namespace
}  // namespace pinflow::stream
