#include "schedule/history.h"

#include <fmt/core.h>

#include "base/check.h"

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
  }
  CHECK(false, "a state of a run outside its enum");
}

std::optional<RunState> parse_state(std::string_view text) {
  for (const RunState state : {RunState::kQueued, RunState::kRunning, RunState::kRetrying, RunState::kSuccess,
                               RunState::kFailed, RunState::kInterrupted}) {
    if (to_string(state) == text) return state;
  }
  return std::nullopt;
}

Result<void> History::check(const Event& event) const {
  if (event.number != next_number_) {
    return fail(ErrorCode::kInvalid, fmt::format("event {} comes where {} is next", event.number, next_number_));
  }
  const Run* const run = find(event.run);
  switch (event.type) {
    case Event::Type::kBegan:
      if (began_) return fail(ErrorCode::kConflict, "the schedule began already");
      return {};
    case Event::Type::kPaused:
    case Event::Type::kResumed:
      return {};
    case Event::Type::kQueued:
      if (event.run != event.number) return fail(ErrorCode::kInvalid, "a run is named by the event that queues it");
      return {};
    case Event::Type::kClaimed:
      if (running_) return fail(ErrorCode::kConflict, fmt::format("run {} is running; runs do not overlap", *running_));
      if (run == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", event.run));
      return {};
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
    case Event::Type::kQueued: {
      Run run;
      run.id = event.run;
      run.kind = event.kind;
      run.interval = event.interval;
      run.queued = event.at;
      if (run.kind == RunKind::kScheduled) scheduled_ends_.insert(run.interval.end);
      if (run.kind != RunKind::kManual) by_interval_[{run.interval.start, run.interval.end}] = run.id;
      runs_.emplace(run.id, std::move(run));
      open_.insert(event.run);
      return;
    }
    case Event::Type::kClaimed: {
      Run& run = runs_.at(event.run);
      run.state = RunState::kRunning;
      ++run.attempts;
      run.owner = event.owner;
      run.claim = event.number;
      run.started = event.at;
      run.ended.reset();
      run.retry_at.reset();
      open_.erase(run.id);
      running_ = run.id;
      return;
    }
    case Event::Type::kEnded: {
      Run& run = runs_.at(event.run);
      run.state = event.retry_at ? RunState::kRetrying : event.state;
      run.ended = event.at;
      run.retry_at = event.retry_at;
      run.outcome = event.outcome;
      if (event.retry_at) open_.insert(run.id);
      running_.reset();
      return;
    }
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
