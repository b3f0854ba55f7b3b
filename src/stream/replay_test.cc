#include "stream/replay.h"

#include <gmock/gmock.h>

#include "sink/testing/faults.h"
#include "stream/internal/kind_lane.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream {
namespace {

using namespace std::chrono_literals;
using sink::testing::Fuse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr WallTime kTime = log::MemoryLog::kTime;

class Replay : public LaneFixture {
 protected:
  Replay() {
    lane_options_.max_batch_records = 7;
    make_topic(stream_, 2);
    options_.into = "again";
  }
  // Records 0 to count-1 of a partition, one a second; each tenth is no row.
  void append(std::int32_t partition, int count) {
    for (int i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets({stream_, log::PartitionId(partition)})->end.value();
      log_.append(stream_, partition,
                  {offset % 10 == 9 ? "no row" : fmt::format(R"({{"index":{},"category":"art"}})", offset)},
                  kTime + std::chrono::seconds(offset));
    }
  }
  StreamContext context(log::Log& log, objects::ObjectStore& store) {
    return {log, store, *engine_, statements_, clock_, logger_};
  }
  Result<ReplayReport> run(log::Log& log, objects::ObjectStore& store, const std::stop_token& stop = {}) {
    return replay(options_, lane_options_, context(log, store), Random(++seed_), stop);
  }
  Result<ReplayReport> run() { return run(log_, *store_); }

  StreamOptions lane_options_{.pipeline_id = "p1"};
  ReplayOptions options_{.range = "a to b"};
  const std::string stream_ = lane_options_.names.stream(records::Kind::kPin);
  ManualClock clock_;
  std::uint64_t seed_ = 0;
};

TEST_F(Replay, TakesARangeOfOffsetsOfEachPartition) {
  append(0, 30);
  append(1, 12);
  options_.from = log::Offset(8);
  options_.to = log::Offset(14);
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(places("again"), ElementsAre("0:8", "0:10", "0:11", "0:12", "0:13", "1:8", "1:10", "1:11"));
  EXPECT_THAT(places("again_dead_letters"), ElementsAre("0:9", "1:9"));
  EXPECT_EQ(report->rows, 8);
  EXPECT_EQ(report->records, 10u);
  EXPECT_EQ(report->dead_letters, 2u);
}

TEST_F(Replay, TakesARangeOfTime) {
  append(0, 30);
  options_.from = kTime + 3s;
  options_.to = kTime + 6s;
  ASSERT_TRUE(run());
  EXPECT_THAT(places("again"), ElementsAre("0:3", "0:4", "0:5"));
}

TEST_F(Replay, GivesTheRowsThatTheLaneGaveAndLeavesItsTableAlone) {
  append(0, 25);
  std::stop_source stopped;
  stopped.request_stop();
  internal::BatchBudget budget(lane_options_.batch_memory, 1);
  internal::KindLane lane(records::Kind::kPin, lane_options_, context(log_, *store_), Random(1), budget);
  for (int i = 0; i < 6; ++i) {
    lane.prepare();
    lane.fetch(stopped.get_token());
    lane.commit();
  }
  const std::string table = lane_options_.names.table(records::Kind::kPin);
  const auto before = rows(table, "SELECT * FROM t ORDER BY source_offset");
  ASSERT_EQ(before.size(), 23u);
  ASSERT_TRUE(run());
  EXPECT_EQ(rows("again", "SELECT * FROM t ORDER BY source_offset"), before);
  EXPECT_EQ(rows(table, "SELECT * FROM t ORDER BY source_offset"), before);
}

TEST_F(Replay, OfNothingMakesAnEmptyTable) {
  append(0, 3);
  options_.from = Latest{};
  const auto report = run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->rows, 0);
  EXPECT_EQ(places("again").size(), 0u);
}

TEST_F(Replay, DoneTwiceDoublesNothingAndTakesWhatCameSinceToTheLatest) {
  append(0, 20);
  ASSERT_TRUE(run());
  append(0, 5);
  const auto again = run();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->records, 5u);
  EXPECT_EQ(places("again").size() + places("again_dead_letters").size(), 25u);
}

TEST_F(Replay, RefusesTablesThatHoldOtherRows) {
  append(0, 5);
  ASSERT_TRUE(run());
  options_.range = "c to d";
  const auto other = run();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(other.error().message, HasSubstr("holds other rows"));
  for (const char* table : {"pinterest_pin_table", "pinterest_geo_table", "dead_letters"}) {
    options_.into = table;
    EXPECT_FALSE(run()) << table;
  }
  options_.into = "new";
  options_.kind = records::Kind::kUser;
  EXPECT_EQ(run().error().code, ErrorCode::kNotFound) << "there is no such stream";
}

// Dies before or after each call to log and store, once after another, and is called again.
class ReplayCrash : public Replay, public ::testing::WithParamInterface<Fuse::Burns> {};

TEST_P(ReplayCrash, GoesOnWithTheSameCall) {
  append(0, 30);
  append(1, 12);
  options_.from = log::Offset(4);
  options_.to = log::Offset(25);
  lane_options_.batches_at_once = 1;  // The calls come in one order.
  std::int64_t calls = 0;
  for (bool died = true; died; calls += 11) {
    ASSERT_LT(calls, 200) << "the work never ends without a call to the fuse";
    options_.into = fmt::format("after{}", calls);
    Fuse fuse;
    fuse.set(calls, GetParam());
    sink::testing::FusedLog log(log_, fuse);
    sink::testing::FusedStore store(*store_, fuse);
    (void)run(log, store);
    died = fuse.burnt();
    const auto again = run();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(places(options_.into).size(), 19u + 7u);
    EXPECT_EQ(rows(options_.into, "SELECT DISTINCT source_partition, source_offset FROM t").size(), 26u);
    EXPECT_EQ(places(options_.into + "_dead_letters").size(), 3u);
  }
  EXPECT_GT(calls, 40);
}

INSTANTIATE_TEST_SUITE_P(, ReplayCrash, ::testing::Values(Fuse::Burns::kBefore, Fuse::Burns::kAfter),
                         [](const auto& info) {
                           return info.param == Fuse::Burns::kBefore ? "BeforeACall" : "AfterACall";
                         });

TEST(Positions, AreReadAsPeopleWriteThem) {
  EXPECT_TRUE(std::holds_alternative<Earliest>(*parse_position("earliest")));
  EXPECT_TRUE(std::holds_alternative<Latest>(*parse_position("latest")));
  EXPECT_EQ(std::get<log::Offset>(*parse_position("42")), log::Offset(42));
  EXPECT_EQ(std::get<WallTime>(*parse_position("2023-11-14T22:13:20Z")), kTime);
  for (const char* text : {"", "-1", "1x", "first", "2023-11-14", "2023-11-14T22:13:20"}) {
    EXPECT_FALSE(parse_position(text)) << text;
  }
}

}  // namespace
}  // namespace pinflow::stream
