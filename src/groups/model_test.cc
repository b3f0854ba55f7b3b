#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "groups/testing/group_fixture.h"

namespace pinflow::groups {
namespace {

// Many members of one group that do at random what members do, late and wrong things too, over a log that answers when it
// likes. After each step what must always hold is checked.
class GroupModel : public GroupFixture {
 protected:
  ~GroupModel() override { coordinator_.reset(); }  // Its last answers come to the clients here.

  struct Call {
    SteadyTime begun;
    std::chrono::milliseconds patience;  // An answer must come within this.
    bool answered = false;
  };
  struct Client {
    std::optional<std::string> instance;
    std::string member;  // Empty: none yet.
    std::int32_t generation = -1;
    bool leads = false;
    bool alive = true;
    std::vector<std::string> led;  // The members that it shall give parts.
    std::shared_ptr<Call> waits;   // For a join or sync.
    bool has_part = false;
    std::chrono::milliseconds session{0};
    std::chrono::milliseconds rebalance{0};
  };

  static std::string part(const std::string& member, std::int32_t generation) {
    return fmt::format("{} in {}", member, generation);
  }

  std::shared_ptr<Call> begin(Client& client) {
    // A new member may wait five minutes for the others, and each of the group's timeouts once.
    auto call = std::make_shared<Call>(Call{clock_.steady_now(), std::chrono::minutes(8)});
    calls_.push_back(call);
    client.waits = call;
    return call;
  }
  void answered(Call& call) {
    EXPECT_FALSE(call.answered) << "a call was answered twice";
    call.answered = true;
  }

  void join(std::size_t index) {
    Client& client = clients_[index];
    JoinRequest joining = request(client.member, fmt::format("metadata {}", random_.below(10) == 0));
    joining.instance_id = client.instance;
    joining.session_timeout = client.session;
    joining.rebalance_timeout = client.rebalance;
    joining.needs_member_id = random_.chance(0.7);
    joining.can_skip_assignment = random_.chance(0.5);
    const bool skips = joining.can_skip_assignment;
    const auto call = begin(client);
    coordinator_->join(joining, [this, index, call, skips](JoinReply reply) {
      answered(*call);
      Client& client = clients_[index];
      if (client.waits != call) return;  // The client has given this call up.
      client.waits.reset();
      on_joined(index, client, reply, skips);
    });
  }
  void on_joined(std::size_t index, Client& client, const JoinReply& reply, bool skips) {
    client.generation = -1;
    client.has_part = false;
    if (reply.error == GroupError::kMemberIdRequired) client.member = reply.member_id;
    if (reply.error == GroupError::kUnknownMemberId || reply.error == GroupError::kFencedInstanceId) client.member = "";
    if (reply.error != GroupError::kNone) return;
    client.member = reply.member_id;
    client.generation = reply.generation;
    client.leads = reply.leader == reply.member_id && !reply.skip_assignment;
    client.led.clear();
    for (const JoinedMember& member : reply.members) client.led.push_back(member.member_id);
    EXPECT_GE(reply.generation, newest_) << "an old generation was given out";
    newest_ = std::max(newest_, reply.generation);
    if (reply.leader != reply.member_id) EXPECT_TRUE(reply.members.empty());
    if (reply.skip_assignment) EXPECT_TRUE(skips);
    // One leader a generation, but for a static one that takes its place again under another id.
    auto& leader = leaders_[reply.generation];
    if (client.leads && !client.instance) EXPECT_TRUE(leader.empty() || leader == reply.member_id) << index;
    if (client.leads) leader = reply.member_id;
  }

  void sync(std::size_t index) {
    Client& client = clients_[index];
    std::vector<MemberAssignment> parts;
    if (client.leads)
      for (const std::string& member : client.led) parts.push_back({member, part(member, client.generation)});
    const auto call = begin(client);
    Answer<SyncReply> unused;
    coordinator_->sync({"g", client.generation, client.member, client.instance, {}, {}, std::move(parts)},
                       [this, index, call, generation = client.generation, id = client.member](SyncReply reply) {
                         answered(*call);
                         Client& client = clients_[index];
                         if (reply.error == GroupError::kNone && !client.instance)
                           EXPECT_EQ(reply.assignment, part(id, generation))
                               << "a part of another member or generation";
                         if (client.waits != call) return;
                         client.waits.reset();
                         client.has_part = reply.error == GroupError::kNone;
                         react(client, reply.error);
                       });
  }
  void react(Client& client, GroupError error) {
    if (error == GroupError::kNone) return;
    client.generation = -1;
    client.has_part = false;
    if (error == GroupError::kUnknownMemberId || error == GroupError::kFencedInstanceId) client.member = "";
  }
  void heartbeat(Client& client) {
    react(client, coordinator_->heartbeat({"g", client.generation, client.member, client.instance}));
  }
  void commit(Client& client) {
    const std::int32_t generation = client.generation;
    const std::int32_t newest = newest_;
    coordinator_->commit({"g", generation, client.member, client.instance, {position(generation)}},
                         [generation, newest](const OffsetsReply& reply) {
                           // After a restart the generation is known from the first join on.
                           if (reply.error == GroupError::kNone && newest != 0) EXPECT_EQ(generation, newest);
                         });
  }
  void leave(Client& client) {
    (void)coordinator_->leave({"g", {{client.member, client.instance}}});
    react(client, GroupError::kUnknownMemberId);
  }

  // What a client does next; `wild` ones also do what they should not.
  void act(std::size_t index, bool wild) {
    Client& client = clients_[index];
    if (!client.alive) {
      if (random_.chance(0.1)) client = fresh(index);
      return;
    }
    if (wild && random_.chance(0.03)) {
      client.alive = false;
      client.waits.reset();
      return;
    }
    if (wild && client.waits && random_.chance(0.05)) client.waits.reset();  // Gives the call up.
    if (client.waits) return;
    if (wild && random_.chance(0.05) && !client.member.empty()) return leave(client);
    if (wild && random_.chance(0.05)) return join(index);
    if (client.generation < 0) return join(index);
    if (!client.has_part) return sync(index);
    if (random_.chance(0.3)) commit(client);
    heartbeat(client);
  }
  Client fresh(std::size_t index) {
    Client client;
    if (index % 4 == 0) client.instance = fmt::format("i{}", index);
    client.session = milliseconds(6'000 + static_cast<int>(random_.below(20'000)));
    client.rebalance = milliseconds(5'000 + static_cast<int>(random_.below(60'000)));
    return client;
  }

  void check() {
    std::erase_if(calls_, [&](const auto& call) {
      if (!call->answered) EXPECT_LE(clock_.steady_now() - call->begun, call->patience) << "a member waits too long";
      return call->answered;
    });
    const DescribedGroup group = coordinator_->describe("g");
    if (group.state != GroupState::kStable) return;
    std::set<std::string> instances;
    for (const DescribedMember& member : group.members)
      if (member.instance_id) EXPECT_TRUE(instances.insert(*member.instance_id).second);
  }

  void run(std::uint64_t seed, std::size_t members, int steps) {
    random_ = Random(seed);
    for (std::size_t i = 0; i < members; ++i) clients_.push_back(fresh(i));
    for (int step = 0; step < steps; ++step) {
      if (random_.chance(0.05)) log_.hold(random_.chance(0.5));
      if (random_.chance(0.02))
        log_.fail_with(random_.chance(0.5) ? std::optional(ErrorCode::kUnavailable) : std::nullopt);
      if (random_.chance(0.2)) log_.release();
      for (int acts = 0; acts < 4; ++acts) act(random_.below(clients_.size()), true);
      if (random_.chance(0.4)) pass(milliseconds(random_.below(random_.chance(0.1) ? 20'000 : 800)));
      if (random_.chance(0.01)) start_again();
      check();
      if (HasFailure()) return;
    }
    settle();
  }
  // Another coordinator on the same log. Generations that no leader spoke in are forgotten.
  void start_again() {
    log_.hold(false);
    log_.release();
    restart();
    newest_ = 0;
    leaders_.clear();
    EXPECT_TRUE(std::ranges::all_of(calls_, [](const auto& call) { return call->answered; }));
  }
  // Well-behaved members alone make a stable group.
  void settle() {
    log_.hold(false);
    log_.fail_with({});
    log_.release();
    for (int round = 0; round < 400; ++round) {
      for (std::size_t i = 0; i < clients_.size(); ++i) act(i, false);
      pass(milliseconds(1'000));
      check();
    }
    const DescribedGroup group = coordinator_->describe("g");
    EXPECT_EQ(group.state, GroupState::kStable);
    for (Client& client : clients_) {
      if (!client.alive) continue;
      EXPECT_EQ(client.generation, newest_);
      EXPECT_TRUE(client.has_part);
    }
    for (Client& client : clients_) client.alive = false;
    pass(std::chrono::minutes(10));
    EXPECT_EQ(state(), GroupState::kEmpty);
    check();
    EXPECT_TRUE(calls_.empty());
  }

  Random random_{1};
  std::vector<Client> clients_;
  std::vector<std::shared_ptr<Call>> calls_;
  std::map<std::int32_t, std::string> leaders_;
  std::int32_t newest_ = 0;
};

class GroupModelSeeds : public GroupModel, public testing::WithParamInterface<int> {};

TEST_P(GroupModelSeeds, KeepsItsPromisesWhateverMembersDo) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  run(seed, 2 + seed % 12, 1'500);
}

INSTANTIATE_TEST_SUITE_P(Random, GroupModelSeeds, testing::Range(1, 41));

}  // namespace
}  // namespace pinflow::groups
