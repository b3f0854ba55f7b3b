#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doors/kafka_rest/assignor.h"
#include "groups/coordinator.h"
#include "log/log.h"

namespace pinflow::doors::kafka_rest {

// One member of a consumer group, living in this process: joins, shares partitions out when it leads, beats, joins again when others come
// and go. Speaks the protocol type "consumer" with the assignors range and roundrobin, so that consumers of any Kafka client may be in the
// same group. It joins again by itself as soon as it hears of a rebalance, whether or not anybody reads.
// One thread owns it: all calls, and the listener's, are made there; `post` brings what the coordinator answers back to it. Coordinator, log
// and clock must outlive it.
class GroupMember final : public std::enable_shared_from_this<GroupMember> {
 public:
  using Post =
      std::function<void(std::move_only_function<void()>)>;  // From any thread; also after this member is gone.

  struct Listener {
    // What was assigned is no longer ours; positions may still be committed.
    std::move_only_function<void()> revoked;
    std::move_only_function<void(std::vector<log::TopicPartition>)> assigned;
  };
  struct Parts {
    groups::GroupCoordinator& coordinator;
    log::Log& log;
    const Clock& clock;
    Post post;
  };

  static constexpr std::chrono::seconds kSessionTimeout{10};
  static constexpr std::chrono::seconds kBeat{1};

  GroupMember(Parts parts, std::string group, std::string client_id, Listener listener);

  // Joins with these topics, or joins again if they are other ones than before.
  void subscribe(std::vector<std::string> topics);
  // Leaves the group; nothing more is heard of it.
  void leave();
  bool in_group() const { return state_ != State::kOut; }
  // Whether it has its part.
  bool settled() const { return state_ == State::kStable; }
  // Why it cannot join, until it could.
  groups::GroupError problem() const { return problem_; }

  // Does what is due by the clock.
  void beat();
  SteadyTime next_beat() const { return in_group() ? next_beat_ : SteadyTime::max(); }

  const std::string& id() const { return member_id_; }
  std::int32_t generation() const { return generation_; }

 private:
  enum class State { kOut, kJoining, kSyncing, kStable, kFailed };

  void join();
  void joined(groups::JoinReply reply);
  void synced(const groups::SyncReply& reply);
  void rejoin(groups::GroupError error);
  void revoke();
  std::vector<groups::MemberAssignment> share_out(const groups::JoinReply& reply);
  PartitionCounts count(const std::vector<std::string>& topics) const;
  template <class Reply>
  std::move_only_function<void(Reply)> answer(void (*take)(GroupMember&, Reply));

  Parts parts_;
  const std::string group_;
  const std::string client_id_;
  Listener listener_;
  State state_ = State::kOut;
  std::vector<std::string> topics_;
  std::string member_id_;
  std::int32_t generation_ = -1;
  std::uint64_t attempt_ = 0;  // An answer to an earlier one is not listened to.
  SteadyTime next_beat_{};
  groups::GroupError problem_ = groups::GroupError::kNone;
  bool has_part_ = false;
  PartitionCounts led_;  // What a leader shared out: other counts ask for a rebalance.
};

}  // namespace pinflow::doors::kafka_rest
