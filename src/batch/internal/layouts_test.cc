// The real sink under all of its layouts, and what the batch finds and reads of them, run after run.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "batch/internal/object_reader.h"
#include "batch/internal/planned_objects.h"
#include "batch/internal/sunk_objects.h"
#include "log/testing/memory_log.h"
#include "sink/testing/faults.h"
#include "sink/testing/memory_store.h"
#include "sink/testing/stepped_sink.h"
#include "sql/engine.h"

namespace pinflow::batch::internal {
namespace {

using namespace std::chrono_literals;
using sink::PartitionerKind;
using sink::SinkOptions;
using sink::testing::Fuse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const log::TopicPartition kPin{"pinterest.pin", log::PartitionId(0)};

SinkOptions settings(void (*change)(SinkOptions&)) {
  SinkOptions options{.topics = {"pinterest.*"}, .flush_size = 6};
  change(options);
  return options;
}

const std::map<std::string, SinkOptions>& layouts() {
  static const std::map<std::string, SinkOptions> layouts = {
      {"default", settings([](SinkOptions&) {})},
      {"one record each", settings([](SinkOptions& o) { o.flush_size = 1; })},
      {"gzip", settings([](SinkOptions& o) { o.compression = sink::Compression::kGzip; })},
      {"other names", settings([](SinkOptions& o) { o.names = {"raw/topics", "-", 1}; })},
      {"field", settings([](SinkOptions& o) {
         o.partitioner.kind = PartitionerKind::kField;
         o.partitioner.fields = {"country"};
       })},
      {"field called partition", settings([](SinkOptions& o) {
         o.partitioner.kind = PartitionerKind::kField;
         o.partitioner.fields = {"partition"};
         o.names.pad = 2;
       })},
      {"hourly", settings([](SinkOptions& o) {
         o.partitioner.kind = PartitionerKind::kHourly;
         o.partitioner.extractor = sink::TimestampExtractor::kRecordField;
         o.compression = sink::Compression::kZstd;
       })},
  };
  return layouts;
}

class Layouts : public ::testing::Test {
 protected:
  Layouts() { EXPECT_TRUE(log_.create_topic({kPin.topic, 1, {}})); }

  // Each record tells its own offset, as a row does by its index, and one that is no row by its bytes.
  void append(std::int64_t count) {
    static constexpr std::array kCountries = {"NL", "Peru", "NL", "Chad"};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t offset = log_.offsets(kPin)->end.value();
      const auto u = static_cast<std::size_t>(offset);
      log_.append(kPin.topic, 0,
                  {offset % 7 == 3 ? fmt::format("bad {}", offset)
                                   : fmt::format(R"({{"index":{},"country":"{}","partition":{},"timestamp":{}}})",
                                                 offset, kCountries[u * u / 3 % 4], u * u / 5 % 3,
                                                 1'700'000'000'000 + offset % 3 * 3'600'000)});
      ++appended_;
    }
  }
  void start(const std::string& layout) {
    sink_.emplace(layouts().at(layout), fused_log_, fused_store_, clock_, logger_);
  }
  void sink_all() { sink_->turn_to_the_end(kPin); }

  // What a run does: lists what is behind its table, reads it, and moves on.
  ObjectList take_in() {
    ObjectList list = list_objects(store_, {}, loaded_).value();
    LoadedThrough reached = list.planned;
    ObjectReader reader(store_, list.objects, {.topics = {}, .readers = 1, .slice_rows = 50});
    for (;;) {
      auto slice = reader.next({});
      EXPECT_TRUE(slice) << slice.error().message;
      if (!slice || !*slice) break;
      for (const auto& [partition, last] : (*slice)->last_offsets)
        reached[partition].through = std::max(reached[partition].through, last);
      for (const auto& [place, reason] : (*slice)->skipped) list.skipped.add(reason, list.objects[place].info.name);
      note(**slice);
    }
    for (const auto& [partition, position] : reached) {
      Position& at = loaded_[partition];
      at = {std::max(at.through, position.through), std::max(at.plan, position.plan)};
    }
    return list;
  }
  void note(const Slice& slice) {
    const auto column = [](const ColumnBatch& batch, std::string_view name) -> const Column& {
      return *std::ranges::find(batch.columns(), name, &Column::name);
    };
    if (slice.rows) {
      const ColumnBatch& batch = slice.rows->batch();
      for (std::size_t row = 0; row < batch.rows(); ++row) {
        const std::int64_t offset = column(batch, "source_offset").integer_at(row);
        EXPECT_EQ(batch.columns()[0].integer_at(row), offset);
        ++seen_[offset];
      }
    }
    if (slice.dead_letters) {
      const ColumnBatch& batch = slice.dead_letters->batch();
      for (std::size_t row = 0; row < batch.rows(); ++row) {
        const std::int64_t offset = column(batch, "source_offset").integer_at(row);
        EXPECT_EQ(column(batch, "raw").text_at(row), fmt::format("bad {}", offset));
        ++seen_[offset];
      }
    }
  }
  void expect_each_once() {
    for (const auto& [offset, times] : seen_) EXPECT_EQ(times, 1) << "offset " << offset;
    EXPECT_EQ(seen_.size(), appended_);
  }

  log::MemoryLog log_;
  sink::testing::MemoryStore store_;
  Fuse fuse_;
  sink::testing::FusedLog fused_log_{log_, fuse_};
  sink::testing::FusedStore fused_store_{store_, fuse_};
  ManualClock clock_;
  NullLogger logger_;
  std::optional<sink::testing::SteppedSink> sink_;
  LoadedThrough loaded_;
  std::map<std::int64_t, int> seen_;
  std::size_t appended_ = 0;
};

TEST_F(Layouts, AreReadWhicheverTheSinkWrites) {
  for (const auto& [name, options] : layouts()) {
    SCOPED_TRACE(name);
    append(20);
    start(name);
    sink_all();
    EXPECT_THAT(take_in().odd, IsEmpty());
    expect_each_once();
    EXPECT_TRUE(take_in().objects.empty());
  }
}

TEST_F(Layouts, AFolderWithALowerOffsetThatComesLaterIsRead) {
  start("field");
  append(12);
  sink_->turn();  // Only the folder that is full: six of NL, the last of all among them.
  take_in();
  ASSERT_EQ(seen_.size(), 6U);
  EXPECT_TRUE(seen_.contains(11));
  EXPECT_FALSE(seen_.contains(2));
  sink_all();
  take_in();
  expect_each_once();
}

// The sink dies at any call, comes back under other settings, and the batch reads at any moment between.
TEST_F(Layouts, AreReadOnceThroughDeathsAndOtherSettings) {
  std::vector<std::string> names;
  for (const auto& [name, options] : layouts()) names.push_back(name);
  Random random(11);
  for (int round = 0; round < 400; ++round) {
    append(static_cast<std::int64_t>(random.below(12)));
    if (random.chance(0.1)) log_.skip_offsets(kPin.topic, 0, 1 + static_cast<std::int64_t>(random.below(3)));
    if (!sink_ || random.chance(0.25)) {
      // Without plan only in the beginning: once planned, always planned.
      start(round < 40 ? "default" : names[random.below(names.size())]);
    }
    if (random.chance(0.6))
      fuse_.set(static_cast<std::int64_t>(random.below(40)),
                random.chance(0.5) ? Fuse::Burns::kBefore : Fuse::Burns::kAfter);
    random.chance(0.3) ? sink_all() : sink_->turn();
    const bool burnt = fuse_.burnt();
    fuse_.disarm();
    if (random.chance(0.5)) take_in();
    if (burnt) sink_.reset();
    if (random.chance(0.3)) clock_.advance(6s);
  }
  start("field");
  sink_all();
  sink_all();
  EXPECT_THAT(take_in().odd, IsEmpty());
  expect_each_once();
  EXPECT_GT(loaded_[kPin].plan, 50);
}

TEST_F(Layouts, OnlyNewPlansAreRead) {
  start("hourly");
  for (int i = 0; i < 30; ++i) {
    append(9);
    sink_all();
    take_in();
  }
  const auto plan = [](std::int64_t number) {
    return fmt::format("pinflow/sink/plans/pinterest.pin/0/{:017}/{:020}.plan", number / 1000, number);
  };
  // What lies before the position, plans and objects, is not looked at again.
  for (std::int64_t number = 1; number < loaded_[kPin].plan; ++number) EXPECT_TRUE(store_.remove(plan(number)));
  append(9);
  sink_all();
  const ObjectList list = take_in();
  EXPECT_THAT(list.odd, IsEmpty());
  EXPECT_LE(list.objects.size(), 6U);
  expect_each_once();
}

TEST_F(Layouts, WhatIsMissingIsTold) {
  start("field");
  for (int i = 0; i < 4; ++i) {
    append(9);
    sink_all();
  }
  const std::string gone = store_.list("topics/", {}, 1)->front().name;
  EXPECT_TRUE(store_.remove(gone));
  EXPECT_TRUE(store_.remove("pinflow/sink/plans/pinterest.pin/0/00000000000000000/00000000000000000001.plan"));
  const ObjectList list = take_in();
  ASSERT_FALSE(list.odd.empty());
  EXPECT_EQ(list.odd[0].first, "pinterest.pin/0");
  EXPECT_THAT(list.odd[0].second, HasSubstr("plans before number 2 are gone"));
  EXPECT_GT(list.skipped.reasons.at("in a folder by field or time, and in no plan of the sink's").count, 0U);
  // Told once: the objects of plans that are gone are not listed again.
  EXPECT_THAT(take_in().odd, IsEmpty());
}

TEST_F(Layouts, AnObjectOfAPlanThatWasRemovedIsTold) {
  start("field");
  append(9);
  sink_all();
  const std::string gone = store_.list("topics/", {}, 1)->front().name;
  append(9);
  sink_all();
  EXPECT_TRUE(store_.remove(gone));
  const ObjectList list = take_in();
  ASSERT_EQ(list.odd.size(), 1U);
  EXPECT_THAT(list.odd[0].second, HasSubstr(gone));
}

TEST_F(Layouts, ThatBeginAnewAreNotTakenForTheOldOnes) {
  start("field");
  for (int i = 0; i < 3; ++i) {
    append(9);
    sink_all();
  }
  take_in();
  sink_.reset();
  for (const auto& object : *store_.list("", {}, SIZE_MAX)) EXPECT_TRUE(store_.remove(object.name));
  EXPECT_THAT(take_in().odd[0].second, HasSubstr("all plans of the sink are gone"));
  start("field");
  append(9);
  sink_all();
  const auto refused = list_objects(store_, {}, loaded_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(refused.error().message, HasSubstr("--rebuild"));
}

// What the S3 sink connector puts under the same name: the record's own columns.
TEST_F(Layouts, AParquetObjectOfAnotherToolIsLeftAloneAndOthersAreRead) {
  std::string folder = (std::filesystem::temp_directory_path() / "pinflow_layouts_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string file = folder + "/foreign.parquet";
  const auto session = sql::open_engine({})->get()->connect().value();
  const auto object_of = [&](const std::string& select) {
    EXPECT_TRUE(session->run(fmt::format("COPY ({}) TO '{}' (FORMAT parquet)", select, file)));
    std::ifstream stream(file, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(stream), {}};
  };
  const std::string prefix = "topics/pinterest.pin/partition=0/pinterest.pin+0+";
  EXPECT_TRUE(store_.put(prefix + "0000000000.snappy.parquet", object_of("SELECT 7 AS index, 'a' AS category")));
  EXPECT_TRUE(store_.put(prefix + "0000000001.parquet",
                         object_of(R"(SELECT 1::BIGINT AS "offset", '{"index":1}' AS "value")")));
  EXPECT_TRUE(store_.put(prefix + "0000000002.json", "{\"index\":2}\n"));
  std::filesystem::remove_all(folder);
  const ObjectList list = take_in();
  EXPECT_EQ(list.objects.size(), 3U);
  ASSERT_EQ(list.skipped.reasons.size(), 1U);
  EXPECT_THAT(list.skipped.reasons.begin()->first, HasSubstr("without the columns offset and value"));
  EXPECT_EQ(list.skipped.count(), 1U);
  EXPECT_EQ(seen_, (std::map<std::int64_t, int>{{1, 1}, {2, 1}}));
  // A damaged one is not passed over.
  EXPECT_TRUE(store_.put(prefix + "0000000003.parquet", "PAR1 and no more"));
  const ObjectList damaged = list_objects(store_, {}, loaded_).value();
  ObjectReader reader(store_, damaged.objects, {});
  const auto read = reader.next({});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(read.error().message, HasSubstr("0000000003.parquet"));
}

// They lie in one folder with those without plan, and a first run meets both.
TEST_F(Layouts, PlannedObjectsOfTheDefaultFolderAreReadOnce) {
  for (const char* layout : {"default", "gzip", "one record each"}) {
    append(15);
    start(layout);
    sink_all();
  }
  take_in();
  expect_each_once();
  EXPECT_TRUE(take_in().objects.empty());
}

TEST_F(Layouts, RecordsThatLeftTheLogBeforeTheirObjectWasPutMoveNoOther) {
  sink::Plan plan{.number = 1, .high = log::Offset(9), .open = {}, .objects = {}};
  plan.objects.push_back({"topics/pinterest.pin/country=NL/pinterest.pin+0+0000000000.json", {}});
  for (const std::int64_t offset : {0, 2, 5, 6}) plan.objects[0].offsets.append(log::Offset(offset));
  ASSERT_TRUE(sink::PlanBook(store_, kPin).add(plan));
  EXPECT_TRUE(take_in().objects.empty()) << "its object is not there yet";
  ASSERT_TRUE(store_.put(plan.objects[0].name, "{\"index\":5}\n{\"index\":6}\n"));
  take_in();
  EXPECT_EQ(seen_, (std::map<std::int64_t, int>{{5, 1}, {6, 1}}));
}

TEST_F(Layouts, AnObjectWithMoreLinesThanItsPlanNamesIsLeftAlone) {
  sink::Plan plan{.number = 1, .high = log::Offset(9), .open = {}, .objects = {}};
  plan.objects.push_back({"topics/pinterest.pin/country=NL/pinterest.pin+0+0000000005.json", {}});
  plan.objects[0].offsets.append(log::Offset(5));
  ASSERT_TRUE(sink::PlanBook(store_, kPin).add(plan));
  ASSERT_TRUE(store_.put(plan.objects[0].name, "{\"index\":5}\n{\"index\":6}\n"));
  EXPECT_EQ(take_in().skipped.reasons.at("more lines than its plan names").count, 1U);
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace pinflow::batch::internal
