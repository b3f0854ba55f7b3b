#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "sink/internal/worker.h"
#include "sink/object_bytes.h"
#include "sink/testing/sunk.h"
#include "sink/testing/worker_fixture.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Fuse;

const log::TopicPartition kPin{"pinterest.pin", log::PartitionId(0)};

struct Shape {
  std::string name;
  SinkOptions options;
};

// Settings under which objects are planned before they are put.
std::vector<Shape> shapes() {
  const SinkOptions base{.topics = {"pinterest.*"}, .flush_size = 10};
  std::vector<Shape> shapes;
  const auto add = [&](std::string name, auto change) {
    shapes.push_back({std::move(name), base});
    change(shapes.back().options);
  };
  add("OneRecordEach", [](SinkOptions& o) { o.flush_size = 1; });
  add("Field", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kField;
    o.partitioner.fields = {"country"};
  });
  add("HourlyByField", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kHourly;
    o.partitioner.extractor = TimestampExtractor::kRecordField;
    o.partitioner.timezone = "Europe/Berlin";
  });
  add("DailyByRecord", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kDaily;
    o.rotate_record_interval = 1h;
  });
  add("Wallclock", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kTimeBased;
    o.partitioner.path_format = "'at'=mm-ss";
    o.partitioner.partition_duration = 1s;
    o.partitioner.extractor = TimestampExtractor::kWallclock;
  });
  add("Scheduled", [](SinkOptions& o) { o.rotate_schedule_interval = 2s; });
  add("Gzip", [](SinkOptions& o) { o.compression = Compression::kGzip; });
  add("FieldZstd", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kField;
    o.partitioner.fields = {"country", "ind"};
    o.compression = Compression::kZstd;
    o.max_open_objects = 4;
  });
  add("HourlyParquet", [](SinkOptions& o) {
    o.partitioner.kind = PartitionerKind::kHourly;
    o.format = Format::kParquet;
    o.compression = Compression::kSnappy;
  });
  return shapes;
}

class PlannedSink : public testing::WorkerFixture {
 protected:
  PlannedSink() { EXPECT_TRUE(log_.create_topic({kPin.topic, 1, {}})); }
  void append(std::int64_t count) {
    static constexpr std::array kCountries = {"NL", "Côte d'Ivoire", "a/b", "NL", "NL"};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets(kPin)->end.value();
      log_.append(kPin.topic, 0,
                  {fmt::format(R"({{"ind":{},"country":"{}","timestamp":{}}})", offset,
                               kCountries[static_cast<std::size_t>(offset) % 5],
                               1'700'000'000'000 + offset % 3 * 3'600'000 + offset * 60'000)});
      wanted_.insert(offset);
    }
  }
  void want_all_now() { targets_[kPin] = log_.offsets(kPin)->end; }
  std::vector<std::string> objects() {
    std::vector<std::string> names;
    for (const auto& object : *store_.list("topics/", {}, SIZE_MAX))
      names.push_back(object.name.substr(std::string("topics/pinterest.pin/").size()));
    return names;
  }
  std::vector<std::string> plans() {
    std::vector<std::string> names;
    for (const auto& object : *store_.list("pinflow/sink/plans/", {}, SIZE_MAX)) names.push_back(object.name);
    return names;
  }
  void expect_all_sunk_once(const NameForm& form = {}) {
    std::map<std::int64_t, int> seen;
    for (const auto& object : *store_.list(form.topics_dir + "/", {}, SIZE_MAX)) {
      const auto name = parse_object_name(object.name, form);
      ASSERT_TRUE(name) << object.name;
      std::string lines = *object_lines(*name, *store_.get(object.name));
      EXPECT_TRUE(lines.starts_with(fmt::format(R"({{"ind":{},)", name->first))) << object.name << "\n" << lines;
      for (std::size_t at = 0; (at = lines.find(R"({"ind":)", at)) != std::string::npos; ++at)
        ++seen[std::stoll(lines.substr(at + 7))];
    }
    for (const auto& [offset, times] : seen) EXPECT_EQ(times, 1) << "of offset " << offset;
    for (const std::int64_t offset : wanted_) EXPECT_TRUE(seen.contains(offset)) << "offset " << offset;
    EXPECT_EQ(seen.size(), wanted_.size());
  }

  std::set<std::int64_t> wanted_;
};

TEST_F(PlannedSink, PutsRecordsBelowTheFolderOfTheirField) {
  start(shapes()[1].options);
  append(7);
  want_all_now();
  turn();
  EXPECT_THAT(objects(), ElementsAre("country=C%C3%B4te%20d%27Ivoire/pinterest.pin+0+0000000001.json",
                                     "country=NL/pinterest.pin+0+0000000000.json",
                                     "country=a%2Fb/pinterest.pin+0+0000000002.json"));
  expect_all_sunk_once();
}

TEST_F(PlannedSink, KeepsAllPlans) {
  start(shapes()[0].options);
  for (int i = 0; i < 3; ++i) {
    append(20);
    turn();
  }
  EXPECT_THAT(plans(), ElementsAre("pinflow/sink/plans/pinterest.pin/0/00000000000000000/00000000000000000001.plan",
                                   "pinflow/sink/plans/pinterest.pin/0/00000000000000000/00000000000000000002.plan",
                                   "pinflow/sink/plans/pinterest.pin/0/00000000000000000/00000000000000000003.plan"));
  EXPECT_EQ(objects().size(), 60u);
  expect_all_sunk_once();
}

TEST_F(PlannedSink, ClosesAQuietTopicsObjectAtTheScheduledTime) {
  SinkOptions options = shapes()[5].options;
  options.rotate_schedule_interval = 1h;
  options.rotate_interval = 24h * 365;
  options.partitioner.timezone = "Asia/Kolkata";  // Half an hour beside UTC: the schedule is that of its clocks.
  start(options);
  clock_.jump_wall(WallTime(1'700'000'000'000ms) - clock_.now());  // 22:13:20 UTC, 03:43:20 there.
  append(3);
  turn();
  clock_.advance(16min + 39s);
  turn();
  EXPECT_TRUE(objects().empty());
  clock_.advance(1s);
  turn();
  EXPECT_EQ(objects().size(), 1u);
}

TEST_F(PlannedSink, GoesOnBehindTheObjectsOfASinkWithoutPlans) {
  start({.topics = {"pinterest.*"}, .flush_size = 10});
  append(25);
  turn();
  EXPECT_EQ(objects().size(), 2u);
  EXPECT_TRUE(plans().empty());
  start(shapes()[2].options);
  want_all_now();
  turn();
  expect_all_sunk_once();
  EXPECT_GT(objects().size(), 2u);
  // And the other way: once planned, always planned.
  append(25);
  start({.topics = {"pinterest.*"}, .flush_size = 10});
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

TEST_F(PlannedSink, StopsAtObjectsOfOthersWithoutAPlan) {
  ASSERT_TRUE(store_.put("topics/pinterest.pin/year=2026/pinterest.pin+0+0000000000.json", "{\"ind\":0,}\n"));
  append(3);
  start(shapes()[2].options);
  want_all_now();
  turn();
  EXPECT_EQ(objects().size(), 1u);
  EXPECT_NE(worker_->status().partitions.at(0).error.find("another sink"), std::string::npos);
}

TEST_F(PlannedSink, LeavesNoHoleBetweenObjectsOfAPartition) {
  for (std::int64_t calls = 0; calls < 30; ++calls) {
    append(4);
    start(shapes()[0].options);
    fuse_.set(calls, Fuse::Burns::kBefore);
    turn(2);
    fuse_.disarm();
    const auto names = objects();
    for (std::size_t i = 0; i < names.size(); ++i)
      EXPECT_EQ(names[i], fmt::format("partition=0/pinterest.pin+0+{:010}.json", i));
  }
}

TEST_F(PlannedSink, PutsParquetWhoseLinesAreThoseOfJson) {
  const SinkOptions options = shapes()[8].options;
  start(options);
  append(7);
  want_all_now();
  fuse_.set(6, Fuse::Burns::kBefore);  // The plan is there, its objects are not all.
  turn(2);
  EXPECT_TRUE(fuse_.burnt());
  fuse_.disarm();
  start(options);
  turn(2);
  expect_all_sunk_once();
  for (const std::string& name : objects()) EXPECT_TRUE(name.ends_with(".snappy.parquet")) << name;
}

class PlannedSinkShapes : public PlannedSink,
                          public ::testing::WithParamInterface<std::tuple<std::size_t, Fuse::Burns>> {
 protected:
  const Shape shape_ = shapes()[std::get<0>(GetParam())];
};

// Dies before or after each call to log and store, once after another, and starts again.
TEST_P(PlannedSinkShapes, LeavesEachRecordInExactlyOneObjectThroughDeaths) {
  bool finished = false;
  std::int64_t deaths = 0;
  for (std::int64_t calls = 0; !finished; ++calls) {
    ASSERT_LT(calls, 400) << "the work never ends without a call to the fuse";
    append(9);
    log_.skip_offsets(kPin.topic, 0, calls % 3);
    append(5);
    start(shape_.options);
    fuse_.set(calls, std::get<1>(GetParam()));
    turn(2);
    clock_.advance(1s);
    append(3);
    turn(2);
    want_all_now();
    turn(2);
    finished = !fuse_.burnt();
    deaths += fuse_.burnt() ? 1 : 0;
    fuse_.disarm();
    start(shape_.options);
    turn(1 + static_cast<int>(calls % 2));
    targets_.clear();
    clock_.advance(std::chrono::seconds(calls % 4));
  }
  EXPECT_GT(deaths, 8);
  start(shape_.options);
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

TEST_P(PlannedSinkShapes, TwoAtOncePutEachRecordOnce) {
  append(7);
  start(shape_.options);
  SinkOptions other_options = shape_.options;
  if (other_options.flush_size > 1) other_options.flush_size = 3;
  internal::Worker other(other_options, log_, store_, clock_, logger_);
  Random random(3);
  for (int i = 0; i < 300; ++i) {
    append(static_cast<std::int64_t>(random.below(6)));
    internal::Worker& one = random.chance(0.5) ? other : *worker_;
    want_all_now();
    turn(one, random.chance(0.2) ? targets_ : internal::Targets());
    if (random.chance(0.05)) clock_.advance(5s);
    if (random.chance(0.03)) start(shape_.options);
  }
  want_all_now();
  for (int i = 0; i < 4; ++i) {
    turn();
    turn(other, targets_);
  }
  expect_all_sunk_once();
}

TEST_P(PlannedSinkShapes, OutlivesAStoreThatComesAndGoes) {
  start(shape_.options);
  for (std::int64_t calls = 0; calls < 12; ++calls) {
    append(23);
    fuse_.set(calls, std::get<1>(GetParam()));
    for (int i = 0; i < 4; ++i) {
      turn();
      clock_.advance(1s);
    }
    fuse_.disarm();
    clock_.advance(30s);
    turn();
  }
  want_all_now();
  turn(2);
  expect_all_sunk_once();
}

INSTANTIATE_TEST_SUITE_P(, PlannedSinkShapes,
                         ::testing::Combine(::testing::Range<std::size_t>(0, 8),
                                            ::testing::Values(Fuse::Burns::kBefore, Fuse::Burns::kAfter)),
                         [](const auto& info) {
                           return shapes()[std::get<0>(info.param)].name +
                                  (std::get<1>(info.param) == Fuse::Burns::kBefore ? "BeforeACall" : "AfterACall");
                         });

}  // namespace
}  // namespace pinflow::sink
