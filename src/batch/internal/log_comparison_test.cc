#include "batch/internal/log_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/testing/memory_log.h"

namespace pinflow::batch::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const log::TopicPartition kPin{"pinterest.pin", log::PartitionId(0)};

LogRanges range(std::int64_t begin, std::int64_t end) {
  return {{kPin, {log::Offset(begin), log::Offset(end)}}};
}

TEST(LogComparison, CountsWhatIsTakenAndWhatWaits) {
  const auto compared = compare_with_log(range(0, 100), range(0, 120), {{kPin, {log::Offset(60), 5}}});
  EXPECT_EQ(compared.counts, (LogCounts{.offsets = 100, .taken = 55, .waiting = 45, .gone = 0}));
  EXPECT_THAT(compared.odd, IsEmpty());
}

TEST(LogComparison, ObjectsThatCameSinceAreNoFinding) {
  const auto compared = compare_with_log(range(0, 100), range(0, 120), {{kPin, {log::Offset(110)}}});
  EXPECT_EQ(compared.counts, (LogCounts{.offsets = 110, .taken = 110, .waiting = 0, .gone = 0}));
  EXPECT_THAT(compared.odd, IsEmpty());
}

TEST(LogComparison, ObjectsBehindTheLogsEndAreTold) {
  const auto compared = compare_with_log(range(0, 100), range(0, 100), {{kPin, {log::Offset(130)}}});
  ASSERT_EQ(compared.odd.size(), 1U);
  EXPECT_EQ(compared.odd[0].first, "pinterest.pin/0");
  EXPECT_THAT(compared.odd[0].second, HasSubstr("objects reach to offset 129, the log only to 99"));
}

TEST(LogComparison, WhatLeftTheLogUnsunkIsTold) {
  const auto compared = compare_with_log(range(80, 100), range(80, 100), {{kPin, {log::Offset(60)}}});
  EXPECT_EQ(compared.counts, (LogCounts{.offsets = 100, .taken = 60, .waiting = 20, .gone = 20}));
  ASSERT_EQ(compared.odd.size(), 1U);
  EXPECT_THAT(compared.odd[0].second, HasSubstr("offsets 60 to 79 left the log"));
}

TEST(LogComparison, ReadsTopicsThatTellAKind) {
  log::MemoryLog log;
  log.append("pinterest.pin", 1, {"a", "b"});
  log.append("other", 0, {"c"});
  const auto ranges = ranges_of(log, {}).value();
  EXPECT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges.at({"pinterest.pin", log::PartitionId(1)}).end, log::Offset(2));
  EXPECT_TRUE(ranges_of(log, {"pinterest.geo"})->empty());
}

}  // namespace
}  // namespace pinflow::batch::internal
