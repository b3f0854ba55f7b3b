#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "access/caller.h"
#include "base/clock.h"
#include "doors/kafka_rest/consumer_requests.h"
#include "doors/kafka_rest/group_member.h"
#include "doors/kafka_rest/record_reader.h"
#include "doors/kafka_rest/topic_pattern.h"
#include "doors/worker_pool.h"
#include "http/server.h"

namespace pinflow::doors::kafka_rest {

// What an instance stands on; all of it outlives the instances.
struct InstanceParts {
  log::Log& log;
  groups::GroupCoordinator& coordinator;
  const Clock& clock;
  WorkerPool& readers;
  GroupMember::Post post;  // Back to the thread that owns the instances.
  const Rules& rules;
  std::chrono::milliseconds idle_timeout{300'000};
};

struct InstanceIdentity {
  std::string group;
  std::string name;
  std::shared_ptr<const access::Caller> owner;  // Who made it, and alone may use it; null where nobody is known.
};

// One consumer of the REST Proxy: what it reads, how far it is, and the read that waits. It is a member of its group while it is
// subscribed; with an assignment of its own it is none, and commits as one who is not.
// - Positions count what was handed out with an answer. A read that ends without one (its client left, the group moved on) moves none.
// - One read at a time: a new one ends the one that waits with no records, as whoever asked that has given up.
// - Auto commit stores what was handed out before the latest read, at most every five seconds at a read and when partitions are taken
//   away; on DELETE and on the end of a subscription all that was handed out. Never at the end of an idle instance: nobody knows
//   whether its last records were processed.
// One thread owns it and makes all calls; answers may go out on others. Reads run in the pool.
class ConsumerInstance final : public std::enable_shared_from_this<ConsumerInstance> {
 public:
  ConsumerInstance(InstanceParts parts, InstanceIdentity identity, InstanceSettings settings);
  ~ConsumerInstance();

  const InstanceIdentity& identity() const { return identity_; }
  const InstanceSettings& settings() const { return settings_; }
  // The owner's rights as they are now.
  void set_owner(std::shared_ptr<const access::Caller> owner) { identity_.owner = std::move(owner); }

  // Each is a use that starts the idle time anew.
  Checked<void> subscribe(SubscriptionRequest request);
  std::vector<std::string> subscription() const;
  void unsubscribe();
  Checked<void> assign(std::vector<log::TopicPartition> partitions);

  // The rest wait, up to the wait of the instance, until a member that is joining has its part.
  void assignments(http::Responder respond);
  void seek(OffsetsRequest request, http::Responder respond);
  void seek_to_edge(std::vector<log::TopicPartition> partitions, bool beginning, http::Responder respond);
  void commit(OffsetsRequest request, http::Responder respond);
  // All that was handed out. `wait`: for the log's word; otherwise it is answered at once.
  void commit_all(bool wait, http::Responder respond);

  void committed(const std::vector<log::TopicPartition>& partitions, http::Responder respond);
  struct ReadRequest {
    std::chrono::milliseconds wait;
    std::size_t max_bytes;
    std::stop_token abandoned;
  };
  void read(ReadRequest request, http::Responder respond);

  // Leaves the group and ends the read that waits.
  void close(bool commit);
  // Does what is due; false: it was idle for too long.
  bool look();
  SteadyTime next_look() const;

 private:
  enum class Mode { kNone, kTopics, kPattern, kAssigned };
  using Positions = std::map<log::TopicPartition, std::optional<log::Offset>>;  // None: to be found out.
  struct Waiting {
    SteadyTime until;
    std::move_only_function<void()> go;
  };
  struct Abandon {
    std::move_only_function<void()> tell;
    void operator()() { tell(); }
  };
  // A read under way.
  struct Poll {
    std::uint64_t id = 0;
    http::Responder respond;
    SteadyTime until;
    std::size_t max_bytes = 0;
    bool at_work = false;     // In the pool, with `state`.
    bool has_state = false;   // `state` has positions.
    std::uint64_t epoch = 0;  // Of the positions that `state` began with.
    ReadState state;
    std::unique_ptr<log::Watch> watch;
    std::unique_ptr<std::stop_callback<Abandon>> abandon;
  };

  void use() { idle_since_ = parts_.clock.steady_now(); }
  bool may_read(const std::string& topic) const;
  Refusal not_allowed(const std::string& topic) const;
  std::vector<std::string> matching_topics() const;
  void follow_pattern();
  void begin_membership(std::vector<std::string> topics);
  void take_part(std::vector<log::TopicPartition> partitions);
  void lose_part();
  void change_positions();
  bool settled() const { return mode_ == Mode::kAssigned || !member_->in_group() || member_->settled(); }
  void when_settled(std::move_only_function<void()> go);
  void run_settled();

  void find_positions();
  std::optional<log::Offset> reset_position(const log::TopicPartition& partition) const;
  Checked<void> check_assigned(const log::TopicPartition& partition) const;
  void seek_now(OffsetsRequest request, http::Responder respond);
  void store(const Positions& positions, groups::OffsetsDone done);
  groups::CommitRequest commit_request() const;

  void go_on();
  void start_job();
  void job_done(std::uint64_t id, ReadState state, ReadOutcome outcome);
  void take_errors(ReadOutcome& outcome);
  void await_news();
  void finish_read();
  void refuse_read(const Refusal& refusal);
  std::optional<Refusal> why_no_positions() const;

  const InstanceParts parts_;
  InstanceIdentity identity_;
  const InstanceSettings settings_;
  std::shared_ptr<GroupMember> member_;  // Shared as answers of the coordinator look for it.

  Mode mode_ = Mode::kNone;
  std::vector<std::string> topics_;  // Subscribed, or matched by the pattern.
  std::optional<TopicPattern> pattern_;
  Positions positions_;      // Of what is assigned.
  Positions processed_;      // What auto commit may store: the positions when the latest read began.
  std::uint64_t epoch_ = 0;  // Grows when positions change other than by reading.
  SteadyTime idle_since_;
  SteadyTime committed_at_;
  std::vector<Waiting> waiting_;
  std::uint64_t polls_ = 0;
  std::unique_ptr<Poll> poll_;
};

http::Response answer_to_commit(const groups::OffsetsReply& reply, const Rules& rules);
// What a group's error means: 404 / 40403, 500 / 50002, or, where it may work later, 500 / 50003.
Refusal refusal_of(groups::GroupError error);

}  // namespace pinflow::doors::kafka_rest
