#include "schedule/cron_times.h"

#include <array>
#include <map>
#include <set>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/timestamp.h"

namespace pinflow::schedule {
namespace {

using namespace std::chrono;

WallTime utc(std::string_view text) {
  return parse_iso8601(text).value();
}

TimeZone zone(const std::string& name) {
  auto loaded = TimeZone::load(name);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return *loaded;
}

std::vector<std::string> runs(std::string_view text, const TimeZone& in, std::string_view after, int count) {
  const Cron cron = *Cron::parse(text);
  std::vector<std::string> found;
  WallTime at = utc(after);
  for (int i = 0; i < count; ++i) {
    at = next_after(cron, in, at).value();
    found.push_back(format_iso8601(at).substr(0, 16));
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(CronTimes, DaysOfAZoneBeginAtItsMidnight) {
  EXPECT_EQ(runs("@daily", zone("Europe/Berlin"), "2026-03-28T12:00:00Z", 3),
            (Texts{"2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00"}));
}

TEST(CronTimes, ATimeLeftOutRunsAtTheFirstMomentAfterTheGap) {
  EXPECT_EQ(runs("30 2 * * *", zone("Europe/Berlin"), "2026-03-28T12:00:00Z", 2),
            (Texts{"2026-03-29T01:00", "2026-03-30T00:30"}));
  EXPECT_EQ(runs("*/15 2 * * *", zone("Europe/Berlin"), "2026-03-28T12:00:00Z", 2),
            (Texts{"2026-03-29T01:00", "2026-03-30T00:00"}));
}

TEST(CronTimes, ATimeThatComesTwiceRunsOnce) {
  EXPECT_EQ(runs("30 2 * * *", zone("Europe/Berlin"), "2026-10-24T12:00:00Z", 2),
            (Texts{"2026-10-25T00:30", "2026-10-26T01:30"}));
}

TEST(CronTimes, HourlyRunsFollowTheHoursThatThereAre) {
  const Cron hourly = *Cron::parse("0 * * * *");
  for (const auto& [from, until, hours_of_day] : {std::tuple{"2026-03-28T22:59:59Z", "2026-03-29T21:59:59Z", 23},
                                                  {"2026-10-24T21:59:59Z", "2026-10-25T22:59:59Z", 25}}) {
    int count = 0;
    const TimeZone berlin = zone("Europe/Berlin");
    for (auto at = next_after(hourly, berlin, utc(from)); *at <= utc(until); at = next_after(hourly, berlin, *at))
      ++count;
    EXPECT_EQ(count, hours_of_day);
  }
}

TEST(CronTimes, RulesGoOnAfterTheTableOfChangesEnds) {
  EXPECT_EQ(runs("0 12 1 1,7 *", zone("America/New_York"), "2149-01-01T00:00:00Z", 2),
            (Texts{"2149-01-01T17:00", "2149-07-01T16:00"}));
}

TEST(CronTimes, AMidnightThatIsLeftOutRunsAtOne) {
  EXPECT_EQ(runs("@daily", zone("America/Sao_Paulo"), "2018-11-03T12:00:00Z", 2),
            (Texts{"2018-11-04T03:00", "2018-11-05T02:00"}));
}

TEST(CronTimes, ADayThatAZoneLeftOutRunsOnceAtItsEnd) {
  EXPECT_EQ(runs("@daily", zone("Pacific/Apia"), "2011-12-29T00:00:00Z", 3),
            (Texts{"2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"}));
}

TEST(CronTimes, TheLastRunBeforeIsTheOneThatTheNextFollows) {
  const TimeZone berlin = zone("Europe/Berlin");
  for (const char* text : {"@daily", "30 2 * * *", "*/7 * * * *", "0 0 29 2 *"}) {
    const Cron cron = *Cron::parse(text);
    const WallTime at = next_after(cron, berlin, utc("2026-10-24T12:34:00Z")).value();
    const WallTime before = last_before(cron, berlin, at).value();
    EXPECT_LT(before, at);
    EXPECT_EQ(next_after(cron, berlin, before), at) << text;
  }
}

local_seconds shown_at(const TimeZone& in, sys_seconds at) {
  return floor<seconds>(in.local(at));
}

// An evaluation that shares nothing with ours but the reading of text: looks at each minute of UTC in turn.
std::set<WallTime> slowly(const Cron& cron, const TimeZone& in, WallTime from, WallTime until) {
  std::set<WallTime> found;
  const bool hourly = cron.every_hour();
  std::set<local_seconds> shown;
  local_seconds before = shown_at(in, floor<seconds>(from) - minutes(1));
  for (local_seconds back = before - hours(26); back <= before; back += minutes(1)) shown.insert(back);
  for (sys_seconds at = floor<seconds>(from); at < floor<seconds>(until); at += minutes(1)) {
    const local_seconds now = shown_at(in, at);
    if (hourly) {
      if (cron.matches(now)) found.insert(at);
    } else {
      for (local_seconds left = before + minutes(1); left < now; left += minutes(1))
        if (cron.matches(left) && shown.insert(left).second) found.insert(at);
      if (shown.insert(now).second && cron.matches(now)) found.insert(at);
    }
    before = now;
  }
  return found;
}

TEST(CronTimes, EqualTheMinuteByMinuteEvaluation) {
  Random random(7);
  const std::array zones = {zone("UTC"),
                            zone("Europe/Berlin"),
                            zone("America/New_York"),
                            zone("Australia/Lord_Howe"),
                            zone("Asia/Kathmandu"),
                            zone("America/St_Johns")};
  const std::array begins = {utc("2026-03-06T00:00:00Z"), utc("2026-03-27T00:00:00Z"), utc("2026-10-01T00:00:00Z"),
                             utc("2026-10-23T00:00:00Z"), utc("2026-10-30T00:00:00Z"), utc("2028-02-27T00:00:00Z")};
  const auto pick = [&](std::vector<std::string> of) { return of[random.below(of.size())]; };
  std::size_t total = 0;
  for (int i = 0; i < 120; ++i) {
    const std::string text = fmt::format(
        "{} {} {} {} {}", pick({"0", "30", "*/15", "59", "0,1", "*"}), pick({"*", "2", "1-3", "0", "*/2", "23", "1,2"}),
        pick({"*", "*", "1", "29", "*/2"}), pick({"*", "*", "2,3,10", "11"}), pick({"*", "*", "sun", "1-5"}));
    const Cron cron = *Cron::parse(text);
    const TimeZone& in = zones[random.below(zones.size())];
    const WallTime from = begins[random.below(begins.size())];
    const WallTime until = from + days(6);
    std::set<WallTime> fast;
    for (auto at = next_after(cron, in, from - milliseconds(1)); at && *at < until; at = next_after(cron, in, *at))
      fast.insert(*at);
    ASSERT_EQ(fast, slowly(cron, in, from, until)) << text << " in " << in.name() << " from " << format_iso8601(from);
    total += fast.size();
  }
  EXPECT_GT(total, 1000u);
}

}  // namespace
}  // namespace pinflow::schedule
