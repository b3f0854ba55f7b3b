#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schedule/report.h"

namespace pinflow::schedule {

enum class RunKind { kScheduled, kManual, kBackfill };
// kQueued waits to be claimed, kRetrying waits for its time to be claimed again, kSkipped was never run: the rule of catching up passes it over.
enum class RunState { kQueued, kRunning, kRetrying, kSuccess, kFailed, kInterrupted, kSkipped };
inline constexpr std::array<RunState, 7> kStates = {RunState::kQueued,  RunState::kRunning, RunState::kRetrying,
                                                    RunState::kSuccess, RunState::kFailed,  RunState::kInterrupted,
                                                    RunState::kSkipped};
std::string_view to_string(RunKind kind);
std::string_view to_string(RunState state);
std::optional<RunState> parse_state(std::string_view text);

// What a run is for: the data from `start` up to `end`. It runs once the interval is over. A manual run's is empty: both are the moment
// it was asked for.
struct Interval {
  WallTime start;
  WallTime end;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// What a job tells of itself when it ends.
struct Outcome {
  bool success = true;
  int exit_code = 0;    // As the command line has it: 4 where a data check stopped the run.
  std::string message;  // Why it failed, or a line of what it did.
  bool retry = true;  // False: another attempt would fail the same. Not stored; the event tells when it is tried again.
  std::optional<Report> report;
  std::vector<std::pair<std::string, std::chrono::milliseconds>> steps;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// One entry of the store: something that happened, never changed afterwards.
struct Event {
  // kStarted: queued and claimed at once. kRequeued: a run that ended, or waits for its time, is to run now. kSkipped: intervals that are
  // not run, as one run from the start of the first to the end of the last.
  enum class Type { kBegan, kQueued, kClaimed, kEnded, kPaused, kResumed, kStarted, kRequeued, kSkipped };
  std::uint64_t number = 0;  // 1, 2, 3 ... without gaps.
  WallTime at;
  Type type = Type::kQueued;
  std::uint64_t run = 0;               // kQueued, kStarted, kSkipped: equal to `number`.
  RunKind kind = RunKind::kScheduled;  // kQueued, kStarted.
  Interval interval;                   // kQueued, kStarted, kSkipped.
  std::uint64_t intervals = 1;         // kSkipped: how many there are in it.
  std::string owner;                   // kClaimed, kStarted: who runs it.
  // kClaimed, kStarted: how long after this attempt, should it fail, the next one begins. Empty: it was the last.
  std::optional<std::chrono::milliseconds> retry_in;
  std::uint64_t claim = 0;              // kEnded: number of the event that claimed what it ends.
  RunState state = RunState::kSuccess;  // kEnded.
  std::optional<WallTime> retry_at;     // kEnded: claimed again from then on.
  Outcome outcome;                      // kEnded.
  friend bool operator==(const Event&, const Event&) = default;
};

// The line of an event (docs/formats/schedule.md), with its newline; parse_event() takes it without. kCorrupt: not such a line, or its
// checksum does not fit.
std::string event_line(const Event& event);
Result<Event> parse_event(std::string_view line);

struct Run {
  std::uint64_t id = 0;
  RunKind kind = RunKind::kScheduled;
  Interval interval;
  std::uint64_t intervals = 1;  // More than one where a stretch of them was skipped.
  RunState state = RunState::kQueued;
  WallTime queued;
  int attempts = 0;
  std::string owner;        // Of the last attempt.
  std::uint64_t claim = 0;  // The last one. Whoever ends a run shows it, so one that lost its claim cannot.
  std::optional<std::chrono::milliseconds>
      retry_in;  // The rule of whoever claimed it, which holds also if that one dies.
  std::optional<WallTime> started, ended, retry_at;
  Outcome outcome;  // Of the last attempt that ended.
};

inline bool is_open(const Run& run) {
  return run.state == RunState::kQueued || run.state == RunState::kRunning || run.state == RunState::kRetrying;
}

// All runs and whether the schedule is paused, as the events up to now say. A value type; pure.
class History final {
 public:
  // Whether the event can come next: kConflict where a run is not in the state for it, or another one runs (no two runs overlap).
  // kInvalid: it has another number than the next one.
  Result<void> check(const Event& event) const;
  // Takes in an event that check() accepts.
  void apply(const Event& event);

  std::uint64_t next_number() const { return next_number_; }
  const std::map<std::uint64_t, Run>& runs() const { return runs_; }
  const Run* find(std::uint64_t id) const;
  const Run* running() const;
  // What can be claimed at `now`, the oldest first; and when the next one can be.
  const Run* claimable(WallTime now) const;
  std::optional<WallTime> next_claimable() const;
  bool paused() const { return paused_; }
  std::optional<WallTime> began() const { return began_; }      // When a scheduler first looked.
  std::optional<WallTime> resumed() const { return resumed_; }  // Last.
  // The end of the last interval at or before `now` that has a run of the schedule. Later ones, of a clock that was ahead, do not count.
  std::optional<WallTime> last_end(WallTime now) const;
  // The latest run of an interval; null: none. One that was skipped is none.
  const Run* run_of(const Interval& interval) const;
  std::uint64_t count(RunState state) const { return counts_[static_cast<std::size_t>(state)]; }
  // The runs that ended last, and last of those that succeeded; null: none did.
  const Run* last_ended() const { return last_ended_ ? find(*last_ended_) : nullptr; }
  const Run* last_success() const { return last_success_ ? find(*last_success_) : nullptr; }

 private:
  Run& add_run(const Event& event);
  void claim(Run& run, const Event& event);
  void end(Run& run, const Event& event);
  void enter(Run& run, RunState state);  // All changes of a state go through it.

  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, Run> runs_;
  std::set<std::uint64_t> open_;  // Queued or retrying.
  std::optional<std::uint64_t> running_;
  std::set<WallTime> scheduled_ends_;
  std::map<std::pair<WallTime, WallTime>, std::uint64_t> by_interval_;  // Not of manual runs.
  std::array<std::uint64_t, kStates.size()> counts_{};
  std::optional<std::uint64_t> last_ended_, last_success_;
  bool paused_ = false;
  std::optional<WallTime> began_, resumed_;
};

}  // namespace pinflow::schedule
