#include "sink/partitioner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sink/object_name.h"
#include "sink/offset_runs.h"
#include "sink/plan.h"
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
  OffsetRuns runs;
  for (const std::int64_t offset : {0, 1, 2, 5, 9, 10}) runs.append(log::Offset(offset));
  std::string text;
  runs.append_text(text);
  EXPECT_EQ(OffsetRuns::parse(text), runs) << text;
  EXPECT_TRUE(runs.contains(log::Offset(2)));
  EXPECT_FALSE(runs.contains(log::Offset(3)));
  runs.drop_below(log::Offset(10));
  EXPECT_EQ(runs.count(), 1);
  for (const char* const wrong : {"", "1", "1+", "1+0", "1+2,", "-1+2", "1+2x", "9223372036854775807+1"})
    EXPECT_FALSE(OffsetRuns::parse(wrong)) << wrong;
}

class PlanBooks : public ::testing::Test {
 protected:
  Result<void> add(std::int64_t number) {
    return book_.add({.number = number, .high = log::Offset(number), .open = {}, .objects = {}});
  }
  static std::string name(std::int64_t number) {
    return fmt::format("pinflow/sink/plans/t/0/{:017}/{:020}.plan", number / 1000, number);
  }
  testing::MemoryStore store_;
  PlanBook book_{store_, {"t", log::PartitionId(0)}};
};

TEST_F(PlanBooks, GiveEachNumberToOneWriterAlsoWhereOldPlansAreGone) {
  ASSERT_TRUE(add(1));
  EXPECT_EQ(add(1).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(add(2));
  ASSERT_TRUE(store_.remove(name(1)));
  EXPECT_EQ(add(1).error().code, ErrorCode::kConflict) << "its name is free again, but it is late";
  EXPECT_EQ(book_.last()->value().number, 2);
}

TEST_F(PlanBooks, FindTheLastOfAnyNumberOfThem) {
  EXPECT_FALSE(book_.last()->has_value());
  std::int64_t removed = 0;
  for (std::int64_t number = 1; number < 2'070; ++number) {
    ASSERT_TRUE(add(number));
    if (number > 40 && number % 97 != 0 && number < 1'990) continue;
    EXPECT_EQ(book_.last()->value().number, number);
    if (number > 30) EXPECT_TRUE(store_.remove(name(++removed)));
  }
  EXPECT_EQ(book_.numbers_behind(1'998)->size(), 71U);
  EXPECT_EQ(book_.numbers_behind(1'998)->front(), 1'999);
}

TEST_F(PlanBooks, FindTheLastBehindAHoleToo) {
  for (std::int64_t number = 1; number <= 9; ++number) ASSERT_TRUE(add(number));
  for (std::int64_t number = 3; number <= 6; ++number) ASSERT_TRUE(store_.remove(name(number)));
  EXPECT_EQ(book_.last()->value().number, 9);
}

TEST_F(PlanBooks, RefuseWhatIsNoPlan) {
  ASSERT_TRUE(store_.put("pinflow/sink/plans/t/0/notes.txt", "mine"));
  EXPECT_EQ(book_.last().error().code, ErrorCode::kCorrupt);
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
