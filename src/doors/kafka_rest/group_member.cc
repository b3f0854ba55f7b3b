#include "doors/kafka_rest/group_member.h"

#include <algorithm>
#include <set>

#include "kafka_wire/consumer_protocol.h"

namespace pinflow::doors::kafka_rest {

using groups::GroupError;

namespace {
// Of others, who must all join again; a member that lives here does so within a beat.
constexpr std::chrono::seconds kRebalanceTimeout{60};
constexpr std::string_view kRange = "range";
constexpr std::string_view kRoundRobin = "roundrobin";
}  // namespace

GroupMember::GroupMember(Parts parts, std::string group, std::string client_id, Listener listener)
    : parts_(std::move(parts)),
      group_(std::move(group)),
      client_id_(std::move(client_id)),
      listener_(std::move(listener)) {}

// The way back of an answer: it comes on any thread, and counts only while the same attempt is under way.
template <class Reply>
std::move_only_function<void(Reply)> GroupMember::answer(void (*take)(GroupMember&, Reply)) {
  return [post = parts_.post, self = weak_from_this(), attempt = attempt_, take](Reply reply) {
    post([self, attempt, take, reply = std::move(reply)]() mutable {
      const auto member = self.lock();
      if (member && member->attempt_ == attempt) take(*member, std::move(reply));
    });
  };
}

void GroupMember::subscribe(std::vector<std::string> topics) {
  std::ranges::sort(topics);
  topics.erase(std::ranges::unique(topics).begin(), topics.end());
  if (in_group() && topics == topics_) return;
  topics_ = std::move(topics);
  revoke();
  join();
}

void GroupMember::leave() {
  if (!in_group()) return;
  revoke();
  ++attempt_;
  state_ = State::kOut;
  if (!member_id_.empty()) (void)parts_.coordinator.leave({group_, {{std::exchange(member_id_, {}), std::nullopt}}});
  generation_ = -1;
  topics_.clear();
}

void GroupMember::revoke() {
  if (std::exchange(has_part_, false)) listener_.revoked();
}

void GroupMember::join() {
  ++attempt_;
  state_ = State::kJoining;
  next_beat_ = SteadyTime::max();
  groups::JoinRequest request;
  request.group = group_;
  request.member_id = member_id_;
  request.client_id = client_id_;
  request.client_host = "/127.0.0.1";
  request.protocol_type = "consumer";
  const std::string metadata = kafka_wire::write_subscription({topics_, std::nullopt});
  request.protocols = {{std::string(kRange), metadata}, {std::string(kRoundRobin), metadata}};
  request.session_timeout = kSessionTimeout;
  request.rebalance_timeout = kRebalanceTimeout;
  parts_.coordinator.join(std::move(request), answer<groups::JoinReply>([](GroupMember& self, groups::JoinReply reply) {
                            self.joined(std::move(reply));
                          }));
}

void GroupMember::joined(groups::JoinReply reply) {
  if (reply.error == GroupError::kMemberIdRequired) {
    member_id_ = reply.member_id;
    return join();
  }
  if (reply.error != GroupError::kNone) return rejoin(reply.error);
  ++attempt_;
  state_ = State::kSyncing;
  problem_ = GroupError::kNone;
  member_id_ = reply.member_id;
  generation_ = reply.generation;
  next_beat_ = parts_.clock.steady_now() + kBeat;
  led_.clear();
  groups::SyncRequest request;
  request.group = group_;
  request.generation = generation_;
  request.member_id = member_id_;
  request.protocol_type = reply.protocol_type;
  request.protocol = reply.protocol;
  if (reply.leader == member_id_) request.assignments = share_out(reply);
  parts_.coordinator.sync(std::move(request), answer<groups::SyncReply>([](GroupMember& self, groups::SyncReply reply) {
                            self.synced(reply);
                          }));
}

PartitionCounts GroupMember::count(const std::vector<std::string>& topics) const {
  PartitionCounts counts;
  for (const std::string& name : topics) {
    if (counts.contains(name)) continue;
    if (const auto topic = parts_.log.topic(name)) counts[name] = topic->partitions;
  }
  return counts;
}

std::vector<groups::MemberAssignment> GroupMember::share_out(const groups::JoinReply& reply) {
  std::vector<SubscribedMember> members;
  std::set<std::string> topics;
  for (const groups::JoinedMember& joined : reply.members) {
    // A member whose words nobody understands gets nothing.
    auto subscription = kafka_wire::read_subscription(joined.metadata);
    members.push_back({joined.member_id, subscription ? std::move(subscription->topics) : std::vector<std::string>()});
    topics.insert(members.back().topics.begin(), members.back().topics.end());
  }
  led_ = count({topics.begin(), topics.end()});
  const auto parts = reply.protocol == kRoundRobin ? assign_round_robin(std::move(members), led_)
                                                   : assign_range(std::move(members), led_);
  // Topics that are not there yet count as well: when they come, there is something to share out.
  for (const std::string& topic : topics) led_.try_emplace(topic, 0);
  std::vector<groups::MemberAssignment> assignments;
  for (const auto& [id, mine] : parts) {
    kafka_wire::ConsumerAssignment assignment;
    for (const auto& [topic, partitions] : mine) assignment.assigned_partitions.push_back({topic, partitions});
    assignments.push_back({id, kafka_wire::write_assignment(assignment)});
  }
  return assignments;
}

void GroupMember::synced(const groups::SyncReply& reply) {
  if (reply.error != GroupError::kNone) return rejoin(reply.error);
  const auto assignment = kafka_wire::read_assignment(reply.assignment);
  std::vector<log::TopicPartition> partitions;
  if (assignment) {
    for (const auto& [topic, ids] : assignment->assigned_partitions) {
      for (const std::int32_t id : ids) partitions.push_back({topic, log::PartitionId(id)});
    }
  }
  state_ = State::kStable;
  has_part_ = true;
  listener_.assigned(std::move(partitions));
}

// What each error asks of a member, as Kafka's clients take it.
void GroupMember::rejoin(GroupError error) {
  revoke();
  if (error == GroupError::kRebalanceInProgress) return join();
  if (error == GroupError::kUnknownMemberId || error == GroupError::kIllegalGeneration) {
    if (error == GroupError::kUnknownMemberId) member_id_.clear();
    generation_ = -1;
    return join();
  }
  // The log is busy, or the group takes nobody now: tried again at the next beat.
  ++attempt_;
  state_ = State::kFailed;
  problem_ = error;
  next_beat_ = parts_.clock.steady_now() + kBeat;
}

void GroupMember::beat() {
  if (!in_group() || parts_.clock.steady_now() < next_beat_) return;
  if (state_ == State::kFailed) return join();
  next_beat_ = parts_.clock.steady_now() + kBeat;
  const GroupError error = parts_.coordinator.heartbeat({group_, generation_, member_id_, std::nullopt});
  // While it waits for its part, that answer tells of a rebalance.
  if (error == GroupError::kRebalanceInProgress && state_ == State::kSyncing) return;
  if (error != GroupError::kNone) return rejoin(error);
  if (state_ != State::kStable || led_.empty()) return;
  std::vector<std::string> topics;
  for (const auto& [topic, partitions] : led_) topics.push_back(topic);
  auto now = count(topics);
  for (const std::string& topic : topics) now.try_emplace(topic, 0);
  if (now == led_) return;
  revoke();
  join();
}

}  // namespace pinflow::doors::kafka_rest
