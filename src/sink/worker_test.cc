#include "sink/internal/worker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sink/testing/sunk.h"
#include "sink/testing/worker_fixture.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using testing::Fuse;

const log::TopicPartition kPin{"pinterest.pin", log::PartitionId(0)};

class SinkWorker : public testing::WorkerFixture {
 protected:
  SinkWorker() {
    make_topic("pinterest.pin", 1);
    start();
  }
  void make_topic(const std::string& name, std::int32_t partitions) {
    ASSERT_TRUE(log_.create_topic({name, partitions, {}}));
  }
  void append(std::int64_t count, const log::TopicPartition& to = kPin) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets(to)->end.value();
      std::optional<std::string> value = fmt::format(R"({{"ind":{},"of":"{}/{}"}})", offset, to.topic, to.partition);
      if (offset % 7 == 3) value = "not json\n";
      if (offset % 7 == 5) value.reset();
      wanted_[to][offset] = value;
      log_.append(to.topic, to.partition.value(), {value});
    }
  }
  void start() { WorkerFixture::start(options_); }
  void advance_and_turn(std::chrono::milliseconds by) {
    clock_.advance(by);
    turn();
  }
  void want_all_now() {
    for (const auto& [name, values] : wanted_) targets_[name] = log_.offsets(name)->end;
  }
  void expect_all_sunk_once() {
    for (const auto& [name, values] : wanted_) EXPECT_EQ(testing::sunk_values(store_, name), values);
  }
  std::vector<std::string> objects(const std::string& prefix = "topics/") {
    std::vector<std::string> names;
    for (const auto& object : *store_.list(prefix, {}, SIZE_MAX))
      names.push_back(object.name.substr(object.name.rfind('/') + 1));
    return names;
  }
  std::string error() { return worker_->status().partitions.at(0).error; }

  SinkOptions options_{.topics = {"pinterest.*"}, .flush_size = 10};
  std::map<log::TopicPartition, testing::Values> wanted_;
};

TEST_F(SinkWorker, PutsAnObjectPerFlushSize) {
  append(25);
  turn();
  EXPECT_EQ(objects(),
            (std::vector<std::string>{"pinterest.pin+0+0000000000.json", "pinterest.pin+0+0000000010.json"}));
  EXPECT_EQ(worker_->status().records, 20u);
  EXPECT_EQ(worker_->status().partitions.at(0).next, log::Offset(20));
}

TEST_F(SinkWorker, PutsAnObjectWhenItsTimeIsOver) {
  append(3);
  turn();
  advance_and_turn(4'999ms);
  EXPECT_TRUE(objects().empty());
  advance_and_turn(1ms);
  EXPECT_EQ(objects().size(), 1u);
  expect_all_sunk_once();
}

TEST_F(SinkWorker, PutsAtOnceWhatHasATarget) {
  append(13);
  want_all_now();
  turn();
  expect_all_sunk_once();
  EXPECT_EQ(objects().size(), 2u);
}

TEST_F(SinkWorker, DoesNotLetRecordsGatherForATarget) {
  options_.rotate_interval = options_.discovery_interval = 10s;
  start();
  append(3);
  turn();
  append(3);
  want_all_now();
  worker_->work(targets_);
  const SystemClock real;
  const SteadyTime begin = real.steady_now();
  worker_->fetch(targets_, {});
  EXPECT_LT(real.steady_now() - begin, 5s);
  worker_->work(targets_);
  expect_all_sunk_once();
}

TEST_F(SinkWorker, EndsAnObjectAtItsByteBound) {
  options_.max_object = ByteCount(60);
  start();
  append(4);
  turn();
  EXPECT_EQ(objects(),
            (std::vector<std::string>{"pinterest.pin+0+0000000000.json", "pinterest.pin+0+0000000002.json"}));
}

TEST_F(SinkWorker, EndsAnObjectWhereOffsetsHaveAGap) {
  append(3);
  log_.skip_offsets(kPin.topic, 0, 4);
  append(2);
  want_all_now();
  turn();
  EXPECT_EQ(objects(),
            (std::vector<std::string>{"pinterest.pin+0+0000000000.json", "pinterest.pin+0+0000000007.json"}));
  expect_all_sunk_once();
  start();
  append(5);
  want_all_now();
  turn();
  expect_all_sunk_once();
}

TEST_F(SinkWorker, ReachesTheEndBehindOffsetsWithoutRecords) {
  append(3);
  log_.skip_offsets(kPin.topic, 0, 4);
  targets_[kPin] = log::Offset(7);
  turn();
  turn();
  EXPECT_EQ(objects(), (std::vector<std::string>{"pinterest.pin+0+0000000000.json"}));
  EXPECT_EQ(worker_->places().at(kPin).next, log::Offset(7));
  append(2);
  want_all_now();
  turn();
  EXPECT_EQ(objects(),
            (std::vector<std::string>{"pinterest.pin+0+0000000000.json", "pinterest.pin+0+0000000007.json"}));
}

TEST_F(SinkWorker, GoesOnBehindTheLastObjectWithoutAnyHint) {
  append(25);
  turn();
  ASSERT_TRUE(log_.commit_offsets("pinflow-sink", {{kPin, log::Offset(0)}}));
  start();
  want_all_now();
  turn();
  expect_all_sunk_once();
  EXPECT_EQ(worker_->status().records, 5u);
}

TEST_F(SinkWorker, CommitsWhereItIs) {
  append(25);
  turn();
  EXPECT_EQ(log_.committed_offsets("pinflow-sink")->at(0).offset, log::Offset(20));
}

TEST_F(SinkWorker, PicksUpTopicsAndPartitionsThatAppear) {
  turn();
  make_topic("pinterest.geo", 2);
  make_topic("other", 1);
  const log::TopicPartition geo{"pinterest.geo", log::PartitionId(1)};
  append(12, geo);
  log_.append("other", 0, {"{}"});
  advance_and_turn(1'000ms);
  want_all_now();
  turn();
  expect_all_sunk_once();
  EXPECT_TRUE(objects("topics/other").empty());
}

TEST_F(SinkWorker, MakesAllObjectsAgainInANewStore) {
  append(25);
  turn();
  testing::MemoryStore other;
  internal::Worker worker(options_, log_, other, clock_, logger_);
  want_all_now();
  turn(worker, targets_);
  EXPECT_EQ(testing::sunk_values(other, kPin), wanted_[kPin]);
}

TEST_F(SinkWorker, MakesLostLastObjectsAgain) {
  append(40);
  turn();
  ASSERT_TRUE(store_.remove(object_name(kPin, log::Offset(30))));
  ASSERT_TRUE(store_.remove(object_name(kPin, log::Offset(20))));
  start();
  turn();
  expect_all_sunk_once();
}

TEST_F(SinkWorker, DoesNotMakeExpiredObjectsAgain) {
  append(30);
  turn();
  for (const std::int64_t first : {0, 10, 20}) ASSERT_TRUE(store_.remove(object_name(kPin, log::Offset(first))));
  start();
  append(10);
  turn();
  EXPECT_EQ(objects(), (std::vector<std::string>{"pinterest.pin+0+0000000030.json"}));
}

TEST_F(SinkWorker, KeepsATopicMadeAgainFromTheOldOnesObjects) {
  append(20);
  turn();
  const auto old_values = wanted_[kPin];
  ASSERT_TRUE(log_.delete_topic("pinterest.pin"));
  make_topic("pinterest.pin", 1);
  wanted_.clear();
  append(50);
  advance_and_turn(1'000ms);
  EXPECT_EQ(testing::sunk_values(store_, kPin), old_values);
  EXPECT_NE(error().find("earlier topic"), std::string::npos) << error();
  // The operator does what the message says.
  for (const std::int64_t first : {0, 10}) ASSERT_TRUE(store_.remove(object_name(kPin, log::Offset(first))));
  ASSERT_TRUE(store_.remove(identity_name("pinterest.pin")));
  advance_and_turn(30s);
  expect_all_sunk_once();
  EXPECT_EQ(error(), "");
}

TEST_F(SinkWorker, StopsWhenObjectsReachPastTheLog) {
  append(5);
  ASSERT_TRUE(store_.put(object_name(kPin, log::Offset(0)), "1\n2\n3\n4\n5\n6\n"));
  turn();
  EXPECT_NE(error().find("reach to offset 6"), std::string::npos) << error();
}

TEST_F(SinkWorker, StopsAtATornObjectOfAnotherWriter) {
  append(5);
  ASSERT_TRUE(store_.put(object_name(kPin, log::Offset(0)), "1\n2"));
  turn();
  EXPECT_NE(error().find("whole line"), std::string::npos) << error();
}

TEST_F(SinkWorker, GoesOnAtTheBeginWhenRetentionWasFaster) {
  append(5);
  want_all_now();
  turn();
  append(20);
  log_.drop_below(kPin.topic, 0, log::Offset(15));
  turn();
  advance_and_turn(1s);
  want_all_now();
  turn();
  const auto values = testing::sunk_values(store_, kPin);
  EXPECT_EQ(values.size(), 15u);
  EXPECT_TRUE(values.contains(15));
  EXPECT_FALSE(values.contains(5));
}

TEST_F(SinkWorker, ReadsNoFurtherWhileTheStoreIsAway) {
  options_.flush_size = 1'000'000;
  options_.max_memory = ByteCount(500);
  Fuse store_fuse;
  testing::FusedStore store(store_, store_fuse);
  internal::Worker worker(options_, log_, store, clock_, logger_);
  turn(worker, {});
  store_fuse.set(0, Fuse::Burns::kBefore);
  append(100);
  turn(worker, {});
  const auto fetches = log_.fetches();
  for (int i = 0; i < 20; ++i) {
    append(100);
    clock_.advance(1s);
    turn(worker, {});
  }
  EXPECT_EQ(log_.fetches(), fetches);
  EXPECT_NE(worker.status().partitions.at(0).error.find("fuse"), std::string::npos);
  store_fuse.disarm();
  clock_.advance(30s);
  want_all_now();
  turn(worker, targets_);
  turn(worker, targets_);
  expect_all_sunk_once();
}

TEST_F(SinkWorker, PutsLargestObjectsEarlyWhenManyPartitionsFillTheMemory) {
  options_.flush_size = 1'000'000;
  options_.max_memory = ByteCount(4'000);
  make_topic("pinterest.many", 50);
  start();
  for (std::int32_t id = 0; id < 50; ++id) append(1 + id % 5, {"pinterest.many", log::PartitionId(id)});
  turn();
  EXPECT_GT(objects().size(), 0u);
  EXPECT_LT(objects().size(), 50u);
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

TEST_F(SinkWorker, TwoAtOncePutEachRecordOnce) {
  append(7);
  SinkOptions other_options = options_;
  other_options.flush_size = 3;
  internal::Worker other(other_options, log_, store_, clock_, logger_);
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    if (random.chance(0.4)) append(1 + static_cast<std::int64_t>(random.below(6)));
    internal::Worker& one = random.chance(0.5) ? other : *worker_;
    want_all_now();
    turn(one, random.chance(0.2) ? targets_ : internal::Targets());
    if (random.chance(0.05)) clock_.advance(5s);
  }
  want_all_now();
  for (int i = 0; i < 4; ++i) {
    turn();
    turn(other, targets_);
  }
  expect_all_sunk_once();
}

// Dies before or after each call to log and store, once after another, and starts again.
class SinkCrash : public SinkWorker, public ::testing::WithParamInterface<Fuse::Burns> {};

TEST_P(SinkCrash, LeavesEachRecordInExactlyOneObject) {
  bool finished = false;
  std::int64_t deaths = 0;
  for (std::int64_t calls = 0; !finished; ++calls) {
    ASSERT_LT(calls, 200) << "the work never ends without a call to the fuse";
    append(23);
    log_.skip_offsets(kPin.topic, 0, calls % 3);
    append(4);
    start();
    fuse_.set(calls, GetParam());
    turn(3);
    want_all_now();
    turn(3);
    finished = !fuse_.burnt();
    deaths += fuse_.burnt() ? 1 : 0;
    fuse_.disarm();
    start();
    turn(1 + static_cast<int>(calls % 2));
    targets_.clear();
  }
  EXPECT_GT(deaths, 8);
  start();
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

TEST_P(SinkCrash, OutlivesAStoreThatComesAndGoes) {
  for (std::int64_t calls = 0; calls < 12; ++calls) {
    append(23);
    fuse_.set(calls, GetParam());
    for (int i = 0; i < 4; ++i) {
      turn();
      clock_.advance(1s);
    }
    fuse_.disarm();
    advance_and_turn(30s);
  }
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

INSTANTIATE_TEST_SUITE_P(, SinkCrash, ::testing::Values(Fuse::Burns::kBefore, Fuse::Burns::kAfter),
                         [](const auto& info) {
                           return info.param == Fuse::Burns::kBefore ? "BeforeACall" : "AfterACall";
                         });

}  // namespace
}  // namespace pinflow::sink
