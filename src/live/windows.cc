#include "live/windows.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pinflow::live {

std::uint32_t minute_of(WallTime time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kLastMs) / 60'000);
}

std::uint64_t WindowCounts::in(Window window, std::uint32_t now_minute) const {
  switch (window) {
    case Window::k5m:
      return minutes_.sum(now_minute, 5);
    case Window::k1h:
      return fives_.sum(now_minute / kMinutesPerFive, 12);
    case Window::k24h:
      return hours_.sum(now_minute / kMinutesPerHour, 24);
  }
  CHECK(false, "a window that does not exist");
}

std::array<std::uint64_t, 3> WindowCounts::all(std::uint32_t now_minute) const {
  return {in(Window::k5m, now_minute), in(Window::k1h, now_minute), in(Window::k24h, now_minute)};
}

void WindowCounts::save(StateWriter& out, std::uint32_t now_minute) const {
  minutes_.save(out, now_minute);
  fives_.save(out, now_minute / kMinutesPerFive);
  hours_.save(out, now_minute / kMinutesPerHour);
}

void WindowCounts::load(StateReader& in, std::uint32_t now_minute) {
  minutes_.load(in, now_minute);
  fives_.load(in, now_minute / kMinutesPerFive);
  hours_.load(in, now_minute / kMinutesPerHour);
}

double minutes_of(Window window, WallTime now) {
  constexpr std::array<double, 3> kPaneMinutes = {1, 5, 60};
  constexpr std::array<double, 3> kPanes = {5, 12, 24};
  const auto w = static_cast<std::size_t>(window);
  const double minute = static_cast<double>(now.time_since_epoch().count()) / 60'000;
  const double begun = minute - std::floor(minute / kPaneMinutes[w]) * kPaneMinutes[w];
  return (kPanes[w] - 1) * kPaneMinutes[w] + begun;
}

}  // namespace pinflow::live
