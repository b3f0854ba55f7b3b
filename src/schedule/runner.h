#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "base/logger.h"
#include "base/wakeup.h"
#include "schedule/rules.h"
#include "schedule/run_store.h"

namespace pinflow::schedule {

// What a job is called with.
struct JobCall {
  std::uint64_t run = 0;
  RunKind kind = RunKind::kScheduled;
  Interval interval;
  int attempt = 1;
  std::stop_token stop;  // Requested at shutdown and when the attempt takes longer than it may.
};
using Job = std::function<Outcome(const JobCall&)>;

// Claims runs, runs the job and writes down how it ended. One thread owns it and nobody else executes with the same store; all that is
// passed in must outlive it.
class Runner final {
 public:
  Runner(RunStore& store, const Clock& clock, Logger& logger, Rules rules, Job job);

  // Makes a run and executes it, for who waits for its end: no moment at which it is queued and another process might take it.
  // kConflict: another run is running, and there is none of this one.
  Result<Run> start(RunKind kind, const Interval& interval, std::stop_token stop);
  // The same as a manual run, whose interval is this moment.
  Result<Run> start_manual(std::stop_token stop);
  // Claims and runs it; waits for its end. `again`: also a run that ended already. kConflict: another run is running, or somebody else
  // has claimed this one. A job that fails is not an error: the run tells.
  Result<Run> execute(std::uint64_t run, std::stop_token stop, bool again = false);
  // Marks a run whose process died as interrupted.
  Result<void> clean_up();

  const Rules& rules() const { return rules_; }
  RunStore& store() { return store_; }

 private:
  Result<Run> go(const Event& claimed, const std::stop_token& stop);
  Outcome call(const Run& run, const std::stop_token& stop);

  RunStore& store_;
  const Clock& clock_;
  Logger& logger_;
  const Rules rules_;
  const Job job_;
};

// Runs what is due and what was asked for, in a thread of its own from start() to stop() (a run in progress is asked to stop, and is
// retried by rule). It looks again when something is due, when woken, and at least each minute, so it notices a clock that jumps and what
// other processes wrote.
class Scheduler final {
 public:
  Scheduler(Runner& runner, const Clock& clock, Logger& logger);
  ~Scheduler() { stop(); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Each once, by the thread that built it.
  void start();
  void stop();

  // One look: runs at most one run and says when to look next. What the thread does; for tests.
  static Result<WallTime> step(Runner& runner, const Clock& clock, WallTime since, const std::stop_token& stop);
  // Looks now: something was queued or changed. From any thread, also before start() and after stop().
  void wake() { wakeup_.notify(); }

 private:
  void run(const std::stop_token& stop);

  Runner& runner_;
  const Clock& clock_;
  Logger& logger_;
  Wakeup wakeup_;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::schedule
