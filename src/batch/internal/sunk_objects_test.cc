#include "batch/internal/sunk_objects.h"

#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/internal/object_reader.h"
#include "disk/memory_disk.h"
#include "objects/folder_store.h"
#include "sink/object_line.h"

namespace pinflow::batch::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A store with objects as the sink puts them.
class SunkObjects : public testing::Test {
 protected:
  SunkObjects() : store_(objects::open_folder_store(disk_, "/data/objects").value()) {}

  void put(const std::string& name, std::string_view bytes) { ASSERT_TRUE(store_->put(name, bytes)); }
  ObjectList list(const std::vector<std::string>& topics = {}) { return list_objects(*store_, topics).value(); }

  disk::MemoryDisk disk_;
  std::unique_ptr<objects::ObjectStore> store_;
};

constexpr const char* kPins = "topics/pinterest.pin/partition=1/pinterest.pin+1+0000000007.json";

TEST_F(SunkObjects, AreFoundByKindAndOthersAreCounted) {
  put(kPins, "{\"index\":1}\n");
  put("topics/pinterest.geo/partition=0/pinterest.geo+0+0000000000.json", "{\"ind\":1}\n");
  put("topics/pinterest.pin/partition=1/pinterest.pin+1+0000000009.json.bz2", "x");
  put("topics/pinterest.other/partition=0/pinterest.other+0+0000000000.json", "x");
  put("elsewhere/pinterest.pin+0+0000000000.json", "x");
  put("topics/pinterest.pin/year=2026/pinterest.pin+0+0000000000.json", "x");
  const ObjectList all = list();
  ASSERT_EQ(all.objects.size(), 2U);
  EXPECT_EQ(all.objects[0].kind, records::Kind::kGeo);
  EXPECT_EQ(all.objects[1].kind, records::Kind::kPin);
  EXPECT_EQ(all.objects[1].name.first.value(), 7);
  EXPECT_EQ(all.bytes, 22U);
  EXPECT_EQ(all.skipped.count(), 3U);
  EXPECT_EQ(list({"pinterest.geo"}).objects.size(), 1U);
  EXPECT_EQ(list({"gone.geo"}).objects.size(), 0U);
}

TEST_F(SunkObjects, OfATopicWithoutKindAreRefused) {
  const auto refused = list_objects(*store_, {"pinterest.boards"});
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("pinterest.boards"));
}

TEST_F(SunkObjects, LinesAreRecordsAtTheirOffsets) {
  std::string bytes = "{\"index\":10}\n";
  sink::append_object_line(bytes, "not JSON");
  sink::append_object_line(bytes, std::nullopt);
  bytes += "\n{\"index\":\"x\"}\n{\"pinflow.raw\":\"***\"}\n{\"index\":16}";
  put(kPins, bytes);
  records::RawBatch rows(records::Kind::kPin);
  records::DeadLetters letters;
  EXPECT_EQ(read_lines(list().objects[0], bytes, rows, letters).value(), 7U);

  const auto& columns = rows.batch().columns();
  ASSERT_EQ(rows.batch().rows(), 2U);
  EXPECT_EQ(columns[0].integer_at(0), 10);
  EXPECT_EQ(columns[0].integer_at(1), 16);
  const auto column = [](const ColumnBatch& batch, std::string_view name) -> const Column& {
    return *std::ranges::find(batch.columns(), name, &Column::name);
  };
  EXPECT_EQ(column(rows.batch(), "source_topic").text_at(0), "pinterest.pin");
  EXPECT_EQ(column(rows.batch(), "source_partition").integer_at(0), 1);
  EXPECT_EQ(column(rows.batch(), "source_offset").integer_at(0), 7);
  EXPECT_EQ(column(rows.batch(), "source_offset").integer_at(1), 13);

  const Column& raw = column(letters.batch(), "raw");
  const Column& offset = column(letters.batch(), "source_offset");
  ASSERT_EQ(letters.batch().rows(), 5U);
  EXPECT_EQ(raw.text_at(0), "not JSON");
  EXPECT_TRUE(raw.is_null(1));
  EXPECT_EQ(raw.text_at(2), "");
  EXPECT_EQ(raw.text_at(3), "{\"index\":\"x\"}");
  EXPECT_EQ(raw.text_at(4), "{\"pinflow.raw\":\"***\"}");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(offset.integer_at(i), 8 + static_cast<std::int64_t>(i));
  EXPECT_EQ(column(letters.batch(), "kind").text_at(0), "pin");
}

TEST_F(SunkObjects, AreAllReadByManyReadersInBoundedSlices) {
  for (int i = 0; i < 300; ++i) {
    put(fmt::format("topics/pinterest.geo/partition=0/pinterest.geo+0+{:010}.json", i * 2),
        fmt::format("{{\"ind\":{}}}\nbad\n", i));
  }
  const ObjectList objects = list();
  const BatchOptions options{.topics = {}, .readers = 3, .slice_rows = 16};
  ObjectReader reader(*store_, objects.objects, options);
  std::set<std::int64_t> seen;
  std::uint64_t objects_read = 0, records = 0, letters = 0;
  for (;;) {
    const std::optional<Slice> slice = reader.next({}).value();
    if (!slice) break;
    objects_read += slice->objects;
    records += slice->records[static_cast<std::size_t>(records::Kind::kGeo)];
    if (slice->dead_letters) letters += slice->dead_letters->batch().rows();
    if (!slice->rows) continue;
    EXPECT_LE(slice->rows->batch().rows(), 16U);
    for (std::size_t row = 0; row < slice->rows->batch().rows(); ++row)
      seen.insert(slice->rows->batch().columns()[0].integer_at(row));
  }
  EXPECT_EQ(seen.size(), 300U);
  EXPECT_EQ(objects_read, 300U);
  EXPECT_EQ(records, 600U);
  EXPECT_EQ(letters, 300U);
}

TEST_F(SunkObjects, AnUnreadableOneEndsTheReadingByName) {
  put(kPins, "{\"index\":1}\n");
  const ObjectList objects = list();
  ASSERT_TRUE(store_->remove(kPins));
  ObjectReader reader(*store_, objects.objects, {});
  const auto slice = reader.next({});
  ASSERT_FALSE(slice);
  EXPECT_THAT(slice.error().message, HasSubstr(kPins));
}

TEST_F(SunkObjects, ReadingStopsWhenAskedTo) {
  for (int i = 0; i < 50; ++i) {
    put(fmt::format("topics/pinterest.geo/partition=0/pinterest.geo+0+{:010}.json", i),
        fmt::format("{{\"ind\":{}}}\n", i));
  }
  const ObjectList objects = list();
  const BatchOptions options{.topics = {}, .readers = 2, .slice_rows = 1};
  ObjectReader reader(*store_, objects.objects, options);
  std::stop_source stop;
  EXPECT_TRUE(reader.next(stop.get_token()));
  stop.request_stop();
  EXPECT_EQ(reader.next(stop.get_token()).error().code, ErrorCode::kCancelled);
  // The readers still wait for room; destroying the reader frees them.
}

}  // namespace
}  // namespace pinflow::batch::internal
