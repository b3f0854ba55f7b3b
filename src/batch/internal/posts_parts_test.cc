#include "batch/internal/posts_parts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::batch::internal {
namespace {

using ::testing::ElementsAre;

void add(delta::Snapshot& pins, const std::string& path, std::int64_t rows, std::int64_t least, std::int64_t greatest) {
  delta::DataFile& file = pins.files[path];
  file = {.path = path, .size = 1, .rows = rows, .modified = {}, .statistics = {}};
  file.statistics =
      fmt::format(R"({{"numRecords":{},"minValues":{{"ind":{}}},"maxValues":{{"ind":{}}}}})", rows, least, greatest);
}

TEST(PostsParts, AreCutInTheOrderOfThePosts) {
  delta::Snapshot pins;
  add(pins, "a", 100, 300, 399);
  add(pins, "b", 100, 100, 199);
  add(pins, "c", 100, 0, 99);
  add(pins, "d", 100, 200, 299);
  add(pins, "e", 7, -9, -1);
  const auto parts = cut_by_posts(pins, 200);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_THAT(parts[0].pins, ElementsAre("e", "c", "b"));
  EXPECT_EQ(parts[0].posts.least, -9);
  EXPECT_EQ(parts[0].posts.greatest, 199);
  EXPECT_THAT(parts[1].pins, ElementsAre("d", "a"));
  EXPECT_EQ(parts[1].posts.least, 200);
  EXPECT_EQ(parts[1].posts.greatest, 399);
}

TEST(PostsParts, ReachAsFarAsTheirWidestFile) {
  delta::Snapshot pins;
  add(pins, "wide", 10, 0, 999);
  add(pins, "narrow", 10, 5, 7);
  pins.files["unknown"] = {.path = "unknown", .size = 1, .rows = 10, .modified = {}, .statistics = {}};
  const auto parts = cut_by_posts(pins, 10);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_THAT(parts[0].pins, ElementsAre("unknown"));
  EXPECT_EQ(parts[0].posts.greatest, INT64_MAX);
  EXPECT_EQ(parts[1].posts.greatest, 999);
  EXPECT_EQ(cut_by_posts(pins, 1'000)[0].posts.least, INT64_MIN);
  EXPECT_TRUE(cut_by_posts({}, 10).empty());
}

}  // namespace
}  // namespace pinflow::batch::internal
