#include "schedule/requests.h"

#include <fmt/format.h>

#include "base/timestamp.h"

namespace pinflow::schedule {

namespace {

bool is_lost(const Result<Event>& added) {
  return !added && added.error().code == ErrorCode::kConflict;
}

Event queued(RunKind kind, const Interval& interval) {
  Event event;
  event.type = Event::Type::kQueued;
  event.kind = kind;
  event.interval = interval;
  return event;
}

}  // namespace

Result<std::uint64_t> ask_for_run(RunStore& store, const Clock& clock) {
  TRY_ASSIGN(const Event added, store.add([&](const History& history) -> Result<Event> {
    const Run* other = history.running();
    if (other == nullptr) other = history.claimable(clock.now());
    if (other != nullptr) {
      return fail(ErrorCode::kConflict, fmt::format("run {} is {}; runs do not overlap: ask again when it has ended",
                                                    other->id, to_string(other->state)));
    }
    const WallTime now = clock.now();
    return queued(RunKind::kManual, {now, now});
  }));
  return added.run;
}

Result<void> ask_for_retry(RunStore& store, std::uint64_t run) {
  TRY(store.add([run](const History&) -> Result<Event> {
    Event event;
    event.type = Event::Type::kRequeued;
    event.run = run;
    return event;
  }));
  return {};
}

Result<std::vector<std::uint64_t>> ask_for_backfill(RunStore& store, const BackfillPlan& plan) {
  std::vector<std::uint64_t> runs;
  for (const Interval& interval : plan.to_run) {
    const auto added = store.add([&](const History& history) -> Result<Event> {
      const Run* const other = history.run_of(interval);
      if (other != nullptr && is_open(*other))
        return fail(ErrorCode::kConflict, "it has a run that waits or is at work");
      return queued(RunKind::kBackfill, interval);
    });
    if (is_lost(added)) continue;
    if (!added) return fail(added.error());
    runs.push_back(added->run);
  }
  return runs;
}

Result<WallTime> parse_moment(std::string_view what, const std::string& text) {
  auto at = parse_iso8601(text);
  if (!at) at = parse_iso8601(text + "T00:00:00Z");
  if (at) return *at;
  return fail(ErrorCode::kInvalid, fmt::format("{} '{}': expected a day of UTC such as 2026-11-01, or a time such as "
                                               "2026-11-01T06:30:00+01:00",
                                               what, text));
}

Result<BackfillPolicy> parse_policy(std::string_view text) {
  if (text == "missing") return BackfillPolicy::kMissing;
  if (text == "failed") return BackfillPolicy::kFailed;
  if (text == "all") return BackfillPolicy::kAll;
  return fail(ErrorCode::kInvalid, fmt::format("policy '{}' is none of missing, failed and all", text));
}

Result<BackfillOrder> parse_order(std::string_view text) {
  if (text == "oldest") return BackfillOrder::kOldestFirst;
  if (text == "newest") return BackfillOrder::kNewestFirst;
  return fail(ErrorCode::kInvalid, fmt::format("order '{}' is neither oldest nor newest", text));
}

Result<bool> set_paused(RunStore& store, bool paused) {
  const auto added = store.add([paused](const History& history) -> Result<Event> {
    if (history.paused() == paused) return fail(ErrorCode::kConflict, "it is so already");
    Event event;
    event.type = paused ? Event::Type::kPaused : Event::Type::kResumed;
    return event;
  });
  if (!added && !is_lost(added)) return fail(added.error());
  return added.has_value();
}

}  // namespace pinflow::schedule
