#include "sink/partitioner.h"

#include <gtest/gtest.h>

#include "sink/internal/offset_runs.h"
#include "sink/internal/plan.h"
#include "sink/object_name.h"
#include "sink/testing/memory_store.h"

namespace pinflow::sink {
namespace {

using namespace std::chrono_literals;

std::string place(const PartitionerOptions& options, const std::string& value, std::int64_t time = 1'700'000'000'000) {
  const auto partitioner = Partitioner::make(options);
  if (!partitioner) return partitioner.error().message;
  log::StoredRecord record{log::Offset(1), WallTime(std::chrono::milliseconds(time)), {}, value, {}};
  return (*partitioner)->place(log::PartitionId(3), record, WallTime(0ms)).path;
}

PartitionerOptions by_path(std::string format, std::string zone = "UTC", std::chrono::milliseconds duration = 1h) {
  return {.kind = PartitionerKind::kTimeBased,
          .path_format = std::move(format),
          .partition_duration = duration,
          .timezone = std::move(zone)};
}

TEST(Partitioner, FormatsTimesAsJodaDoes) {
  EXPECT_EQ(place({}, "{}"), "partition=3");
  EXPECT_EQ(place({.kind = PartitionerKind::kHourly}, "{}"), "year=2023/month=11/day=14/hour=22");
  EXPECT_EQ(place({.kind = PartitionerKind::kDaily, .timezone = "Asia/Tokyo"}, "{}"), "year=2023/month=11/day=15");
  EXPECT_EQ(place(by_path("'dt'=YYYY-MM-dd'T'HHmm EEE MMMM D", "UTC", 1min), "{}"),
            "dt=2023-11-14T2213 Tue November 318");
  EXPECT_EQ(place(by_path("yy/M/d/H/h a/''k''", "UTC"), "{}"), "23/11/14/22/10 PM/'22'");
  EXPECT_EQ(place(by_path("HH-mm", "UTC", 10min), "{}"), "22-10");
  EXPECT_NE(place(by_path("'year'=QQ"), "{}").find("letter Q"), std::string::npos);
  EXPECT_NE(place(by_path("/YYYY"), "{}").find("without a name"), std::string::npos);
}

TEST(Partitioner, TakesTimesFromFields) {
  PartitionerOptions options = by_path("YYYY-MM-dd-HH");
  options.extractor = TimestampExtractor::kRecordField;
  options.timestamp_field = "a.at";
  EXPECT_EQ(place(options, R"({"a":{"at":1600000000000}})"), "2020-09-13-12");
  EXPECT_EQ(place(options, R"({"a":{"at":"2021-02-03T04:05:06Z"}})"), "2021-02-03-04");
  EXPECT_EQ(place(options, R"({"a":{"at":"2021-02-03 04:05:06"}})"), "2021-02-03-04");
  EXPECT_EQ(place(options, R"({"a":{}})"), "2023-11-14-22") << "the record's own where there is none";
}

TEST(Partitioner, FoldersOfFieldsNeverCollide) {
  const PartitionerOptions options{.kind = PartitionerKind::kField, .fields = {"a", "b"}};
  EXPECT_EQ(place(options, R"({"a":"x/y","b":7})"), "a=x%2Fy/b=7");
  EXPECT_EQ(place(options, R"({"a":"x%2Fy","b":true})"), "a=x%252Fy/b=true");
  EXPECT_EQ(place(options, "no json"), "a=null/b=null");
}

TEST(OffsetRuns, ComeBackFromTheirText) {
  internal::OffsetRuns runs;
  for (const std::int64_t offset : {0, 1, 2, 5, 9, 10}) runs.append(log::Offset(offset));
  std::string text;
  runs.append_text(text);
  EXPECT_EQ(internal::OffsetRuns::parse(text), runs) << text;
  EXPECT_TRUE(runs.contains(log::Offset(2)));
  EXPECT_FALSE(runs.contains(log::Offset(3)));
  runs.drop_below(log::Offset(10));
  EXPECT_EQ(runs.count(), 1);
  for (const char* const wrong : {"", "1", "1+", "1+0", "1+2,", "-1+2", "1+2x", "9223372036854775807+1"})
    EXPECT_FALSE(internal::OffsetRuns::parse(wrong)) << wrong;
}

TEST(PlanBook, GivesEachNumberToOneWriterAlsoWhereOldPlansAreGone) {
  testing::MemoryStore store;
  internal::PlanBook book(store, {"t", log::PartitionId(0)});
  internal::Plan plan{.number = 1, .high = log::Offset(7), .open = {}, .objects = {}};
  ASSERT_TRUE(book.add(plan));
  EXPECT_EQ(book.add(plan).error().code, ErrorCode::kConflict);
  plan.number = 2;
  ASSERT_TRUE(book.add(plan));
  book.remove(1);
  plan.number = 1;
  EXPECT_EQ(book.add(plan).error().code, ErrorCode::kConflict) << "its name is free again, but it is late";
  EXPECT_EQ(book.last()->value().number, 2);
}

TEST(ObjectName, OfEachFormIsReadBack) {
  for (const NameForm& form : {NameForm{}, NameForm{"raw/topics", "-", 4}, NameForm{"", "_", 0}}) {
    for (const Compression compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
      for (const Format format : {Format::kJson, Format::kParquet}) {
        const ObjectName name{
            {"a-b_c.pin", log::PartitionId(2)}, log::Offset(41), "year=2026/month=11", format, compression};
        const auto read = parse_object_name(object_name(name, form), form);
        ASSERT_TRUE(read) << object_name(name, form);
        EXPECT_EQ(read->partition, name.partition);
        EXPECT_EQ(read->first, name.first);
        EXPECT_EQ(read->path, name.path);
        EXPECT_EQ(read->format, format);
        EXPECT_EQ(read->compression, compression);
      }
    }
  }
}

}  // namespace
}  // namespace pinflow::sink
