#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/random.h"
#include "groups/coordinator.h"
#include "groups/internal/group.h"

namespace pinflow::groups {

bool is_group_name(const std::string& name);
// What a client is told when the log could not store something. Each makes it try again, but for what can never be stored.
GroupError from_log(const Result<void>& stored);

// What GroupCoordinator is made of: the groups behind one lock, their deadlines in order, and what they have the log keep.
// coordinator_core.cc holds the groups' life and the calls of members, coordinator_offsets.cc positions and administration.
class GroupCoordinator::Core final : public std::enable_shared_from_this<Core> {
 public:
  Core(CoordinatorOptions options, log::BrokerLog& log, const Clock& clock, Logger& logger, std::uint64_t seed)
      : options_(options), log_(log), clock_(clock), logger_(logger), random_(seed) {}

  void load();
  void stop();
  void advance();
  SteadyTime next_deadline();
  void on_earlier_deadline(std::function<void()> tell) {
    const std::scoped_lock lock(mutex_);
    tell_ = std::move(tell);
  }

  void join(JoinRequest request, JoinDone done);
  void sync(SyncRequest request, SyncDone done);
  GroupError heartbeat(const HeartbeatRequest& request);
  LeaveReply leave(const LeaveRequest& request);
  void commit(CommitRequest request, OffsetsDone done);
  std::vector<log::GroupOffset> committed(const std::string& group);
  void delete_offsets(DeleteOffsetsRequest request, OffsetsDone done);
  DescribedGroup describe(const std::string& name);
  std::vector<ListedGroup> list();
  void delete_group(const std::string& name, GroupDone done);

 private:
  using GroupPtr = std::shared_ptr<Group>;  // Shared with writes that the log has not answered.

  // Runs `work(turn)` under the lock, then what it left to do outside of it.
  template <class Work>
  auto in_turn(Work work);
  GroupPtr find(const std::string& name) const;
  GroupPtr make(const std::string& name);
  GroupError check_join(const JoinRequest& request) const;
  // After each change of a group: its next write sets out, its next deadline is noted, and it goes if it is over.
  void settle(const GroupPtr& group, std::size_t bytes_before, Turn& turn);
  void start_write(const GroupPtr& group, Turn& turn);
  void written(const GroupPtr& group, GroupError error);
  void schedule(Group& group);
  void tell_if_earlier(Turn& turn);
  bool learn_name(const std::string& name);
  GroupError check_position(const log::GroupOffset& position, std::map<std::string, std::int32_t>& partitions);
  void drop_unused();
  void drop_unused(const std::string& name, WallTime now);

  const CoordinatorOptions options_;
  log::BrokerLog& log_;
  const Clock& clock_;
  Logger& logger_;

  std::mutex mutex_;
  // State below is protected by mutex_.
  Random random_;
  bool stopped_ = false;
  std::map<std::string, GroupPtr> groups_;
  std::set<std::string> names_;                         // Groups that the log has, as far as known here.
  std::set<std::pair<SteadyTime, std::string>> wakes_;  // When to look at which group.
  SteadyTime next_check_{};                             // Of unused positions.
  SteadyTime announced_ = SteadyTime::max();            // The deadline that the driver knows.
  std::function<void()> tell_;
  std::size_t bytes_ = 0;  // Of all members of all groups.
};

template <class Work>
auto GroupCoordinator::Core::in_turn(Work work) {
  std::unique_lock lock(mutex_);
  Turn turn{clock_.steady_now(), clock_.now(), random_};
  const auto finish = [&] {
    tell_if_earlier(turn);
    lock.unlock();
    for (auto& effect : turn.effects) effect();
  };
  if constexpr (std::is_void_v<decltype(work(turn))>) {
    work(turn);
    finish();
  } else {
    auto result = work(turn);
    finish();
    return result;
  }
}

}  // namespace pinflow::groups
