#include "schedule/rules.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/timestamp.h"
#include "schedule/cron_times.h"

namespace pinflow::schedule {

using std::chrono::milliseconds;

std::optional<milliseconds> retry_delay(const Rules& rules, int attempt) {
  if (attempt > rules.retries) return std::nullopt;
  milliseconds delay = rules.retry_delay;
  for (int doubled = 1; doubled < attempt && delay < rules.max_retry_delay; ++doubled) delay *= 2;
  return std::min(delay, std::max(rules.max_retry_delay, rules.retry_delay));
}

Interval interval_ending(const Rules& rules, WallTime end) {
  return {last_before(rules.cron, rules.zone, end).value_or(end), end};
}

namespace {

constexpr std::chrono::minutes kOthersLook(2);

// Ends of intervals that have no run yet are after `known`, those that are made up for after `taken`. Empty: nothing is ever due.
struct Bounds {
  WallTime known;
  WallTime taken;
};

std::optional<Bounds> bounds(const Rules& rules, const History& history, WallTime now, WallTime since) {
  const auto last = history.last_end(now);
  WallTime known = last.value_or(history.began().value_or(since));
  if (rules.start) {
    const auto first = next_after(rules.cron, rules.zone, *rules.start - milliseconds(1));
    if (!first) return std::nullopt;
    known = last ? std::max(known, *first) : *first;
  }
  WallTime taken = known;
  if (rules.catch_up == CatchUp::kNone) {
    if (since <= now) taken = std::max(taken, since);
    if (history.resumed() && *history.resumed() <= now) taken = std::max(taken, *history.resumed());
  }
  return Bounds{known, taken};
}

}  // namespace

std::optional<Interval> due(const Rules& rules, const History& history, WallTime now, WallTime since) {
  if (history.paused() || !rules.by_itself) return std::nullopt;
  const auto bound = bounds(rules, history, now, since);
  if (!bound) return std::nullopt;
  if (rules.catch_up == CatchUp::kAll) {
    const auto end = next_after(rules.cron, rules.zone, bound->known);
    return end && *end <= now ? std::optional(interval_ending(rules, *end)) : std::nullopt;
  }
  const auto end = last_before(rules.cron, rules.zone, now + milliseconds(1));
  return end && *end > bound->taken ? std::optional(interval_ending(rules, *end)) : std::nullopt;
}

std::optional<Passed> passed_over(const Rules& rules, const History& history, WallTime now, WallTime since) {
  if (history.paused() || !rules.by_itself || rules.catch_up == CatchUp::kAll) return std::nullopt;
  const auto bound = bounds(rules, history, now, since);
  if (!bound) return std::nullopt;
  const auto latest = last_before(rules.cron, rules.zone, now + milliseconds(1));
  if (!latest || *latest <= bound->known) return std::nullopt;
  // All up to the latest one, which itself is due unless it too is not made up for.
  const bool is_due = *latest > bound->taken;
  const auto last = is_due ? last_before(rules.cron, rules.zone, *latest) : latest;
  if (!last || *last <= bound->known) return std::nullopt;
  // To a scheduler that was there before this one it may be due: it is left the time to see it.
  if (!is_due && now - *last < kOthersLook) return std::nullopt;
  const auto first = next_after(rules.cron, rules.zone, bound->known);
  if (!first) return std::nullopt;
  Passed passed{{interval_ending(rules, *first).start, *last}, 0};
  for (auto end = first; end && *end <= *last && passed.intervals < kMostCounted;
       end = next_after(rules.cron, rules.zone, *end))
    ++passed.intervals;
  return passed;
}

Result<BackfillPlan> plan_backfill(const Rules& rules, const History& history, WallTime from, WallTime until,
                                   WallTime now, BackfillPolicy policy, BackfillOrder order) {
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
    const bool open = run != nullptr && is_open(*run);
    if (!open && (run == nullptr || policy == BackfillPolicy::kAll || (policy == BackfillPolicy::kFailed && failed)))
      plan.to_run.push_back(interval);
    start = end;
  }
  if (plan.intervals == 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("no interval of '{}' begins at or after {}, before {}, and is over by now",
                            rules.cron.text(), format_iso8601(from), format_iso8601(until)));
  }
  if (order == BackfillOrder::kNewestFirst) std::ranges::reverse(plan.to_run);
  return plan;
}

}  // namespace pinflow::schedule
