#include <gtest/gtest.h>

#include "groups/testing/group_fixture.h"

namespace pinflow::groups {
namespace {

using GroupRestart = GroupFixture;

TEST_F(GroupRestart, LetsMembersGoOn) {
  const auto ids = form(3);
  restart();
  EXPECT_EQ(state(), GroupState::kStable);
  for (const std::string& id : ids) {
    EXPECT_EQ(heartbeat(id, 1), GroupError::kNone);
    EXPECT_EQ(commit(id, 1), GroupError::kNone);
    EXPECT_EQ(sync(id, 1)->assignment, "part of " + id);
  }
  EXPECT_EQ(join(request(ids[1]))->generation, 1);
  EXPECT_FALSE(join(request(ids[0])).there());
}

TEST_F(GroupRestart, GivesMembersFreshSessions) {
  const auto ids = form(2);
  pass(seconds(9));
  restart();
  pass(milliseconds(9'999));
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
  pass(milliseconds(1));
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kUnknownMemberId);
}

TEST_F(GroupRestart, KeepsStaticMembersAndTheirNewIds) {
  const auto replies = form({static_request("a"), static_request("b")});
  const std::string b = join(static_request("b"))->member_id;
  restart();
  EXPECT_EQ(heartbeat(b, 1, "b"), GroupError::kNone);
  EXPECT_EQ(heartbeat(replies[1].member_id, 1, "b"), GroupError::kFencedInstanceId);
  EXPECT_EQ(join(static_request("b"))->generation, 1);
}

TEST_F(GroupRestart, GoesOnCountingGenerations) {
  const auto ids = form(1);
  leave(ids[0]);
  restart();
  EXPECT_EQ(state(), GroupState::kEmpty);
  EXPECT_EQ(coordinator_->list().at(0).protocol_type, "consumer");
  EXPECT_EQ(join_all({request()})[0].generation, 3);
}

TEST_F(GroupRestart, DuringARebalanceGoesBackToTheGenerationBefore) {
  const auto ids = form(2);
  const auto leader = join(request(ids[0]));
  join(request(ids[1]));
  EXPECT_EQ(leader->generation, 2);
  restart();
  EXPECT_EQ(heartbeat(ids[1], 2), GroupError::kIllegalGeneration);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kNone);
}

TEST_F(GroupRestart, BeginsAnewWhereTheStateCannotBeRead) {
  const auto ids = form(1);
  commit(ids[0], 1);
  log_.store_group_state("g", "rubbish", [](const Result<void>&) {});
  restart();
  EXPECT_EQ(state(), GroupState::kEmpty);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
  EXPECT_EQ(form(1).size(), 1u);
}

TEST_F(GroupRestart, MembersLearnTheirPartOnceItIsStored) {
  const auto replies = join_all({request(), request()});
  log_.hold(true);
  const auto follower = sync(replies[1].member_id, 1);
  const auto leader = sync(replies[0].member_id, 1, {{replies[1].member_id, "part"}});
  EXPECT_FALSE(leader.there());
  EXPECT_EQ(state(), GroupState::kCompletingRebalance);
  log_.release();
  EXPECT_EQ(leader->error, GroupError::kNone);
  EXPECT_EQ(follower->assignment, "part");
}

TEST_F(GroupRestart, APartThatCannotBeStoredIsGivenToNobody) {
  const auto replies = join_all({request(), request()});
  log_.fail_with(ErrorCode::kUnavailable);
  const auto follower = sync(replies[1].member_id, 1);
  const auto leader = sync(replies[0].member_id, 1, {{replies[1].member_id, "part"}});
  EXPECT_EQ(leader->error, GroupError::kCoordinatorNotAvailable);
  EXPECT_EQ(follower->error, GroupError::kCoordinatorNotAvailable);
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
  log_.fail_with({});
  const auto again = form({request(replies[0].member_id), request(replies[1].member_id)});
  EXPECT_EQ(again[0].generation, 2);
}

TEST_F(GroupRestart, AnAnswerOfTheLogThatComesLateChangesNothing) {
  const auto replies = join_all({request(), request()});
  log_.hold(true);
  const auto leader = sync(replies[0].member_id, 1, {{replies[1].member_id, "part"}});
  const auto third = join(request(new_id()));
  EXPECT_EQ(leader->error, GroupError::kRebalanceInProgress);
  log_.hold(false);
  log_.release();
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
  EXPECT_EQ(form({request(replies[0].member_id), request(replies[1].member_id)})[0].generation, 2);
}

TEST_F(GroupRestart, TheLogMayAnswerAfterTheEnd) {
  const auto replies = join_all({request()});
  log_.hold(true);
  const auto leader = sync(replies[0].member_id, 1, {});
  const auto commit = commit_later("", -1, {position(1)});
  Answer<OffsetsReply> other;
  coordinator_->commit({"h", -1, "", {}, {position(1)}}, other.callback());
  coordinator_.reset();
  EXPECT_EQ(leader->error, GroupError::kCoordinatorNotAvailable);
  EXPECT_FALSE(other.there());
  log_.release();
  EXPECT_EQ(other->partitions.at(0), GroupError::kNone);
  EXPECT_EQ(commit->error, GroupError::kUnknownMemberId);
}

TEST_F(GroupRestart, StatesOfAGroupAreWrittenInTheirOrder) {
  const auto replies = form({static_request("a"), static_request("b")});
  log_.hold(true);
  const std::size_t before = log_.states_stored();
  std::vector<Answer<JoinReply>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(join(static_request("b")));
  EXPECT_EQ(log_.states_stored(), before + 1);  // One is on its way, the others wait for it.
  log_.hold(false);
  log_.release();
  EXPECT_EQ(log_.states_stored(), before + 2);
  EXPECT_EQ(answers[0]->error, GroupError::kFencedInstanceId);
  EXPECT_EQ(answers[2]->error, GroupError::kNone);
  restart();
  EXPECT_EQ(heartbeat(answers[2]->member_id, 1, "b"), GroupError::kNone);
}

}  // namespace
}  // namespace pinflow::groups
