#include "schedule/run_store.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "disk/memory_disk.h"
#include "disk/real_disk.h"

namespace pinflow::schedule {
namespace {

Event queued(std::int64_t start) {
  Event event;
  event.type = Event::Type::kQueued;
  event.kind = RunKind::kBackfill;
  event.interval = {WallTime(std::chrono::milliseconds(start)), WallTime(std::chrono::milliseconds(start + 1))};
  return event;
}

Event claim(std::uint64_t run) {
  Event event;
  event.type = Event::Type::kClaimed;
  event.run = run;
  return event;
}

Report report() {
  Report report;
  report.batch_run = "6f1c";
  report.published = true;
  report.objects = 3;
  report.bytes = 4096;
  report.log = {.offsets = 20, .taken = 12, .waiting = 5, .gone = 3};
  report.kinds = {
      {.kind = "pin", .records = 12, .added = 8, .repeats = 3, .replaced = 1, .dead_letters = 1, .rows = 9}};
  report.reasons = {{"no tab\there = none", 1}};
  report.tables = {{"batch_pin", 9}};
  report.checks = {{"unknown", true, 4}};
  report.failures = {{"questions/mine", "line 3:\n\ta tab"}};
  return report;
}

Event ended(std::uint64_t run, std::uint64_t of_claim, RunState state) {
  Event event;
  event.type = Event::Type::kEnded;
  event.run = run;
  event.claim = of_claim;
  event.state = state;
  event.outcome.success = state == RunState::kSuccess;
  event.outcome.message = "tab\there, line\nthere, \\";
  event.outcome.report = report();
  event.outcome.steps = {{"read", std::chrono::milliseconds(5)}};
  return event;
}

auto give(const Event& event) {
  return [event](const History&) -> Result<Event> { return event; };
}

class Store : public testing::Test {
 protected:
  std::unique_ptr<RunStore> open() {
    auto store = RunStore::open("/schedule", disk_, clock_, random_);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }
  ManualClock clock_;
  Random random_{11};
  disk::MemoryDisk disk_;
};

TEST_F(Store, EventsSurviveTheirText) {
  Event event = ended(3, 4, RunState::kFailed);
  event.number = 9;
  event.at = clock_.now();
  event.retry_at = clock_.now();
  std::string line = event_line(event);
  ASSERT_EQ(line.back(), '\n');
  line.pop_back();
  EXPECT_EQ(parse_event(line).value(), event);
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string damaged = line;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(parse_event(damaged)) << damaged;
  }
}

TEST_F(Store, TheBytesOfAnEventStayAsTheyAre) {
  Event event = claim(2);
  event.number = 3;
  event.owner = "me";
  event.at = WallTime(std::chrono::milliseconds(1'700'000'000'000));
  EXPECT_EQ(event_line(event), "1\t3\t1700000000000\tclaimed\trun=2\towner=me\tcrc=60b2192c\n");
}

TEST_F(Store, ARunGoesItsWayAndIsReadAgain) {
  auto store = open();
  const auto run = store->add(give(queued(5)))->run;
  const auto claimed = store->add(give(claim(run)))->number;
  EXPECT_EQ(store->read()->find(run)->state, RunState::kRunning);
  ASSERT_TRUE(store->add(give(ended(run, claimed, RunState::kSuccess))));
  store.reset();
  const schedule::Run found = *open()->read()->find(run);
  EXPECT_EQ(found.state, RunState::kSuccess);
  EXPECT_EQ(found.attempts, 1);
  EXPECT_EQ(found.outcome.report, report());
  EXPECT_EQ(found.outcome.steps.front().first, "read");
}

TEST_F(Store, RunsDoNotOverlapAndALostClaimEndsNothing) {
  auto one = open();
  auto two = open();
  const auto run = one->add(give(queued(5)))->run;
  const auto other = one->add(give(queued(6)))->run;
  const auto claimed = one->add(give(claim(run)))->number;
  EXPECT_EQ(two->add(give(claim(run))).error().code, ErrorCode::kConflict);
  EXPECT_EQ(two->add(give(claim(other))).error().code, ErrorCode::kConflict);
  EXPECT_EQ(two->add(give(ended(run, claimed + 1, RunState::kSuccess))).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(one->add(give(ended(run, claimed, RunState::kSuccess))));
}

TEST_F(Store, ADeadOwnersRunIsInterruptedAndALivingOnesIsLeft) {
  auto dead = open();
  auto other = open();
  const auto run = dead->add(give(queued(5)))->run;
  const auto claimed = dead->add(give(claim(run)))->number;
  EXPECT_FALSE(other->end_dead_run().value());
  dead.reset();
  EXPECT_TRUE(other->end_dead_run().value());
  EXPECT_FALSE(other->end_dead_run().value());
  EXPECT_EQ(other->read()->find(run)->state, RunState::kInterrupted);
  EXPECT_EQ(other->add(give(ended(run, claimed, RunState::kSuccess))).error().code, ErrorCode::kConflict);
}

TEST_F(Store, LongHistoriesArePackedAndReadByThoseWhoWereBehind) {
  auto behind = open();
  auto store = open();
  for (std::uint64_t i = 0; i < RunStore::kPack * 2 + 5; ++i)
    ASSERT_TRUE(store->add(give(queued(static_cast<std::int64_t>(i)))));
  EXPECT_EQ(disk_.list("/schedule/events")->size(), 5u);
  EXPECT_EQ(disk_.list("/schedule/packs")->size(), 2u);
  EXPECT_EQ(behind->read()->runs().size(), RunStore::kPack * 2 + 5);
  EXPECT_EQ(behind->add(give(queued(-1)))->number, RunStore::kPack * 2 + 6);
  EXPECT_EQ(store->read()->runs().size(), RunStore::kPack * 2 + 6);
}

TEST_F(Store, DamageIsNamed) {
  auto store = open();
  ASSERT_TRUE(store->add(give(queued(1))));
  store.reset();
  disk_.flip_byte("/schedule/events/00000000000000000001.event", 20);
  const auto opened = RunStore::open("/schedule", disk_, clock_, random_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().message.find("00000000000000000001.event"), std::string::npos);
}

// Power is lost at each operation of a run's way in turn: what was confirmed is there afterwards, and the history can be read.
TEST_F(Store, WhatWasConfirmedSurvivesALossOfPowerAtEachStep) {
  for (std::uint64_t at = 1; at < 80; ++at) {
    disk::MemoryDisk disk;
    std::uint64_t confirmed = 0;
    {
      disk.lose_power_at(at);
      auto store = RunStore::open("/schedule", disk, clock_, random_);
      const auto add = [&](const Event& event) {
        const auto added = store ? (*store)->add(give(event)) : Result<Event>(fail(store.error()));
        if (added) confirmed = added->number;
        return added.has_value();
      };
      if (add(queued(5)) && add(claim(1))) add(ended(1, 2, RunState::kSuccess));
    }
    disk.crash(random_);
    auto again = RunStore::open("/schedule", disk, clock_, random_);
    ASSERT_TRUE(again) << at << ": " << again.error().message;
    EXPECT_GE((*again)->read()->next_number(), confirmed + 1) << at;
    EXPECT_LE((*again)->read()->next_number(), confirmed + 2) << at;
  }
}

TEST_F(Store, APowerLossWhilePackingLosesNoEvent) {
  for (std::uint64_t at = 1; at < 300; at += 43) {
    disk::MemoryDisk disk;
    auto store = RunStore::open("/schedule", disk, clock_, random_).value();
    for (std::uint64_t i = 1; i < RunStore::kPack; ++i) ASSERT_TRUE(store->add(give(queued(1))));
    disk.lose_power_at(at);
    const bool confirmed = store->add(give(queued(2))).has_value();
    store.reset();
    disk.crash(random_);
    const auto again = RunStore::open("/schedule", disk, clock_, random_);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_GE((*again)->read()->runs().size(), RunStore::kPack - (confirmed ? 0 : 1)) << at;
  }
}

TEST(StoreThreads, ARunIsClaimedOnceHoweverManyWantIt) {
  std::string name = (std::filesystem::temp_directory_path() / "runs-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const auto disk = disk::make_real_disk();
  const SystemClock clock;
  constexpr int kRuns = 60;
  std::atomic<int> executed = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        Random random(i);
        auto store = RunStore::open(std::filesystem::path(name) / "schedule", *disk, clock, random).value();
        for (int run = 0; run < kRuns; ++run) {
          // Whoever is first queues the interval, whoever is first claims it.
          (void)store->add([&](const History& now) -> Result<Event> {
            if (now.run_of(queued(run).interval) != nullptr) return fail(ErrorCode::kConflict, "there");
            return queued(run);
          });
          const auto claimed = store->add([&](const History& now) -> Result<Event> {
            const schedule::Run* const open = now.claimable(clock.now());
            if (open == nullptr) return fail(ErrorCode::kConflict, "none");
            return claim(open->id);
          });
          if (!claimed) continue;
          ++executed;
          EXPECT_TRUE(store->add(give(ended(claimed->run, claimed->number, RunState::kSuccess))));
        }
      });
    }
  }
  Random random(9);
  const auto history =
      RunStore::open(std::filesystem::path(name) / "schedule", *disk, clock, random).value()->read().value();
  EXPECT_EQ(history.runs().size(), static_cast<std::size_t>(kRuns));
  int done = 0;
  for (const auto& [id, run] : history.runs()) {
    EXPECT_LE(run.attempts, 1);
    done += run.attempts;
  }
  EXPECT_EQ(done, executed);
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace pinflow::schedule
