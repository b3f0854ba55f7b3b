#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/clock.h"
#include "live/live_query.h"
#include "live/state_bytes.h"

namespace pinflow::live {

// The minute since 1970 that a time lies in; times before 1970 count as then.
std::uint32_t minute_of(WallTime time);

// Numbers of posts in tumbling panes, the last `N` of them: a ring that moves with the newest post. A pane is named by its number
// since 1970. What is older than the panes held is passed over: it is in no window of any later moment. The counts within
// the last N panes do not depend on the order of arrival. A value type.
template <std::size_t N>
class PaneRing {
 public:
  void add(std::uint32_t pane, std::uint32_t posts = 1) {
    if (pane > newest_) {
      const std::uint32_t passed = pane - newest_;
      for (std::uint32_t i = 1; i <= passed && i <= N; ++i) counts_[(newest_ + i) % N] = 0;
      newest_ = pane;
    }
    if (newest_ - pane < N) counts_[pane % N] += posts;
  }

  // Posts in the last `panes` (at most N) panes at `now`, its own included.
  std::uint64_t sum(std::uint32_t now, std::uint32_t panes) const {
    const std::int64_t first = first_of(now, panes);
    std::uint64_t posts = 0;
    for (std::int64_t pane = std::min(now, newest_); pane >= first; --pane) posts += counts_[place(pane)];
    return posts;
  }
  std::uint64_t at(std::uint32_t pane) const { return pane <= newest_ && newest_ - pane < N ? counts_[pane % N] : 0; }

  // Writes the panes that hold posts and are among the last N at `now`.
  void save(StateWriter& out, std::uint32_t now) const {
    const std::int64_t first = first_of(now, N);
    std::uint64_t filled = 0;
    for (std::int64_t pane = first; pane <= newest_; ++pane) filled += counts_[place(pane)] > 0;
    out.whole(filled);
    for (std::int64_t pane = first; pane <= newest_; ++pane) {
      if (counts_[place(pane)] == 0) continue;
      out.whole(now - static_cast<std::uint32_t>(pane));
      out.whole(counts_[place(pane)]);
    }
  }
  // `now` as it was given to save().
  void load(StateReader& in, std::uint32_t now) {
    for (std::uint64_t left = in.count(2); left > 0; --left) {
      const auto age = static_cast<std::uint32_t>(in.below(N));
      const auto posts = static_cast<std::uint32_t>(in.below(std::uint64_t{1} << 32));
      if (age > now) in.refuse();
      if (!in.ok()) return;
      add(now - age, posts);
    }
  }

 private:
  static std::size_t place(std::int64_t pane) { return static_cast<std::size_t>(pane) % N; }
  // The first pane that counts and is still held.
  std::int64_t first_of(std::uint32_t now, std::uint32_t panes) const {
    const std::int64_t counts = std::int64_t{now} + 1 - panes;
    const std::int64_t held = std::int64_t{newest_} + 1 - static_cast<std::int64_t>(N);
    return std::max<std::int64_t>({counts, held, 0});
  }

  std::array<std::uint32_t, N> counts_{};
  std::uint32_t newest_ = 0;
};

// Posts in each of the windows of live_query.h, 176 bytes. A value type.
class WindowCounts {
 public:
  static constexpr std::uint32_t kMinutesPerFive = 5;
  static constexpr std::uint32_t kMinutesPerHour = 60;

  void add(std::uint32_t minute) {
    minutes_.add(minute);
    fives_.add(minute / kMinutesPerFive);
    hours_.add(minute / kMinutesPerHour);
  }
  std::uint64_t in(Window window, std::uint32_t now_minute) const;
  std::array<std::uint64_t, 3> all(std::uint32_t now_minute) const;

  void save(StateWriter& out, std::uint32_t now_minute) const;
  void load(StateReader& in, std::uint32_t now_minute);

 private:
  PaneRing<5> minutes_;
  PaneRing<12> fives_;
  PaneRing<24> hours_;
};

// How many minutes of a window have passed at `now`: less than its length, since its first pane may have passed in part.
double minutes_of(Window window, WallTime now);

// Posts in each minute of the last day.
using MinuteSeries = PaneRing<kMaxMinutes>;

}  // namespace pinflow::live
