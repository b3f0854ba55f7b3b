#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/time_zone.h"
#include "schedule/cron.h"
#include "schedule/history.h"

namespace pinflow::schedule {

// What of the runs that were missed (nothing ran, or the schedule was paused) is made up for.
enum class CatchUp { kNone, kLatest, kAll };

struct Rules {
  Cron cron;
  TimeZone zone;
  CatchUp catch_up = CatchUp::kLatest;
  int retries = 2;                                                 // After the first attempt.
  std::chrono::milliseconds retry_delay{std::chrono::minutes(5)};  // Doubles with each attempt.
  std::chrono::milliseconds max_retry_delay{std::chrono::hours(1)};
  std::optional<std::chrono::milliseconds> timeout;  // Of one attempt.
  std::optional<WallTime> start;                     // No interval begins before it.
  bool by_itself = true;                             // False: only what somebody asked for runs, and its retries.
};

// How long after an attempt (1 is the first) that failed the next one begins. Empty: it was the last.
std::optional<std::chrono::milliseconds> retry_delay(const Rules& rules, int attempt);

// The interval that ends at a moment of the schedule.
Interval interval_ending(const Rules& rules, WallTime end);

// The interval whose scheduled run is due at `now`, the oldest first. `since`: when this scheduler began to look; with kNone what was due
// before is not made up for. A clock that goes back repeats nothing; what it ran ahead does not hold up the schedule.
std::optional<Interval> due(const Rules& rules, const History& history, WallTime now, WallTime since);

// Intervals that are over and that due() will never give, as `catch_up` passes them over.
struct Passed {
  Interval stretch;  // From the start of the first to the end of the last.
  std::uint64_t intervals = 0;
};
inline constexpr std::uint64_t kMostCounted = 10'000;  // Of more, so many are told.
std::optional<Passed> passed_over(const Rules& rules, const History& history, WallTime now, WallTime since);

enum class BackfillPolicy { kMissing, kFailed, kAll };  // kFailed: missing ones too.
enum class BackfillOrder { kOldestFirst, kNewestFirst };
inline constexpr std::size_t kMaxBackfill = 10'000;
// The intervals that begin in [from, until) and are over at `now`, and of them those that the policy runs, in their order; never those
// whose run waits or is at work. kInvalid: none lie there, or more than kMaxBackfill.
struct BackfillPlan {
  std::size_t intervals = 0;
  std::vector<Interval> to_run;
};
Result<BackfillPlan> plan_backfill(const Rules& rules, const History& history, WallTime from, WallTime until,
                                   WallTime now, BackfillPolicy policy,
                                   BackfillOrder order = BackfillOrder::kOldestFirst);

}  // namespace pinflow::schedule
