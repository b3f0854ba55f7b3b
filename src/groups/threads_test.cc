#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "groups/coordinator.h"
#include "groups/testing/group_log.h"
#include "groups/timer_thread.h"

namespace pinflow::groups {
namespace {

using std::chrono::milliseconds;

// Waits for the answer to a call.
template <class Reply>
class Waiter {
 public:
  auto callback() {
    return [slot = slot_](Reply reply) {
      {
        const std::scoped_lock lock(slot->mutex);
        slot->reply = std::move(reply);
      }
      slot->there.notify_all();
    };
  }
  Reply get() {
    std::unique_lock lock(slot_->mutex);
    slot_->there.wait(lock, [&] { return slot_->reply.has_value(); });
    return *slot_->reply;
  }

 private:
  struct Slot {
    std::mutex mutex;
    std::condition_variable there;
    std::optional<Reply> reply;
  };
  std::shared_ptr<Slot> slot_ = std::make_shared<Slot>();
};

// One thread that is a member: joins, syncs and heartbeats until it has seen `rounds` of its own heartbeats go well.
void be_member(GroupCoordinator& coordinator, int rounds) {
  JoinRequest joining;
  joining.group = "g";
  joining.client_id = "client";
  joining.protocol_type = "consumer";
  joining.protocols = {{"range", ""}};
  joining.session_timeout = milliseconds(30'000);
  joining.rebalance_timeout = milliseconds(30'000);
  while (rounds > 0) {
    Waiter<JoinReply> joined;
    coordinator.join(joining, joined.callback());
    const JoinReply reply = joined.get();
    joining.member_id = reply.error == GroupError::kUnknownMemberId ? "" : reply.member_id;
    if (reply.error != GroupError::kNone) continue;
    SyncRequest request{"g", reply.generation, reply.member_id, {}, {}, {}, {}};
    for (const JoinedMember& member : reply.members)
      request.assignments.push_back({member.member_id, member.member_id});
    Waiter<SyncReply> synced;
    coordinator.sync(request, synced.callback());
    const SyncReply part = synced.get();
    if (part.error != GroupError::kNone) continue;
    ASSERT_EQ(part.assignment, reply.member_id);
    while (rounds > 0) {
      Waiter<OffsetsReply> committed;
      coordinator.commit(
          {"g", reply.generation, reply.member_id, {}, {{{"t", log::PartitionId(0)}, log::Offset(rounds), -1, ""}}},
          committed.callback());
      (void)committed.get();
      (void)coordinator.describe("g");
      if (coordinator.heartbeat({"g", reply.generation, reply.member_id, {}}) != GroupError::kNone) break;
      --rounds;
    }
  }
  const LeaveReply left = coordinator.leave({"g", {{joining.member_id, {}}}});
  ASSERT_EQ(left.members.at(0), GroupError::kNone);
}

TEST(GroupThreads, MembersOnManyThreadsFindTheirGroup) {
  const SystemClock clock;
  NullLogger logger;
  GroupLog log(clock);
  log.add_topic("t", 1);
  CoordinatorOptions options;
  options.initial_rebalance_delay = milliseconds(5);
  GroupCoordinator coordinator(options, log, clock, logger, 1);
  {
    const TimerThread timer(coordinator, clock);
    std::vector<std::jthread> members;
    for (int i = 0; i < 8; ++i) members.emplace_back([&] { be_member(coordinator, 50); });
    std::jthread observer([&] {
      for (int i = 0; i < 200; ++i) (void)coordinator.list();
    });
  }
  EXPECT_EQ(coordinator.describe("g").state, GroupState::kEmpty);
}

TEST(GroupThreads, ATimerEndsAtOnce) {
  const SystemClock clock;
  NullLogger logger;
  GroupLog log(clock);
  GroupCoordinator coordinator({}, log, clock, logger, 1);
  for (int i = 0; i < 50; ++i) const TimerThread timer(coordinator, clock);
}

}  // namespace
}  // namespace pinflow::groups
