#include "schedule/rules.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/timestamp.h"
#include "schedule/cron_times.h"

namespace pinflow::schedule {

using std::chrono::milliseconds;

std::optional<WallTime> retry_at(const Rules& rules, const Run& run, WallTime now) {
  if (run.attempts > rules.retries) return std::nullopt;
  milliseconds delay = rules.retry_delay;
  for (int attempt = 1; attempt < run.attempts && delay < rules.max_retry_delay; ++attempt) delay *= 2;
  return now + std::min(delay, std::max(rules.max_retry_delay, rules.retry_delay));
}

Interval interval_ending(const Rules& rules, WallTime end) {
  return {last_before(rules.cron, rules.zone, end).value_or(end), end};
}

std::optional<Interval> due(const Rules& rules, const History& history, WallTime now, WallTime since) {
  if (history.paused()) return std::nullopt;
  WallTime after = history.last_end(now).value_or(history.began().value_or(since));
  if (rules.start) {
    const auto first = next_after(rules.cron, rules.zone, *rules.start - milliseconds(1));
    if (!first) return std::nullopt;
    after = history.last_end(now) ? std::max(after, *first) : *first;
  }
  if (rules.catch_up == CatchUp::kAll) {
    const auto end = next_after(rules.cron, rules.zone, after);
    return end && *end <= now ? std::optional(interval_ending(rules, *end)) : std::nullopt;
  }
  if (rules.catch_up == CatchUp::kNone) {
    if (since <= now) after = std::max(after, since);
    if (history.resumed() && *history.resumed() <= now) after = std::max(after, *history.resumed());
  }
  const auto end = last_before(rules.cron, rules.zone, now + milliseconds(1));
  return end && *end > after ? std::optional(interval_ending(rules, *end)) : std::nullopt;
}

Result<BackfillPlan> plan_backfill(const Rules& rules, const History& history, WallTime from, WallTime until,
                                   WallTime now, BackfillPolicy policy) {
  BackfillPlan plan;
  auto start = next_after(rules.cron, rules.zone, from - milliseconds(1));
  while (start && *start < until) {
    const auto end = next_after(rules.cron, rules.zone, *start);
    if (!end || *end > now) break;
    if (++plan.intervals > kMaxBackfill)
      return fail(ErrorCode::kInvalid,
                  fmt::format("the range has more than {} intervals: take a shorter one", kMaxBackfill));
    const Interval interval{*start, *end};
    const Run* const run = history.run_of(interval);
    const bool failed = run != nullptr && (run->state == RunState::kFailed || run->state == RunState::kInterrupted);
    if (run == nullptr || policy == BackfillPolicy::kAll || (policy == BackfillPolicy::kFailed && failed))
      plan.to_run.push_back(interval);
    start = end;
  }
  if (plan.intervals == 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("no interval of '{}' begins at or after {}, before {}, and is over by now",
                            rules.cron.text(), format_iso8601(from), format_iso8601(until)));
  }
  return plan;
}

}  // namespace pinflow::schedule
