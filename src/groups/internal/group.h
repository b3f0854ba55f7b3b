#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "groups/coordinator.h"
#include "groups/internal/group_snapshot.h"

namespace pinflow::groups {

// One call's moment, and what is to be done once the coordinator's lock is released.
struct Turn {
  SteadyTime now;
  WallTime wall;
  Random& random;
  std::vector<std::move_only_function<void()>> effects{};
};

// One consumer group: its members and where they stand in the rebalance. Pure but for the callbacks that it hands to the
// turn; the coordinator's lock guards it. Where the log must know something first, the group queues a write and goes on when
// written() tells how it went; writes of a group happen one after the other.
class Group final {
 public:
  struct Write {
    bool forget_positions = false;  // The group goes with its positions; otherwise `state` is stored.
    std::string state;              // Empty: the group goes, and only its positions stay.
    std::vector<std::move_only_function<void(GroupError, Turn&)>> then;
  };

  Group(std::string name, const CoordinatorOptions& options) : name_(std::move(name)), options_(options) {}
  // A group as it was before a restart, with fresh sessions.
  void restore(const GroupSnapshot& snapshot, SteadyTime now);

  void join(JoinRequest& request, JoinDone done, Turn& turn);
  void sync(SyncRequest& request, SyncDone done, Turn& turn);
  GroupError heartbeat(const HeartbeatRequest& request, Turn& turn);
  GroupError leave(const LeavingMember& leaving, Turn& turn);
  // Whether such a commit may be stored. The member, if it is one, has shown that it lives.
  GroupError check_commit(const CommitRequest& request, Turn& turn);
  // Why positions may not be deleted: of the whole group (topic absent), or of a topic.
  GroupError check_delete_offsets() const;
  bool is_subscribed(const std::string& topic) const;
  DescribedGroup describe() const;
  // Starts the end of an empty group, with or without its positions; `done` is called when the log has forgotten it, unless this
  // is refused.
  GroupError remove(bool with_positions, GroupDone done);

  void advance(Turn& turn);
  std::optional<SteadyTime> next_deadline() const;
  // The next write, unless one is on its way.
  std::optional<Write> begin_write();
  void written(GroupError error, Turn& turn);
  // Answers everybody; the group is not used again.
  void abandon(Turn& turn);

  const std::string& name() const { return name_; }
  GroupState state() const { return state_; }
  const std::string& protocol_type() const { return protocol_type_; }
  WallTime since() const { return since_; }
  std::size_t bytes() const { return bytes_; }
  // Nothing of it is worth keeping: no member ever finished joining, or it was removed.
  bool is_over() const;

  std::optional<SteadyTime> wake;  // When the coordinator looks at it next.

 private:
  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds session_timeout{0};
    std::chrono::milliseconds rebalance_timeout{0};
    std::vector<JoinProtocol> protocols;
    std::string assignment;
    SteadyTime deadline;  // The session's end. Does not count while the member waits, except for a new one.
    bool is_new = false;  // Has never been answered a join, so it cannot send heartbeats.
    JoinDone joining;
    SyncDone syncing;
    bool waits() const { return joining || syncing; }
    bool may_expire() const { return is_new || !waits(); }
    std::size_t bytes() const;
    const std::string* metadata(const std::string& protocol) const;
  };
  using Members = std::map<std::string, Member>;

  // group_join.cc
  void join_new(JoinRequest& request, JoinDone done, Turn& turn);
  void join_again(JoinRequest& request, JoinDone done, Turn& turn);
  void replace_static(std::string old_id, JoinRequest& request, JoinDone done, Turn& turn);
  void rejoin_static_stable(Member& member, bool can_skip_assignment, const std::string& leader_before);
  bool accepts(const JoinRequest& request) const;
  bool supports(const JoinRequest& request) const;
  void add_member(std::string id, JoinRequest& request, JoinDone done, Turn& turn);
  void update_member(Member& member, JoinRequest& request, JoinDone done, Turn& turn);
  JoinReply current_generation(const Member& member) const;
  std::string new_member_id(const JoinRequest& request, Turn& turn) const;

  // group_rebalance.cc
  void prepare_rebalance(Turn& turn);
  void try_complete_join(Turn& turn);
  void on_join_deadline(Turn& turn);
  void complete_join(Turn& turn);
  bool elect_joined_leader();
  std::string select_protocol() const;
  void complete_sync(std::int32_t generation, const std::vector<MemberAssignment>& assignments, GroupError error,
                     Turn& turn);
  void on_sync_deadline(Turn& turn);
  void lead(SyncRequest& request, Turn& turn);

  // group.cc
  GroupError check_member(const std::string& id, const std::optional<std::string>& instance_id) const;
  void remove_member(std::string id, GroupError reason, Turn& turn);  // A copy: callers name it by what goes with it.
  void expel(const std::string& id, Turn& turn);                      // Removes it and lets the group go on.
  void answer(JoinDone& done, JoinReply reply, Turn& turn);
  void answer(SyncDone& done, SyncReply reply, Turn& turn);
  SyncReply synced(const Member& member) const;
  void renew(Member& member, Turn& turn) { member.deadline = turn.now + member.session_timeout; }
  void count_protocols(const Member& member, int by);
  std::chrono::milliseconds rebalance_timeout() const;
  GroupSnapshot snapshot() const;
  void store(const GroupSnapshot& snapshot, std::move_only_function<void(GroupError, Turn&)> then);

  const std::string name_;
  const CoordinatorOptions& options_;
  GroupState state_ = GroupState::kEmpty;
  std::int32_t generation_ = 0;
  WallTime since_{};
  std::string protocol_type_;
  std::string protocol_;
  std::string leader_;
  Members members_;
  std::map<std::string, std::string> static_members_;  // Instance id to member id.
  std::map<std::string, SteadyTime> pending_;          // Told an id, not yet joined with it; until when that holds.
  std::map<std::string, std::size_t> supported_;       // Protocol to how many members have it.
  std::set<std::string> pending_sync_;                 // Members of this generation that have not asked for their part.
  std::optional<SteadyTime> join_deadline_;
  std::optional<SteadyTime> sync_deadline_;
  bool initial_join_ = false;  // The first rebalance: it waits although all have joined.
  bool new_member_added_ = false;
  std::chrono::milliseconds initial_remaining_{0};
  bool leader_synced_ = false;  // The assignment of this generation is being stored.
  bool stored_ = false;         // The log has, or may have, something of this group.
  std::deque<Write> writes_;
  bool writing_ = false;   // The first of them is on its way.
  std::size_t bytes_ = 0;  // Of all members.
};

}  // namespace pinflow::groups
