#include "live/windows.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace pinflow::live {
namespace {

using std::chrono::milliseconds;

std::string bytes_of(const WindowCounts& windows, std::uint32_t now) {
  StateWriter out;
  windows.save(out, now);
  return std::move(out).take();
}

std::uint64_t plainly(const std::vector<std::uint32_t>& minutes, std::uint32_t now, std::uint32_t pane,
                      std::uint32_t panes) {
  return static_cast<std::uint64_t>(std::ranges::count_if(minutes, [&](std::uint32_t minute) {
    return minute / pane + panes > now / pane && minute / pane <= now / pane;
  }));
}

TEST(WindowCounts, CountTheLastPanesWhateverTheOrder) {
  Random random(1);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::uint32_t> minutes;
    const auto spread = 10 + random.below(5'000);
    for (int i = 0; i < 400; ++i) minutes.push_back(static_cast<std::uint32_t>(28'000'000 + random.below(spread)));
    const std::uint32_t newest = *std::ranges::max_element(minutes);
    WindowCounts windows;
    for (const std::uint32_t minute : minutes) windows.add(minute);
    WindowCounts sorted;
    std::vector<std::uint32_t> in_order = minutes;
    std::ranges::sort(in_order);
    for (const std::uint32_t minute : in_order) sorted.add(minute);
    EXPECT_EQ(bytes_of(windows, newest), bytes_of(sorted, newest));
    for (const std::uint32_t now : {newest, newest + 3, newest + 59, newest + 700, newest + 2'000}) {
      EXPECT_EQ(windows.in(Window::k5m, now), plainly(minutes, now, 1, 5));
      EXPECT_EQ(windows.in(Window::k1h, now), plainly(minutes, now, 5, 12));
      EXPECT_EQ(windows.in(Window::k24h, now), plainly(minutes, now, 60, 24));
    }
  }
}

TEST(WindowCounts, ComeBackFromTheirBytes) {
  WindowCounts windows;
  for (const std::uint32_t minute : {1'000u, 900u, 1'001u, 2'200u, 2'210u, 2'210u}) windows.add(minute);
  const std::string bytes = bytes_of(windows, 2'215);
  StateReader in(bytes);
  WindowCounts back;
  back.load(in, 2'215);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(bytes_of(back, 2'215), bytes);
  for (const std::uint32_t now : {2'215u, 2'260u, 3'000u}) EXPECT_EQ(back.all(now), windows.all(now));
}

TEST(WindowCounts, StartWithTheFirstMinutesOfTime) {
  WindowCounts windows;
  windows.add(0);
  EXPECT_EQ(windows.all(0), (std::array<std::uint64_t, 3>{1, 1, 1}));
  EXPECT_EQ(windows.all(7), (std::array<std::uint64_t, 3>{0, 1, 1}));
}

TEST(MinuteSeries, GivesEachMinuteOfTheLastDay) {
  MinuteSeries series;
  series.add(10'000);
  series.add(10'000);
  series.add(9'000);
  EXPECT_EQ(series.at(10'000), 2u);
  EXPECT_EQ(series.at(9'000), 1u);
  EXPECT_EQ(series.at(10'001), 0u);
  series.add(10'000 + kMaxMinutes - 1);
  EXPECT_EQ(series.at(10'000), 2u);
  EXPECT_EQ(series.at(9'000), 0u);
  series.add(10'000 + kMaxMinutes);
  EXPECT_EQ(series.at(10'000), 0u);
}

TEST(Windows, SayHowManyMinutesOfThemHavePassed) {
  const WallTime now{milliseconds(1'700'000'100'000)};  // 22:15:00.
  EXPECT_DOUBLE_EQ(minutes_of(Window::k5m, now + milliseconds(30'000)), 4.5);
  EXPECT_DOUBLE_EQ(minutes_of(Window::k1h, now + milliseconds(150'000)), 57.5);
  EXPECT_DOUBLE_EQ(minutes_of(Window::k24h, now), 23 * 60 + 15);
}

}  // namespace
}  // namespace pinflow::live
