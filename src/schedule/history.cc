#include "schedule/history.h"

#include <fmt/core.h>

#include "base/check.h"
#include "base/timestamp.h"

namespace pinflow::schedule {

std::string_view to_string(RunKind kind) {
  switch (kind) {
    case RunKind::kScheduled:
      return "scheduled";
    case RunKind::kManual:
      return "manual";
    case RunKind::kBackfill:
      return "backfill";
  }
  CHECK(false, "a kind of run outside its enum");
}

std::string_view to_string(RunState state) {
  switch (state) {
    case RunState::kQueued:
      return "queued";
    case RunState::kRunning:
      return "running";
    case RunState::kRetrying:
      return "retrying";
    case RunState::kSuccess:
      return "success";
    case RunState::kFailed:
      return "failed";
    case RunState::kInterrupted:
      return "interrupted";
    case RunState::kSkipped:
      return "skipped";
  }
  CHECK(false, "a state of a run outside its enum");
}

std::optional<RunState> parse_state(std::string_view text) {
  for (const RunState state : kStates) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

namespace {

Result<void> refuse_skipped(const Run& run) {
  if (run.state != RunState::kSkipped) return {};
  return fail(
      ErrorCode::kConflict,
      fmt::format("run {} was skipped and has nothing to try again: a backfill from {} until {} runs what is missing",
                  run.id, format_iso8601(run.interval.start), format_iso8601(run.interval.end)));
}

}  // namespace

Result<void> History::check(const Event& event) const {
  if (event.number != next_number_) {
    return fail(ErrorCode::kInvalid, fmt::format("event {} comes where {} is next", event.number, next_number_));
  }
  const Run* const run = find(event.run);
  const auto overlap = [this] {
    return fail(ErrorCode::kConflict, fmt::format("run {} is running; runs do not overlap", *running_));
  };
  switch (event.type) {
    case Event::Type::kBegan:
      if (began_) return fail(ErrorCode::kConflict, "the schedule began already");
      return {};
    case Event::Type::kPaused:
    case Event::Type::kResumed:
      return {};
    case Event::Type::kQueued:
    case Event::Type::kStarted:
    case Event::Type::kSkipped:
      if (event.run != event.number) return fail(ErrorCode::kInvalid, "a run is named by the event that makes it");
      if (event.type == Event::Type::kStarted && running_) return overlap();
      return {};
    case Event::Type::kRequeued:
      if (run == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", event.run));
      if (run->state == RunState::kQueued || run->state == RunState::kRunning)
        return fail(ErrorCode::kConflict, fmt::format("run {} is {} already", run->id, to_string(run->state)));
      return refuse_skipped(*run);
    case Event::Type::kClaimed:
      if (running_) return overlap();
      if (run == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", event.run));
      return refuse_skipped(*run);
    case Event::Type::kEnded:
      if (run == nullptr || run->state != RunState::kRunning || run->claim != event.claim) {
        return fail(ErrorCode::kConflict,
                    fmt::format("run {} was taken from this process: another one ended or claimed it", event.run));
      }
      return {};
  }
  CHECK(false, "a type of event outside its enum");
}

void History::apply(const Event& event) {
  CHECK(event.number == next_number_, "events are applied in order");
  ++next_number_;
  switch (event.type) {
    case Event::Type::kBegan:
      began_ = event.at;
      return;
    case Event::Type::kPaused:
      paused_ = true;
      return;
    case Event::Type::kResumed:
      paused_ = false;
      resumed_ = event.at;
      return;
    case Event::Type::kQueued:
      enter(add_run(event), RunState::kQueued);
      return;
    case Event::Type::kStarted:
      claim(add_run(event), event);
      return;
    case Event::Type::kSkipped:
      enter(add_run(event), RunState::kSkipped);
      return;
    case Event::Type::kRequeued: {
      Run& run = runs_.at(event.run);
      run.retry_at.reset();
      enter(run, RunState::kQueued);
      return;
    }
    case Event::Type::kClaimed:
      claim(runs_.at(event.run), event);
      return;
    case Event::Type::kEnded:
      end(runs_.at(event.run), event);
      return;
  }
}

Run& History::add_run(const Event& event) {
  Run& run = runs_[event.run];
  run.id = event.run;
  run.kind = event.kind;
  run.interval = event.interval;
  run.intervals = event.intervals;
  run.queued = event.at;
  run.outcome.message = event.outcome.message;
  ++counts_[static_cast<std::size_t>(run.state)];
  if (run.kind == RunKind::kScheduled) scheduled_ends_.insert(run.interval.end);
  const bool runs = event.type != Event::Type::kSkipped && run.kind != RunKind::kManual;
  if (runs) by_interval_[{run.interval.start, run.interval.end}] = run.id;
  return run;
}

void History::claim(Run& run, const Event& event) {
  ++run.attempts;
  run.owner = event.owner;
  run.claim = event.number;
  run.retry_in = event.retry_in;
  run.started = event.at;
  run.ended.reset();
  run.retry_at.reset();
  enter(run, RunState::kRunning);
  running_ = run.id;
}

void History::end(Run& run, const Event& event) {
  run.ended = event.at;
  run.retry_at = event.retry_at;
  run.outcome = event.outcome;
  enter(run, event.retry_at ? RunState::kRetrying : event.state);
  running_.reset();
  last_ended_ = run.id;
  if (event.state == RunState::kSuccess) last_success_ = run.id;
}

void History::enter(Run& run, RunState state) {
  --counts_[static_cast<std::size_t>(run.state)];
  ++counts_[static_cast<std::size_t>(state)];
  run.state = state;
  if (state == RunState::kQueued || state == RunState::kRetrying) {
    open_.insert(run.id);
  } else {
    open_.erase(run.id);
  }
}

const Run* History::find(std::uint64_t id) const {
  const auto found = runs_.find(id);
  return found == runs_.end() ? nullptr : &found->second;
}

const Run* History::running() const {
  return running_ ? find(*running_) : nullptr;
}

const Run* History::claimable(WallTime now) const {
  for (const std::uint64_t id : open_) {
    const Run& run = runs_.at(id);
    if (!run.retry_at || *run.retry_at <= now) return &run;
  }
  return nullptr;
}

std::optional<WallTime> History::next_claimable() const {
  std::optional<WallTime> first;
  for (const std::uint64_t id : open_) {
    const Run& run = runs_.at(id);
    const WallTime at = run.retry_at.value_or(run.queued);
    if (!first || at < *first) first = at;
  }
  return first;
}

std::optional<WallTime> History::last_end(WallTime now) const {
  const auto after = scheduled_ends_.upper_bound(now);
  if (after == scheduled_ends_.begin()) return std::nullopt;
  return *std::prev(after);
}

const Run* History::run_of(const Interval& interval) const {
  const auto found = by_interval_.find({interval.start, interval.end});
  return found == by_interval_.end() ? nullptr : find(found->second);
}

}  // namespace pinflow::schedule
