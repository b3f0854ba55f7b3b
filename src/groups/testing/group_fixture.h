#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "groups/coordinator.h"
#include "groups/testing/group_log.h"

namespace pinflow::groups {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What a call was answered, once it was.
template <class Reply>
class Answer {
 public:
  auto callback() {
    return [slot = slot_](Reply reply) {
      EXPECT_FALSE(slot->has_value()) << "a call was answered twice";
      *slot = std::move(reply);
    };
  }
  bool there() const { return slot_->has_value(); }
  const Reply& operator*() const {
    EXPECT_TRUE(there()) << "a call was not answered";
    static const Reply none{};
    return there() ? **slot_ : none;
  }
  const Reply* operator->() const { return &**this; }

 private:
  std::shared_ptr<std::optional<Reply>> slot_ = std::make_shared<std::optional<Reply>>();
};

// A coordinator over a log in memory, with verbs.
class GroupFixture : public testing::Test {
 protected:
  GroupFixture() {
    options_.initial_rebalance_delay = milliseconds(100);
    log_.add_topic("t", 4);
    log_.add_topic("u", 1);
    restart();
  }

  void restart() {
    coordinator_.reset();
    coordinator_ = std::make_unique<GroupCoordinator>(options_, log_, clock_, logger_, ++seed_);
  }
  // Lets time pass, firing each deadline at its moment.
  void pass(milliseconds time) {
    const SteadyTime until = clock_.steady_now() + time;
    while (true) {
      const SteadyTime next = std::min(coordinator_->next_deadline(), until);
      if (next > clock_.steady_now())
        clock_.advance(std::chrono::duration_cast<milliseconds>(next - clock_.steady_now()));
      coordinator_->advance();
      if (clock_.steady_now() >= until) return;
    }
  }

  static JoinRequest request(std::string member_id = "", std::string metadata = "meta") {
    JoinRequest request;
    request.group = "g";
    request.member_id = std::move(member_id);
    request.client_id = "client";
    request.client_host = "/127.0.0.1";
    request.protocol_type = "consumer";
    request.protocols = {{"range", std::move(metadata)}};
    request.session_timeout = seconds(10);
    request.rebalance_timeout = seconds(60);
    return request;
  }
  static JoinRequest static_request(std::string instance, std::string member_id = "") {
    JoinRequest joining = request(std::move(member_id));
    joining.instance_id = std::move(instance);
    return joining;
  }
  Answer<JoinReply> join(JoinRequest request) {
    Answer<JoinReply> answer;
    coordinator_->join(std::move(request), answer.callback());
    return answer;
  }
  // The id that a new member is told.
  std::string new_id(JoinRequest joining = request()) {
    const auto answer = join(std::move(joining));
    EXPECT_EQ(answer->error, GroupError::kMemberIdRequired);
    return answer->member_id;
  }
  Answer<SyncReply> sync(const std::string& member, std::int32_t generation,
                         std::vector<MemberAssignment> assignments = {}, std::optional<std::string> instance = {}) {
    Answer<SyncReply> answer;
    coordinator_->sync({"g", generation, member, std::move(instance), {}, {}, std::move(assignments)},
                       answer.callback());
    return answer;
  }
  GroupError heartbeat(const std::string& member, std::int32_t generation, std::optional<std::string> instance = {}) {
    return coordinator_->heartbeat({"g", generation, member, std::move(instance)});
  }
  GroupError leave(const std::string& member, std::optional<std::string> instance = {}) {
    const LeaveReply reply = coordinator_->leave({"g", {{member, std::move(instance)}}});
    EXPECT_EQ(reply.error, GroupError::kNone);
    return reply.members.at(0);
  }
  static log::GroupOffset position(std::int64_t offset, std::int32_t partition = 0, std::string topic = "t") {
    return {{std::move(topic), log::PartitionId(partition)}, log::Offset(offset), 3, "note"};
  }
  Answer<OffsetsReply> commit_later(const std::string& member, std::int32_t generation,
                                    std::vector<log::GroupOffset> offsets, std::optional<std::string> instance = {}) {
    Answer<OffsetsReply> answer;
    coordinator_->commit({"g", generation, member, std::move(instance), std::move(offsets)}, answer.callback());
    return answer;
  }
  // The error of the whole, or of the one partition.
  GroupError commit(const std::string& member, std::int32_t generation, std::optional<std::string> instance = {}) {
    const auto answer = commit_later(member, generation, {position(7)}, std::move(instance));
    return answer->error != GroupError::kNone ? answer->error : answer->partitions.at(0);
  }
  GroupState state() { return coordinator_->describe("g").state; }

  // Has all that are given (new ones: with an empty id) join, and completes the join. Gives their replies.
  std::vector<JoinReply> join_all(std::vector<JoinRequest> requests) {
    std::vector<Answer<JoinReply>> answers;
    for (JoinRequest& joining : requests) {
      if (joining.member_id.empty() && !joining.instance_id) joining.member_id = new_id(joining);
      answers.push_back(join(joining));
    }
    if (!answers.empty() && !answers.back().there()) pass(milliseconds(200));
    std::vector<JoinReply> replies;
    for (const auto& answer : answers) {
      EXPECT_EQ(answer->error, GroupError::kNone);
      replies.push_back(*answer);
    }
    return replies;
  }
  // The same, and the leader gives each "part of <id>".
  std::vector<JoinReply> form(std::vector<JoinRequest> requests) {
    std::vector<JoinReply> replies = join_all(std::move(requests));
    std::vector<MemberAssignment> assignments;
    for (const JoinReply& reply : replies) assignments.push_back({reply.member_id, "part of " + reply.member_id});
    std::vector<Answer<SyncReply>> parts;
    for (const JoinReply& reply : replies)
      parts.push_back(sync(reply.member_id, reply.generation,
                           reply.leader == reply.member_id ? assignments : std::vector<MemberAssignment>()));
    for (std::size_t i = 0; i < replies.size(); ++i) {
      EXPECT_EQ(parts[i]->error, GroupError::kNone);
      EXPECT_EQ(parts[i]->assignment, "part of " + replies[i].member_id);
    }
    return replies;
  }
  // A stable group; the leader first.
  std::vector<std::string> form(std::size_t members) {
    const auto replies = form(std::vector<JoinRequest>(members, request()));
    std::vector<std::string> ids{replies.at(0).leader};
    for (const JoinReply& reply : replies)
      if (reply.member_id != ids[0]) ids.push_back(reply.member_id);
    return ids;
  }

  ManualClock clock_;
  GroupLog log_{clock_};
  NullLogger logger_;
  CoordinatorOptions options_;
  std::uint64_t seed_ = 0;
  std::unique_ptr<GroupCoordinator> coordinator_;
};

// So that a failed expectation says more than a number.
inline void PrintTo(GroupError error, std::ostream* out) {
  *out << "error " << static_cast<int>(error);
}
inline void PrintTo(GroupState state, std::ostream* out) {
  *out << to_string(state);
}

}  // namespace pinflow::groups
