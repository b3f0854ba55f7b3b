#include "base/time_zone.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/random.h"

namespace pinflow {
namespace {

using std::chrono::seconds;

std::int64_t hours_in(const std::string& zone, std::int64_t at) {
  return TimeZone::load(zone)->offset_at(WallTime(seconds(at))).count() / 3'600;
}

std::string bytes_of(const std::string& zone) {
  std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TimeZone, ChangesItsOffsetWithTheSeasons) {
  EXPECT_EQ(hours_in("Europe/Berlin", 1'711'846'799), 1);  // 2024-03-31 00:59:59 UTC.
  EXPECT_EQ(hours_in("Europe/Berlin", 1'711'846'800), 2);
  EXPECT_EQ(hours_in("Europe/Berlin", 2'540'163'600), 2);  // 2050-06-30: by the rule behind the last change.
  EXPECT_EQ(hours_in("America/New_York", 2'524'608'000), -5);
  EXPECT_EQ(hours_in("Australia/Sydney", 2'524'608'000), 11);  // Summer around the new year.
}

TEST(TimeZone, OffsetsAndUtcNeedNoDatabase) {
  for (const char* name : {"UTC", "GMT", "Z", ""}) EXPECT_EQ(TimeZone::load(name, "/nowhere")->stretches(), 1u);
  const TimeZone zone = TimeZone::load("-03:30", "/nowhere").value();
  EXPECT_EQ(zone.offset_at(WallTime()), -std::chrono::minutes(210));
  EXPECT_EQ(zone.name(), "-03:30");
  EXPECT_EQ(hours_in("+05", 0), 5);
}

TEST(TimeZone, LocalTimesGoBackToTheirMoment) {
  const TimeZone berlin = TimeZone::load("Europe/Berlin").value();
  for (const std::int64_t at : {1'711'846'799, 1'711'846'800, 1'700'000'000}) {
    const WallTime time{seconds(at)};
    EXPECT_EQ(berlin.from_local(berlin.local(time)), time);
  }
  // 2024-10-27 02:30 is shown at 00:30 and at 01:30 UTC; 2024-03-31 02:30 never is.
  EXPECT_EQ(berlin.from_local(TimeZone::LocalTime(seconds(1'729'996'200))), WallTime(seconds(1'729'989'000)));
  EXPECT_EQ(berlin.from_local(TimeZone::LocalTime(seconds(1'711'852'200))), WallTime(seconds(1'711'848'600)));
}

TEST(TimeZone, StretchesAreWhereTheClockIsNotChanged) {
  const TimeZone berlin = TimeZone::load("Europe/Berlin").value();
  const Stretch summer = berlin.stretch(berlin.find(std::chrono::sys_seconds(seconds(1'720'000'000))));
  EXPECT_EQ(summer.begin, std::chrono::sys_seconds(seconds(1'711'846'800)));
  EXPECT_EQ(summer.end, std::chrono::sys_seconds(seconds(1'729'990'800)));
  EXPECT_EQ(summer.offset, std::chrono::hours(2));
}

TEST(TimeZone, NamesThatAreNoZonesAreRefused) {
  for (const char* name : {"../../../etc/passwd", "/etc/passwd", "tzdata.zi", "+99:00", "Europe/Ber lin"})
    EXPECT_EQ(TimeZone::load(name).error().code, ErrorCode::kInvalid) << name;
  for (const char* name : {"Europe/Atlantis", "Europe"})
    EXPECT_EQ(TimeZone::load(name).error().code, ErrorCode::kNotFound) << name;
}

TEST(TimeZone, DamagedFilesAreRefusedWhereverTheyEnd) {
  const std::string whole = bytes_of("Europe/Berlin");
  ASSERT_TRUE(TimeZone::parse("x", whole));
  for (std::size_t size = 0; size < whole.size() - 40; size += 7)
    EXPECT_FALSE(TimeZone::parse("x", whole.substr(0, size))) << size;
  Random random(3);
  for (int i = 0; i < 2000; ++i) {  // Only the sanitizers judge these.
    std::string bytes = whole;
    bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    (void)TimeZone::parse("x", bytes);
  }
}

}  // namespace
}  // namespace pinflow
