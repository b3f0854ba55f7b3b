#include "stream/internal/kind_lane.h"

#include <gmock/gmock.h>

#include "sink/testing/faults.h"
#include "stream/lane_fixture.h"
#include "stream/latest.h"

namespace pinflow::stream {
namespace {

using namespace std::chrono_literals;
using sink::testing::Fuse;
using ::testing::ElementsAre;

// The lane of pins without its thread.
class PinLane : public LaneFixture {
 protected:
  PinLane() {
    stopped_.request_stop();  // Fetches answer at once with what they have.
    begin_anew("pinterest");
  }
  // Another stream and other tables.
  void begin_anew(const std::string& prefix) {
    options_.names.prefix = prefix;
    options_.dead_letters = prefix + "_dead_letters";
    stream_ = options_.names.stream(records::Kind::kPin);
    table_ = options_.names.table(records::Kind::kPin);
    wanted_.clear();
    wanted_dead_.clear();
    make_topic(stream_);
    start();
  }
  // Every fifth record is no row: bad JSON and null in turns.
  void append(std::int64_t count, std::int32_t partition = 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets({stream_, log::PartitionId(partition)})->end.value();
      std::optional<std::string> value = fmt::format(R"({{"index":{},"category":"art"}})", offset % 40);
      if (offset % 10 == 3) value = "not \xff json\n";
      if (offset % 10 == 8) value.reset();
      (offset % 5 == 3 ? wanted_dead_ : wanted_).push_back(fmt::format("{}:{}", partition, offset));
      log_.append(stream_, partition, {value});
    }
  }
  std::unique_ptr<internal::KindLane> make_lane(log::Log& log, objects::ObjectStore& store) {
    return std::make_unique<internal::KindLane>(records::Kind::kPin, options_,
                                                StreamContext{log, store, *engine_, statements_, clock_, logger_},
                                                Random(++seed_), budget_);
  }
  // A new process over the same log and tables.
  void start() { lane_ = make_lane(fused_log_, fused_store_); }
  void turn(internal::KindLane& lane) {
    lane.prepare();
    lane.fetch(stopped_.get_token());
    lane.commit();
  }
  void turn(int times = 1) {
    for (int i = 0; i < times; ++i) turn(*lane_);
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

  StreamOptions options_{.pipeline_id = "p1"};
  internal::BatchBudget budget_{options_.batch_memory, records::kKinds.size()};
  std::unique_ptr<objects::ObjectStore>& tables_ = store_;
  Fuse fuse_;
  sink::testing::FusedLog fused_log_{log_, fuse_};
  sink::testing::FusedStore fused_store_{*tables_, fuse_};
  ManualClock clock_;
  std::stop_source stopped_;
  std::uint64_t seed_ = 0;
  std::string stream_, table_;
  std::vector<std::string> wanted_, wanted_dead_;
  std::unique_ptr<internal::KindLane> lane_;
};

TEST_F(PinLane, CommitsRowsAndDeadLetters) {
  append(25);
  turn();
  expect_all_once();
  const TableStatus status = lane_->status();
  EXPECT_EQ(status.rows, 20);
  EXPECT_EQ(status.records, 25u);
  EXPECT_EQ(status.dead_letters, 5u);
  EXPECT_EQ(status.files, 1u);
  EXPECT_EQ(status.version, 1);
  EXPECT_EQ(status.error, "");
  const auto letters =
      rows(options_.dead_letters, "SELECT kind, reason, raw, source_topic FROM t ORDER BY source_offset LIMIT 2");
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0][0].to_text(), "pin");
  EXPECT_EQ(std::get<sql::Bytes>(letters[0][2].data).data, "not \xff json\n");
  EXPECT_EQ(letters[1][1].to_text(), "the record has no value");
  EXPECT_TRUE(letters[1][2].is_null());
  EXPECT_EQ(letters[1][3].to_text(), stream_);
}

TEST_F(PinLane, GoesOnAfterARestart) {
  for (int i = 0; i < 4; ++i) {
    append(7);
    turn();
    start();
    turn();
  }
  expect_all_once();
}

TEST_F(PinLane, PassesBatchesOfDeadLettersAlone) {
  for (int i = 0; i < 3; ++i) {
    log_.append(stream_, 0, {"[]"});
    wanted_dead_.push_back(fmt::format("0:{}", i));
    turn();
    start();
  }
  turn();
  EXPECT_EQ(places(table_).size(), 0u);
  EXPECT_EQ(places(options_.dead_letters).size(), 3u);
}

TEST_F(PinLane, TakesAFullBatchAtATime) {
  options_.max_batch_records = 10;
  start();
  append(35);
  turn(3);
  EXPECT_EQ(lane_->status().records, 20u) << "the third is on its way";
  turn();
  EXPECT_EQ(lane_->status().commits, 4u);
  expect_all_once();
}

TEST_F(PinLane, TakesOneBatchAfterTheOtherWhereItIsTold) {
  options_.max_batch_records = 10;
  options_.batches_at_once = 1;
  start();
  append(35);
  turn(3);
  EXPECT_EQ(lane_->status().records, 30u);
  turn();
  expect_all_once();
}

TEST_F(PinLane, DropsTheBatchesBehindOneThatAnotherLaneWasFasterWith) {
  options_.max_batch_records = 10;
  start();
  const auto twin = make_lane(log_, *store_);
  append(35);
  turn();  // One batch is on its way.
  turn(*twin);
  turn(*twin);
  turn(*twin);
  EXPECT_EQ(twin->status().records, 20u);
  turn(4);
  turn(*twin);
  turn(2);
  EXPECT_EQ(lane_->status().records + twin->status().records, 35u);
  expect_all_once();
  // What the fenced lane had written is gone again: as many files as commits with rows.
  EXPECT_EQ(tables_->list(table_ + "/part-").value().size(), lane_->status().files);
}

TEST_F(PinLane, WaitsForItsStreamAndSeesNewPartitions) {
  ASSERT_TRUE(log_.delete_topic(stream_));
  turn();
  make_topic(stream_, 3);
  for (std::int32_t partition = 0; partition < 3; ++partition) append(6, partition);
  clock_.advance(1s);
  turn();
  expect_all_once();
}

TEST_F(PinLane, BeginsATopicMadeAgainFromItsStart) {
  append(12);
  turn();
  ASSERT_TRUE(log_.delete_topic(stream_));
  make_topic(stream_);
  append(5);
  clock_.advance(1s);
  turn();
  start();
  turn();
  expect_all_once();
}

TEST_F(PinLane, GoesOnAtTheBeginWhenRetentionWasFaster) {
  append(5);
  turn();
  append(20);
  log_.drop_below(stream_, 0, log::Offset(15));
  std::erase_if(wanted_, [](const std::string& place) {
    return std::stoi(place.substr(2)) >= 5 && std::stoi(place.substr(2)) < 15;
  });
  std::erase_if(wanted_dead_, [](const std::string& place) {
    return std::stoi(place.substr(2)) >= 5 && std::stoi(place.substr(2)) < 15;
  });
  turn();
  clock_.advance(1s);
  turn();
  expect_all_once();
}

TEST_F(PinLane, StopsWhenTheTableReachesPastTheLog) {
  append(5);
  turn();
  log::MemoryLog emptied;
  // The same topic id, fewer records: what a log without fsync is after a power cut.
  ASSERT_TRUE(emptied.create_topic({stream_, 1, {}}));
  ASSERT_EQ(emptied.topic(stream_)->id, log_.topic(stream_)->id);
  emptied.append(stream_, 0, {R"({"index":1})"});
  const auto lane = make_lane(emptied, *store_);
  turn(*lane);
  EXPECT_NE(lane->status().partitions.at(0).error.find("log has lost records"), std::string::npos);
  EXPECT_EQ(places(table_).size() + places(options_.dead_letters).size(), 5u);
}

TEST_F(PinLane, KeepsPositionsApartByPipeline) {
  append(3);
  turn();
  options_.pipeline_id = "p2";
  start();
  turn();
  EXPECT_EQ(places(table_).size(), 6u);
}

TEST_F(PinLane, OfTwoLanesTheLateOneIsFenced) {
  append(13);
  const auto twin = make_lane(log_, *store_);
  lane_->prepare();
  twin->prepare();
  lane_->fetch(stopped_.get_token());
  twin->fetch(stopped_.get_token());
  lane_->commit();
  twin->commit();
  expect_all_once();
  EXPECT_EQ(twin->status().records, 0u);
  append(9);
  turn(*twin);
  turn();
  turn();
  expect_all_once();
}

TEST_F(PinLane, TwinsInAnyOrderDoubleNothing) {
  const auto twin = make_lane(log_, *store_);
  Random random(11);
  internal::KindLane* lanes[] = {lane_.get(), twin.get()};
  for (int i = 0; i < 120; ++i) {
    if (random.chance(0.5)) append(1 + static_cast<std::int64_t>(random.below(9)));
    internal::KindLane& lane = *lanes[random.below(2)];
    switch (random.below(3)) {
      case 0:
        lane.prepare();
        break;
      case 1:
        lane.fetch(stopped_.get_token());
        break;
      default:
        lane.commit();
        break;
    }
  }
  for (int i = 0; i < 3; ++i) {
    turn(*twin);
    turn();
  }
  expect_all_once();
}

TEST_F(PinLane, GathersUntilTheNextCommitIsDueUnlessABatchIsFull) {
  options_.commit_interval = 60ms;
  options_.max_batch_records = 5;
  start();
  append(1);
  turn();
  append(1);
  const SystemClock real;
  const SteadyTime begin = real.steady_now();
  lane_->prepare();
  lane_->fetch({});
  lane_->commit();
  EXPECT_GE(real.steady_now() - begin, 60ms);
  EXPECT_EQ(lane_->status().commits, 2u);

  options_.commit_interval = 1h;
  start();
  append(12);
  turn();
  lane_->prepare();
  lane_->fetch({});  // Would wait for an hour.
  lane_->commit();
  lane_->fetch({});  // So would this: two batches are on their way or done.
  lane_->commit();
  EXPECT_EQ(lane_->status().records, 12u);
}

TEST_F(PinLane, LatestPerIndTakesTheLastOfRepeats) {
  for (const char* text :
       {R"({"index":1,"category":"old"})", R"({"index":2,"category":"only"})", R"({"index":1,"category":"new"})"}) {
    log_.append(stream_, 0, {text});
    turn();
  }
  const auto answer =
      rows(table_, latest_per_ind("SELECT ind, category, source_offset, source_partition, source_topic FROM t") +
                       " ORDER BY ind");
  ASSERT_EQ(answer.size(), 2u);
  EXPECT_EQ(answer[0][1].to_text(), "new");
  EXPECT_EQ(answer[1][1].to_text(), "only");
}

// Dies before or after each call to log and store, once after another, and starts again.
class LaneCrash : public PinLane, public ::testing::WithParamInterface<Fuse::Burns> {};

TEST_P(LaneCrash, LeavesEachRecordOnceInItsTable) {
  options_.checkpoint_interval = 2;
  // Dying after a call and before the next is nearly the same: all calls in turn for neither.
  const std::int64_t stride = GetParam() == Fuse::Burns::kBefore ? 2 : 3;
  std::int64_t calls = 0;
  for (bool died = true; died; calls += stride) {
    ASSERT_LT(calls, 100) << "the work never ends without a call to the fuse";
    begin_anew(fmt::format("after{}", calls));
    fuse_.set(calls, GetParam());
    for (int i = 0; i < 2; ++i) {
      append(6);
      turn();
    }
    died = fuse_.burnt();
    fuse_.disarm();
    start();
    append(2);
    turn();
    expect_all_once();
  }
  EXPECT_GT(calls, 20);
}

TEST_P(LaneCrash, OutlivesAStoreThatComesAndGoes) {
  for (std::int64_t calls = 0; calls < 12; ++calls) {
    append(6);
    fuse_.set(calls, GetParam());
    turn(2);
    fuse_.disarm();
    clock_.advance(30s);
    turn();
  }
  clock_.advance(30s);
  turn(2);
  expect_all_once();
  EXPECT_EQ(lane_->status().error, "");
  EXPECT_NE(lane_->status().last_error, "");
}

INSTANTIATE_TEST_SUITE_P(, LaneCrash, ::testing::Values(Fuse::Burns::kBefore, Fuse::Burns::kAfter),
                         [](const auto& info) {
                           return info.param == Fuse::Burns::kBefore ? "BeforeACall" : "AfterACall";
                         });

}  // namespace
}  // namespace pinflow::stream
