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

Result<Run> Runner::start(RunKind kind, const Interval& interval, std::stop_token stop) {
  TRY_ASSIGN(const Event started, store_.add([&](const History&) -> Result<Event> {
    Event event;
    event.type = Event::Type::kStarted;
    event.kind = kind;
    event.interval = interval;
    event.retry_in = retry_delay(rules_, 1);
    return event;
  }));
  return go(started, stop);
}

Result<Run> Runner::start_manual(std::stop_token stop) {
  const WallTime now = clock_.now();
  return start(RunKind::kManual, {now, now}, std::move(stop));
}

Result<void> Runner::clean_up() {
  TRY_ASSIGN(const bool ended, store_.end_dead_run());
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
    event.retry_in = retry_delay(rules_, run->attempts + 1);
    return event;
  }));
  return go(claimed, stop);
}

Result<Run> Runner::go(const Event& claimed, const std::stop_token& stop) {
  const std::uint64_t id = claimed.run;
  Run run;
  TRY(store_.look([&](const History& history) { run = *history.find(id); }));
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
    if (!outcome.success && outcome.retry && run.retry_in) event.retry_at = clock_.now() + *run.retry_in;
    return event;
  }));
  Run ended;
  TRY(store_.look([&](const History& history) { ended = *history.find(id); }));
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

namespace {

std::string_view name_of(CatchUp catch_up) {
  return catch_up == CatchUp::kNone ? "none" : "latest";  // With all, nothing is passed over.
}

// What the clock and the rules add to the history, if anything.
std::optional<Event> next_skipped(const Rules& rules, const History& history, WallTime now, WallTime since) {
  const auto passed = passed_over(rules, history, now, since);
  if (!passed) return std::nullopt;
  Event event;
  event.type = Event::Type::kSkipped;
  event.interval = passed->stretch;
  event.intervals = passed->intervals;
  event.outcome.message =
      fmt::format("{} passed over: schedule.catch_up = {}; a backfill runs what is missing",
                  passed->intervals == 1              ? "1 interval was"
                  : passed->intervals == kMostCounted ? fmt::format("{} intervals or more were", kMostCounted)
                                                      : fmt::format("{} intervals were", passed->intervals),
                  name_of(rules.catch_up));
  return event;
}

std::optional<Event> next_due(const Rules& rules, const History& history, WallTime now, WallTime since) {
  const auto interval = due(rules, history, now, since);
  if (!interval) return std::nullopt;
  Event event;
  event.type = Event::Type::kQueued;
  event.interval = *interval;
  return event;
}

}  // namespace

Scheduler::Scheduler(Runner& runner, const Clock& clock, Logger& logger)
    : runner_(runner), clock_(clock), logger_(logger) {}

void Scheduler::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Scheduler::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wakeup_.notify();
  thread_.join();
}

Result<WallTime> Scheduler::step(Runner& runner, const Clock& clock, WallTime since, const std::stop_token& stop) {
  TRY(runner.clean_up());
  const WallTime now = clock.now();
  TRY_ASSIGN(const History history, runner.store().read());
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
  for (const auto next : {next_skipped, next_due}) {
    if (!next(runner.rules(), history, now, since)) continue;
    const auto added = runner.store().add([&](const History& latest) -> Result<Event> {
      auto event = next(runner.rules(), latest, now, since);
      return event ? Result<Event>(*std::move(event)) : fail(ErrorCode::kConflict, "somebody else has added it");
    });
    if (!added && !lost(added.error())) return fail(added.error());
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
