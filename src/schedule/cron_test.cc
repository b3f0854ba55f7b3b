#include "schedule/cron.h"

#include <vector>

#include <gtest/gtest.h>

namespace pinflow::schedule {
namespace {

using namespace std::chrono;

local_seconds at(int y, unsigned mo, unsigned d, int h = 0, int mi = 0) {
  return local_days(year(y) / mo / d) + hours(h) + minutes(mi);
}

Cron cron(std::string_view text) {
  const auto parsed = Cron::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return *parsed;
}

local_seconds next(std::string_view text, local_seconds from) {
  return cron(text).next_from(from).value();
}

TEST(CronText, NicknamesStandForExpressions) {
  const auto from = at(2026, 11, 22, 10, 1);
  EXPECT_EQ(next("@hourly", from), at(2026, 11, 22, 11));
  EXPECT_EQ(next("@daily", from), at(2026, 11, 23));
  EXPECT_EQ(next("@midnight", from), at(2026, 11, 23));
  EXPECT_EQ(next("@weekly", from), at(2026, 11, 29));
  EXPECT_EQ(next("@monthly", from), at(2026, 12, 1));
  EXPECT_EQ(next("@yearly", from), at(2027, 1, 1));
}

TEST(CronText, ListsRangesStepsAndNamesAreRead) {
  EXPECT_EQ(next("*/20 9-17 * * MON-fri", at(2026, 11, 20, 17, 41)), at(2026, 11, 23, 9));
  EXPECT_EQ(next("5/25 * * * *", at(2026, 1, 1, 0, 31)), at(2026, 1, 1, 0, 55));
  EXPECT_EQ(next("0 0 1 jan,Jul *", at(2026, 1, 2)), at(2026, 7, 1));
  EXPECT_EQ(next("0 0 10-20/5 * *", at(2026, 1, 11)), at(2026, 1, 15));
  EXPECT_EQ(next("  0\t0 * * 7 ", at(2026, 11, 23)), at(2026, 11, 29));
  EXPECT_EQ(next("0 0 * * fri-sun", at(2026, 11, 23)), at(2026, 11, 27));
}

TEST(CronText, SundayIsBothZeroAndSeven) {
  for (int day = 1; day <= 28; ++day) {
    EXPECT_EQ(cron("0 0 * * 0").matches(at(2026, 2, static_cast<unsigned>(day))),
              cron("0 0 * * 7").matches(at(2026, 2, static_cast<unsigned>(day))));
  }
}

TEST(CronText, OneOfTwoRestrictedDaysIsEnough) {
  EXPECT_TRUE(cron("0 0 13 * fri").matches(at(2026, 11, 20)));   // A Friday.
  EXPECT_TRUE(cron("0 0 13 * fri").matches(at(2026, 10, 13)));   // A Tuesday.
  EXPECT_FALSE(cron("0 0 13 * fri").matches(at(2026, 11, 12)));  // Neither.
  EXPECT_FALSE(cron("0 0 13 * *").matches(at(2026, 11, 20)));
  EXPECT_FALSE(cron("0 0 * * fri").matches(at(2026, 10, 13)));
}

TEST(CronText, LeapDaysAndMonthEndsAreWaitedFor) {
  EXPECT_EQ(next("0 0 29 2 *", at(2026, 1, 1)), at(2028, 2, 29));
  EXPECT_EQ(next("0 0 29 2 *", at(2096, 3, 1)), at(2104, 2, 29));  // 2100 has none.
  EXPECT_EQ(next("0 0 31 * *", at(2026, 4, 1)), at(2026, 5, 31));
}

TEST(CronText, WhatIsWrongIsPointedAt) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"60 * * * *", "minute field '60', column 1: 60 is not within 0-59"},
      {"0 24 * * *", "hour field '24', column 3: 24 is not within 0-23"},
      {"0 0 1,32 * *", "day of month field '1,32', column 7: 32 is not within 1-31"},
      {"0 0 * foo *", "month field 'foo', column 7: expected *, or a number of 1-12, or a name such as feb"},
      {"0 0 * * mon-", "day of week field 'mon-', column 13: expected"},
      {"*/0 * * * *", "minute field '*/0', column 3: a step is 1 or more"},
      {"0 9-8 * * *", "hour field '9-8', column 5: a range goes upwards"},
      {"0 5x * * *", "hour field '5x', column 4: expected"},
      {"0 0 * *", "it has 4 fields, and five are needed"},
      {"", "it has 0 fields"},
      {"@often", "there are @hourly"},
      {"0 0 30 2 *", "no year has that day of month"}};
  for (const auto& [text, message] : cases) {
    const auto parsed = Cron::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find(message), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace pinflow::schedule
