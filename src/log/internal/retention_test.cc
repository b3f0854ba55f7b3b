#include "log/internal/retention.h"

#include <gtest/gtest.h>

namespace pinflow::log {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kNow = 1'700'000'000'000;

WallTime at(std::int64_t ms) {
  return WallTime(milliseconds(ms));
}

// Four segments of ten records and 100 bytes; the newest records are 400, 300, 200 and 100 ms old.
std::vector<SegmentFacts> four_segments() {
  std::vector<SegmentFacts> segments;
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::int64_t newest = kNow - 400 + 100 * i;
    segments.push_back({Offset(i * 10), Offset(i * 10 + 10), 100, newest, i == 3, {}, at(newest - 50), at(newest)});
  }
  return segments;
}

TopicSettings settings(const TopicConfigs& configs) {
  return read_topic_settings(configs, {}).value();
}

std::optional<std::int64_t> start(const TopicConfigs& configs, std::vector<SegmentFacts> segments = four_segments()) {
  const auto offset = retained_start(segments, settings(configs), at(kNow));
  return offset ? std::optional(offset->value()) : std::nullopt;
}

bool rolls(const TopicConfigs& configs, std::vector<SegmentFacts> segments = four_segments()) {
  return due_to_roll(segments.back(), segments, settings(configs), at(kNow));
}

TEST(Retention, ByDefaultEverythingStays) {
  EXPECT_EQ(start({}), std::nullopt);
  EXPECT_FALSE(rolls({}));
}

TEST(Retention, SegmentsGoWhenTheirNewestRecordIsTooOld) {
  EXPECT_EQ(start({{"retention.ms", "400"}}), std::nullopt);
  EXPECT_EQ(start({{"retention.ms", "399"}}), 10);
  EXPECT_EQ(start({{"retention.ms", "250"}}), 20);
  EXPECT_EQ(start({{"retention.ms", "150"}}), 30);
}

TEST(Retention, TheLastSegmentGoesOnlyAfterItIsClosed) {
  EXPECT_EQ(start({{"retention.ms", "0"}}), 30);
  EXPECT_TRUE(rolls({{"retention.ms", "0"}}));
  EXPECT_FALSE(rolls({{"retention.ms", "100"}}));
  auto segments = four_segments();
  segments.back().last = false;
  EXPECT_EQ(start({{"retention.ms", "0"}}, segments), 40);
}

TEST(Retention, SizeKeepsAtLeastTheLimit) {
  EXPECT_EQ(start({{"retention.bytes", "400"}}), std::nullopt);
  EXPECT_EQ(start({{"retention.bytes", "301"}}), std::nullopt);
  EXPECT_EQ(start({{"retention.bytes", "300"}}), 10);
  EXPECT_EQ(start({{"retention.bytes", "150"}}), 20);
  EXPECT_EQ(start({{"retention.bytes", "0"}}), 30);
}

TEST(Retention, EitherLimitIsEnough) {
  EXPECT_EQ(start({{"retention.bytes", "300"}, {"retention.ms", "250"}}), 20);
  EXPECT_EQ(start({{"retention.bytes", "100"}, {"retention.ms", "350"}}), 30);
}

TEST(Retention, TopicsThatAreOnlyCompactedKeepAll) {
  EXPECT_EQ(start({{"cleanup.policy", "compact"}, {"retention.ms", "0"}, {"retention.bytes", "0"}}), std::nullopt);
  EXPECT_FALSE(rolls({{"cleanup.policy", "compact"}, {"retention.ms", "0"}}));
  EXPECT_EQ(start({{"cleanup.policy", "compact,delete"}, {"retention.ms", "250"}}), 20);
}

TEST(Retention, AYoungSegmentKeepsThoseBehindIt) {
  auto segments = four_segments();
  segments[0].max_timestamp = kNow;
  segments[0].modified = at(kNow);
  EXPECT_EQ(start({{"retention.ms", "250"}}, segments), std::nullopt);
}

TEST(Retention, ATimestampFromTheFutureCountsFromItsArrival) {
  auto segments = four_segments();
  segments[0].max_timestamp = kNow + 1'000'000'000;
  EXPECT_EQ(start({{"retention.ms", "350"}}, segments), 10);
  segments[0].max_timestamp = INT64_MAX;
  EXPECT_EQ(start({{"retention.ms", "350"}}, segments), 10);
}

TEST(Retention, WithoutATimestampTheArrivalCounts) {
  for (const std::int64_t none : {std::int64_t{-1}, INT64_MIN}) {
    auto segments = four_segments();
    segments[0].max_timestamp = none;
    EXPECT_EQ(start({{"retention.ms", "400"}}, segments), std::nullopt);
    EXPECT_EQ(start({{"retention.ms", "399"}}, segments), 10);
  }
}

TEST(Retention, WhatCompactionLeftEmptyHoldsNothingBack) {
  auto segments = four_segments();
  segments[0].size = 0;
  EXPECT_EQ(start({{"cleanup.policy", "compact,delete"}, {"retention.ms", "250"}}, segments), 20);
}

TEST(Retention, SegmentsAreClosedByAge) {
  EXPECT_TRUE(rolls({{"segment.ms", "150"}}));
  EXPECT_FALSE(rolls({{"segment.ms", "151"}}));
  EXPECT_TRUE(rolls({{"cleanup.policy", "compact"}, {"max.compaction.lag.ms", "150"}}));
  EXPECT_FALSE(rolls({{"cleanup.policy", "delete"}, {"max.compaction.lag.ms", "150"}}));
  auto segments = four_segments();
  segments.back().size = 0;
  EXPECT_FALSE(rolls({{"segment.ms", "1"}}, segments));
}

}  // namespace
}  // namespace pinflow::log
