#include "schedule/runner.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/timestamp.h"
#include "disk/memory_disk.h"
#include "schedule/requests.h"

namespace pinflow::schedule {
namespace {

using namespace std::chrono;

WallTime utc(std::string_view text) {
  return parse_iso8601(text).value();
}

Outcome failure(std::string message) {
  Outcome outcome;
  outcome.success = false;
  outcome.exit_code = 1;
  outcome.message = std::move(message);
  return outcome;
}

class Schedule : public testing::Test {
 protected:
  Schedule() { open(); }

  void open() {
    runner_.reset();
    store_.reset();
    store_ = RunStore::open("/schedule", disk_, clock_, random_).value();
    since_ = clock_.now();
    runner_ = std::make_unique<Runner>(*store_, clock_, logger_, rules_, [this](const JobCall& call) {
      ran_.push_back(format_iso8601(call.interval.start).substr(0, 13) + "/" + std::to_string(call.attempt));
      return job_(call);
    });
  }
  void restart_with(CatchUp catch_up) {
    rules_.catch_up = catch_up;
    open();
  }
  // Lets the schedule do all that it wants to until then, as its thread would.
  void go_to(std::string_view until) {
    while (clock_.now() < utc(until)) {
      const auto next = Scheduler::step(*runner_, clock_, since_, {});
      ASSERT_TRUE(next) << next.error().message;
      clock_.advance(std::clamp(*next - clock_.now(), milliseconds(0), utc(until) - clock_.now()));
    }
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(Scheduler::step(*runner_, clock_, since_, {}));
  }
  std::vector<std::string> take() { return std::exchange(ran_, {}); }

  ManualClock clock_{utc("2026-11-22T10:00:00Z")};
  Random random_{5};
  disk::MemoryDisk disk_;
  NullLogger logger_;
  Rules rules_{*Cron::parse("@daily"), TimeZone::utc(), CatchUp::kLatest, 2, minutes(5), hours(1), {}, {}};
  WallTime since_;
  std::function<Outcome(const JobCall&)> job_ = [](const JobCall&) { return Outcome{}; };
  std::unique_ptr<RunStore> store_;
  std::unique_ptr<Runner> runner_;
  std::vector<std::string> ran_;
};

using Texts = std::vector<std::string>;

TEST_F(Schedule, EachDayRunsOnceAfterItsEnd) {
  go_to("2026-11-24T12:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T00/1", "2026-11-23T00/1"}));
  open();
  go_to("2026-11-24T23:00:00Z");
  EXPECT_EQ(take(), Texts{});
}

TEST_F(Schedule, MissedWeeksAreMadeUpForAsTold) {
  for (const auto& [catch_up, expected] :
       {std::pair{CatchUp::kNone, 0u}, {CatchUp::kLatest, 1u}, {CatchUp::kAll, 13u}}) {
    go_to(format_iso8601(floor<days>(clock_.now()) + days(1) + hours(1)));
    take();
    clock_.advance(days(14) - hours(24));
    restart_with(catch_up);
    go_to(format_iso8601(clock_.now() + hours(2)));
    EXPECT_EQ(take().size(), expected);
    rules_.catch_up = CatchUp::kLatest;
    open();
  }
}

TEST_F(Schedule, AFailedRunIsTriedAgainLaterAndLater) {
  std::vector<std::string> at;
  job_ = [&](const JobCall&) {
    at.push_back(format_iso8601(clock_.now()).substr(11, 5));
    return failure("no");
  };
  go_to("2026-11-23T12:00:00Z");
  EXPECT_EQ(at, (Texts{"00:00", "00:05", "00:15"}));
  EXPECT_EQ(store_->read()->runs().begin()->second.state, RunState::kFailed);
  EXPECT_EQ(store_->read()->runs().begin()->second.outcome.message, "no");
}

TEST_F(Schedule, AFailureThatWouldRepeatIsNotTriedAgain) {
  job_ = [](const JobCall&) {
    Outcome outcome = failure("a check stopped it");
    outcome.exit_code = 4;
    outcome.retry = false;
    return outcome;
  };
  go_to("2026-11-23T12:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T00/1"}));
  EXPECT_EQ(store_->read()->runs().begin()->second.state, RunState::kFailed);
  EXPECT_EQ(store_->read()->runs().begin()->second.outcome.exit_code, 4);
}

TEST_F(Schedule, WhoWaitsForARunLeavesNoneInTheQueueBehindAnother) {
  job_ = [this](const JobCall&) {
    job_ = [](const JobCall&) { return Outcome{}; };
    // Another process asks for its own run meanwhile: it gets none, and nothing is left that a scheduler would run.
    auto store = RunStore::open("/schedule", disk_, clock_, random_).value();
    Runner other(*store, clock_, logger_, rules_, [](const JobCall&) { return Outcome{}; });
    EXPECT_EQ(other.start_manual({}).error().code, ErrorCode::kConflict);
    return Outcome{};
  };
  ASSERT_TRUE(runner_->start_manual({}));
  go_to("2026-11-22T11:00:00Z");
  EXPECT_EQ(take().size(), 1u);
  EXPECT_EQ(store_->read()->runs().size(), 1u);
}

TEST_F(Schedule, ARunThatWasAskedForRunsAtOnceAndIsNotAskedForTwice) {
  go_to("2026-11-22T11:00:00Z");
  const auto run = ask_for_run(*store_, clock_);
  ASSERT_TRUE(run);
  EXPECT_EQ(ask_for_run(*store_, clock_).error().code, ErrorCode::kConflict);
  EXPECT_EQ(ask_for_retry(*store_, *run).error().code, ErrorCode::kConflict);
  go_to("2026-11-22T11:10:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T11/1"}));
  ASSERT_TRUE(ask_for_retry(*store_, *run));
  go_to("2026-11-22T11:20:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T11/2"}));
  EXPECT_EQ(ask_for_retry(*store_, 99).error().code, ErrorCode::kNotFound);
}

TEST_F(Schedule, ARunThatWaitsForItsNextAttemptCanBeHurried) {
  job_ = [](const JobCall&) { return failure("no"); };
  go_to("2026-11-23T00:01:00Z");
  EXPECT_EQ(store_->read()->runs().begin()->second.state, RunState::kRetrying);
  ASSERT_TRUE(ask_for_retry(*store_, store_->read()->runs().begin()->first));
  go_to("2026-11-23T00:02:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T00/1", "2026-11-22T00/2"}));
}

TEST_F(Schedule, WhatIsPassedOverIsInTheHistoryAsSkipped) {
  for (const CatchUp catch_up : {CatchUp::kLatest, CatchUp::kNone}) {
    go_to(format_iso8601(floor<days>(clock_.now()) + days(1) + hours(1)));
    clock_.advance(days(5));
    restart_with(catch_up);
    take();
    go_to(format_iso8601(clock_.now() + hours(2)));
    EXPECT_EQ(take().size(), catch_up == CatchUp::kLatest ? 1u : 0u);
    const History history = store_->read().value();
    auto last = history.runs().rbegin();
    if (catch_up == CatchUp::kLatest) ++last;
    EXPECT_EQ(last->second.state, RunState::kSkipped);
    EXPECT_EQ(last->second.intervals, catch_up == CatchUp::kLatest ? 4u : 5u);
    EXPECT_EQ(last->second.interval.end - last->second.interval.start, days(last->second.intervals));
    EXPECT_EQ(history.last_end(clock_.now()), floor<days>(clock_.now()));
    // A retry of a stretch says what to do; a backfill still finds its days missing.
    EXPECT_EQ(ask_for_retry(*store_, last->first).error().code, ErrorCode::kConflict);
    const auto plan = plan_backfill(rules_, history, last->second.interval.start, last->second.interval.end,
                                    clock_.now(), BackfillPolicy::kMissing);
    EXPECT_EQ(plan->to_run.size(), last->second.intervals);
  }
  EXPECT_EQ(store_->status().runs[static_cast<std::size_t>(RunState::kSkipped)], 2u);
}

TEST_F(Schedule, ADeadRunIsTriedAgainByItsOwnRule) {
  go_to("2026-11-22T23:00:00Z");
  Rules rules = rules_;
  rules.retry_delay = minutes(40);
  for (const int retries : {1, 0}) {
    rules.retries = retries;
    std::optional<milliseconds> told;
    {
      auto store = RunStore::open("/schedule", disk_, clock_, random_).value();
      Runner other(*store, clock_, logger_, rules, [&](const JobCall& call) {
        told = store->read()->find(call.run)->retry_in;
        return Outcome{};
      });
      ASSERT_TRUE(other.start_manual({}));
      ASSERT_TRUE(store->add([&](const History&) -> Result<Event> {
        Event event;
        event.type = Event::Type::kStarted;
        event.kind = RunKind::kManual;
        event.retry_in = told;
        return event;
      }));
    }  // It dies in the middle of this run.
    ASSERT_TRUE(runner_->clean_up());
    const History history = store_->read().value();
    const schedule::Run& run = history.runs().rbegin()->second;
    EXPECT_EQ(run.state, retries == 1 ? RunState::kRetrying : RunState::kInterrupted);
    EXPECT_EQ(run.retry_at, retries == 1 ? std::optional(clock_.now() + minutes(40)) : std::nullopt);
  }
}

TEST_F(Schedule, WithoutTheScheduleOnlyWhatWasAskedForRuns) {
  rules_.by_itself = false;
  open();
  ASSERT_TRUE(ask_for_run(*store_, clock_));
  go_to("2026-11-25T11:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T10/1"}));
}

TEST_F(Schedule, ABackfillRunsInTheOrderThatIsAskedFor) {
  go_to("2026-11-22T11:00:00Z");
  const auto plan =
      plan_backfill(rules_, store_->read().value(), utc("2026-11-18T00:00:00Z"), utc("2026-11-21T00:00:00Z"),
                    clock_.now(), BackfillPolicy::kMissing, BackfillOrder::kNewestFirst);
  EXPECT_EQ(ask_for_backfill(*store_, *plan)->size(), 3u);
  EXPECT_EQ(ask_for_backfill(*store_, *plan)->size(), 0u);  // They wait.
  go_to("2026-11-22T12:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-20T00/1", "2026-11-19T00/1", "2026-11-18T00/1"}));
}

TEST_F(Schedule, PauseHoldsScheduledRunsAndNotManualOnes) {
  go_to("2026-11-22T11:00:00Z");
  EXPECT_TRUE(set_paused(*store_, true).value());
  EXPECT_FALSE(set_paused(*store_, true).value());
  ASSERT_TRUE(ask_for_run(*store_, clock_));
  go_to("2026-11-24T11:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T11/1"}));
  EXPECT_TRUE(set_paused(*store_, false).value());
  go_to("2026-11-24T12:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-23T00/1"}));
}

TEST_F(Schedule, AClockThatJumpsRepeatsNothingAndHoldsUpNothing) {
  go_to("2026-11-24T12:00:00Z");
  take();
  clock_.jump_wall(-hours(40));
  go_to("2026-11-24T13:00:00Z");
  EXPECT_EQ(take(), Texts{});
  clock_.jump_wall(days(3650));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Scheduler::step(*runner_, clock_, since_, {}));
  EXPECT_EQ(take().size(), 1u);  // The latest day of that time.
  clock_.jump_wall(-days(3650));
  go_to("2026-11-25T01:00:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-24T00/1"}));
}

TEST_F(Schedule, ARunWhoseProcessDiedIsTriedAgainByRule) {
  go_to("2026-11-22T23:00:00Z");
  auto dead = RunStore::open("/schedule", disk_, clock_, random_).value();
  const auto run = ask_for_run(*store_, clock_).value();
  ASSERT_TRUE(dead->add([&](const History&) -> Result<Event> {
    Event event;
    event.type = Event::Type::kClaimed;
    event.run = run;
    event.retry_in = minutes(10);
    return event;
  }));
  go_to("2026-11-22T23:02:00Z");
  EXPECT_EQ(take(), Texts{});
  dead.reset();
  go_to("2026-11-22T23:20:00Z");
  EXPECT_EQ(take(), (Texts{"2026-11-22T23/2"}));
  EXPECT_EQ(store_->read()->find(run)->state, RunState::kSuccess);
}

TEST_F(Schedule, TwoSchedulersRunEachDayOnce) {
  auto other_store = RunStore::open("/schedule", disk_, clock_, random_).value();
  int others = 0;
  Runner other(*other_store, clock_, logger_, rules_, [&](const JobCall&) {
    ++others;
    return Outcome{};
  });
  for (int hour = 0; hour < 240; ++hour) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Scheduler::step(hour % 48 < 24 ? *runner_ : other, clock_, since_, {}));
      ASSERT_TRUE(Scheduler::step(hour % 48 < 24 ? other : *runner_, clock_, since_, {}));
    }
    clock_.advance(hours(1));
  }
  EXPECT_EQ(ran_.size() + static_cast<std::size_t>(others), 10u);
  EXPECT_GT(others, 0);
  EXPECT_GT(ran_.size(), 0u);
}

TEST_F(Schedule, AnAttemptThatTakesTooLongIsStopped) {
  rules_.timeout = milliseconds(1);
  rules_.retries = 0;
  open();
  job_ = [](const JobCall& call) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, call.stop, [] { return false; });
    return failure("cancelled");
  };
  const schedule::Run run = runner_->start_manual({}).value();
  EXPECT_EQ(run.state, RunState::kFailed);
  EXPECT_NE(run.outcome.message.find("took longer than"), std::string::npos);
}

TEST_F(Schedule, ABackfillTakesWhatThePolicySays) {
  go_to("2026-11-25T12:00:00Z");  // The 22nd to the 24th ran.
  ASSERT_TRUE(runner_->start(RunKind::kBackfill, {utc("2026-11-20T00:00:00Z"), utc("2026-11-21T00:00:00Z")}, {}));
  rules_.retries = 0;
  open();
  job_ = [](const JobCall&) { return failure(""); };
  ASSERT_TRUE(runner_->start(RunKind::kBackfill, {utc("2026-11-21T00:00:00Z"), utc("2026-11-22T00:00:00Z")}, {}));
  const History history = store_->read().value();
  const auto plan = [&](BackfillPolicy policy) {
    return plan_backfill(rules_, history, utc("2026-11-19T00:00:00Z"), utc("2026-11-30T00:00:00Z"), clock_.now(),
                         policy)
        ->to_run.size();
  };
  EXPECT_EQ(plan(BackfillPolicy::kMissing), 1u);
  EXPECT_EQ(plan(BackfillPolicy::kFailed), 2u);
  EXPECT_EQ(plan(BackfillPolicy::kAll), 6u);
  EXPECT_FALSE(plan_backfill(rules_, history, utc("2027-11-19T00:00:00Z"), utc("2027-11-30T00:00:00Z"), clock_.now(),
                             BackfillPolicy::kAll));
}

}  // namespace
}  // namespace pinflow::schedule
