#include "schedule/runner.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "base/timestamp.h"
#include "schedule/cron_times.h"

namespace pinflow::schedule {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kLongestLook = std::chrono::minutes(1);
constexpr milliseconds kOthersRun =
    std::chrono::seconds(15);  // While another process runs, nothing tells when it ends.

}  // namespace

Runner::Runner(RunStore& store, const Clock& clock, Logger& logger, Rules rules, Job job)
    : store_(store), clock_(clock), logger_(logger), rules_(std::move(rules)), job_(std::move(job)) {}

Result<std::uint64_t> Runner::queue(RunKind kind, const Interval& interval) {
  TRY_ASSIGN(const Event queued, store_.add([&](const History& history) -> Result<Event> {
    if (kind == RunKind::kScheduled && history.run_of(interval) != nullptr)
      return fail(ErrorCode::kConflict, "this interval has its run already");
    // Who asks waits for the run, so it must not stay behind in the queue.
    if (const Run* const other = history.running(); other != nullptr && kind != RunKind::kScheduled)
      return fail(ErrorCode::kConflict, fmt::format("run {} is running; runs do not overlap", other->id));
    Event event;
    event.type = Event::Type::kQueued;
    event.kind = kind;
    event.interval = interval;
    return event;
  }));
  return queued.run;
}

Result<std::uint64_t> Runner::queue_manual() {
  const WallTime now = clock_.now();
  return queue(RunKind::kManual, {now, now});
}

Result<void> Runner::clean_up() {
  TRY_ASSIGN(const bool ended,
             store_.end_dead_run([this](const Run& run) { return retry_at(rules_, run, clock_.now()); }));
  if (ended) logger_.warning("a run was interrupted: its process ended in the middle of it");
  return {};
}

Result<Run> Runner::execute(std::uint64_t id, std::stop_token stop, bool again) {
  TRY_ASSIGN(const Event claimed, store_.add([&](const History& history) -> Result<Event> {
    const Run* const run = history.find(id);
    if (run == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no run {}", id));
    const bool waits = run->state == RunState::kQueued || run->state == RunState::kRetrying;
    if (!waits && !again)
      return fail(ErrorCode::kConflict, fmt::format("run {} is {} already", id, to_string(run->state)));
    Event event;
    event.type = Event::Type::kClaimed;
    event.run = id;
    return event;
  }));
  TRY_ASSIGN(const History before, store_.read());
  const Run run = *before.find(id);
  logger_.info("a run begins", {{"run", id}, {"attempt", run.attempts}});
  const Outcome outcome = call(run, stop);
  TRY(store_.add([&](const History&) -> Result<Event> {
    Event event;
    event.type = Event::Type::kEnded;
    event.run = id;
    event.claim = claimed.number;
    event.outcome = outcome;
    event.state = outcome.success         ? RunState::kSuccess
                  : stop.stop_requested() ? RunState::kInterrupted
                                          : RunState::kFailed;
    if (!outcome.success && outcome.retry) event.retry_at = retry_at(rules_, run, clock_.now());
    return event;
  }));
  TRY_ASSIGN(const History after, store_.read());
  const Run ended = *after.find(id);
  if (outcome.success) {
    logger_.info("a run succeeded", {{"run", id}});
  } else {
    logger_.error(
        "a run failed",
        {{"run", id}, {"why", outcome.message}, {"again", ended.retry_at ? format_iso8601(*ended.retry_at) : "no"}});
  }
  return ended;
}

Outcome Runner::call(const Run& run, const std::stop_token& stop) {
  std::stop_source source;
  const std::stop_callback pass_on(stop, [&source] { source.request_stop(); });
  std::atomic<bool> late = false;
  Wakeup done;
  const std::stop_token armed = done.arm();
  std::jthread timer;
  if (rules_.timeout) {
    timer = std::jthread([&, longest = *rules_.timeout] {
      Wakeup::wait(longest, armed);
      if (armed.stop_requested()) return;
      late = true;
      source.request_stop();
    });
  }
  Outcome outcome = job_({run.id, run.kind, run.interval, run.attempts, source.get_token()});
  done.notify();
  if (timer.joinable()) timer.join();
  if (late && !outcome.success)
    outcome.message =
        fmt::format("stopped: it took longer than {} s (schedule.timeout). {}",
                    std::chrono::duration_cast<std::chrono::seconds>(*rules_.timeout).count(), outcome.message);
  return outcome;
}

Scheduler::Scheduler(Runner& runner, const Clock& clock, Logger& logger)
    : runner_(runner), clock_(clock), logger_(logger), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Scheduler::~Scheduler() {
  thread_.request_stop();
  wakeup_.notify();
  thread_.join();
}

Result<WallTime> Scheduler::step(Runner& runner, const Clock& clock, WallTime since, const std::stop_token& stop) {
  TRY(runner.clean_up());
  const WallTime now = clock.now();
  TRY_ASSIGN(History history, runner.store().read());
  if (!history.began()) {
    const auto began = runner.store().add([](const History&) -> Result<Event> {
      Event event;
      event.type = Event::Type::kBegan;
      return event;
    });
    if (!began && began.error().code != ErrorCode::kConflict) return fail(began.error());
    return now;
  }
  if (history.running() != nullptr) return now + kOthersRun;
  const auto lost = [](const Error& error) { return error.code == ErrorCode::kConflict; };  // Somebody else was first.
  if (const Run* const run = history.claimable(now)) {
    const auto ended = runner.execute(run->id, stop);
    if (!ended && !lost(ended.error())) return fail(ended.error());
    return now;
  }
  if (const auto interval = due(runner.rules(), history, now, since)) {
    const auto queued = runner.queue(RunKind::kScheduled, *interval);
    if (!queued && !lost(queued.error())) return fail(queued.error());
    return now;
  }
  WallTime next = now + kLongestLook;
  if (const auto at = next_after(runner.rules().cron, runner.rules().zone, now)) next = std::min(next, *at);
  if (const auto at = history.next_claimable()) next = std::min(next, *at);
  return next;
}

void Scheduler::run(const std::stop_token& stop) {
  const WallTime since = clock_.now();
  while (true) {
    const std::stop_token armed = wakeup_.arm();
    if (stop.stop_requested()) return;
    const auto next = step(runner_, clock_, since, stop);
    if (!next)
      logger_.error("the schedule could not go on; it tries again in a minute", {{"why", next.error().message}});
    const milliseconds left = next ? *next - clock_.now() : kLongestLook;
    if (left.count() > 0) Wakeup::wait(std::min(left, kLongestLook), armed);
  }
}

}  // namespace pinflow::schedule
