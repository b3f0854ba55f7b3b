#include <gtest/gtest.h>

#include "groups/testing/group_fixture.h"

namespace pinflow::groups {
namespace {

class StaticMembers : public GroupFixture {
 protected:
  // A stable group of two static members, "a" the leader.
  void form_static() {
    const auto replies = form({static_request("a"), static_request("b")});
    a_ = replies[0].member_id;
    b_ = replies[1].member_id;
    ASSERT_EQ(replies[0].leader, a_);
  }
  std::string a_;
  std::string b_;
};

TEST_F(StaticMembers, JoinWithoutBeingToldAnIdFirst) {
  const auto answer = join(static_request("a"));
  pass(milliseconds(200));
  EXPECT_EQ(answer->error, GroupError::kNone);
  EXPECT_TRUE(answer->member_id.starts_with("a-"));
  EXPECT_EQ(answer->members.at(0).instance_id, "a");
}

TEST_F(StaticMembers, TakeTheirPlaceAgainWithoutARebalance) {
  form_static();
  const auto again = join(static_request("b"));
  EXPECT_EQ(again->error, GroupError::kNone);
  EXPECT_EQ(again->generation, 1);
  EXPECT_NE(again->member_id, b_);
  EXPECT_EQ(again->leader, a_);
  EXPECT_TRUE(again->members.empty());
  EXPECT_FALSE(again->skip_assignment);
  EXPECT_EQ(state(), GroupState::kStable);
  EXPECT_EQ(sync(again->member_id, 1, {}, "b")->assignment, "part of " + b_);
  EXPECT_EQ(heartbeat(a_, 1, "a"), GroupError::kNone);
}

TEST_F(StaticMembers, FenceTheirTwin) {
  form_static();
  const std::string b2 = join(static_request("b"))->member_id;
  EXPECT_EQ(heartbeat(b_, 1, "b"), GroupError::kFencedInstanceId);
  EXPECT_EQ(commit(b_, 1, "b"), GroupError::kFencedInstanceId);
  EXPECT_EQ(sync(b_, 1, {}, "b")->error, GroupError::kFencedInstanceId);
  EXPECT_EQ(join(static_request("b", b_))->error, GroupError::kFencedInstanceId);
  EXPECT_EQ(leave(b_, "b"), GroupError::kFencedInstanceId);
  EXPECT_EQ(heartbeat(b_, 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(b2, 1, "b"), GroupError::kNone);
  EXPECT_EQ(commit(b2, 1, "b"), GroupError::kNone);
}

TEST_F(StaticMembers, AReturningLeaderOfTodaySkipsTheAssignment) {
  form_static();
  JoinRequest joining = static_request("a");
  joining.can_skip_assignment = true;
  const auto again = join(joining);
  EXPECT_EQ(again->leader, again->member_id);
  EXPECT_TRUE(again->skip_assignment);
  EXPECT_EQ(again->members.size(), 2u);
  EXPECT_EQ(sync(again->member_id, 1, {}, "a")->assignment, "part of " + a_);
  EXPECT_EQ(state(), GroupState::kStable);
}

TEST_F(StaticMembers, AReturningLeaderOfOldIsNotToldThatItLeads) {
  form_static();
  const auto again = join(static_request("a"));
  EXPECT_EQ(again->leader, a_);
  EXPECT_NE(again->member_id, a_);
  EXPECT_TRUE(again->members.empty());
  EXPECT_EQ(sync(again->member_id, 1, {}, "a")->assignment, "part of " + a_);
}

TEST_F(StaticMembers, ReturningWithAnotherProtocolStartARebalance) {
  std::vector<JoinRequest> requests{static_request("a"), static_request("b")};
  for (JoinRequest& joining : requests) joining.protocols = {{"range", ""}, {"sticky", ""}};
  const auto replies = form(requests);
  JoinRequest joining = static_request("b");
  joining.protocols = {{"sticky", ""}};
  const auto again = join(joining);
  EXPECT_FALSE(again.there());
  EXPECT_EQ(heartbeat(replies[0].member_id, 1, "a"), GroupError::kRebalanceInProgress);
}

TEST_F(StaticMembers, ReturningWhileTheGroupGathersJoinIt) {
  form_static();
  const auto third = join(static_request("c"));
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
  const auto b2 = join(static_request("b"));
  EXPECT_FALSE(b2.there());
  const auto a = join(static_request("a", a_));
  EXPECT_EQ(a->generation, 2);
  EXPECT_EQ(b2->generation, 2);
  EXPECT_EQ(a->members.size(), 3u);
}

TEST_F(StaticMembers, ReturningWhileTheLeaderDecidesStartARebalance) {
  const auto replies = join_all({static_request("a"), static_request("b")});
  const auto lost = sync(replies[1].member_id, 1, {}, "b");
  const auto again = join(static_request("b"));
  EXPECT_EQ(lost->error, GroupError::kFencedInstanceId);
  EXPECT_FALSE(again.there());
  EXPECT_EQ(join(static_request("a", replies[0].member_id))->generation, 2);
  EXPECT_EQ(again->generation, 2);
}

TEST_F(StaticMembers, AJoinThatWaitsIsFencedByItsTwin) {
  const auto first = join(static_request("a"));
  const auto second = join(static_request("a"));
  EXPECT_EQ(first->error, GroupError::kFencedInstanceId);
  pass(milliseconds(300));
  EXPECT_EQ(second->error, GroupError::kNone);
  EXPECT_EQ(second->members.size(), 1u);
}

TEST_F(StaticMembers, StayWhileTheirSessionLasts) {
  JoinRequest quick = static_request("a");
  quick.rebalance_timeout = seconds(2);
  JoinRequest other = static_request("b");
  other.rebalance_timeout = seconds(2);
  const auto replies = form({quick, other});
  // The leader joins anew; b is away for a moment, but keeps its place in the next generation.
  quick.member_id = replies[0].member_id;
  const auto leader = join(quick);
  pass(seconds(2));
  EXPECT_EQ(leader->generation, 2);
  EXPECT_EQ(leader->members.size(), 2u);
}

TEST_F(StaticMembers, OfWhichNoneReturnsEndWithTheirSessions) {
  JoinRequest quick = static_request("a");
  quick.rebalance_timeout = seconds(1);
  const auto ids = form({quick});
  JoinRequest dynamic = request();
  dynamic.rebalance_timeout = seconds(1);
  dynamic.member_id = new_id();
  const auto joined = join(dynamic);
  EXPECT_EQ(leave(dynamic.member_id), GroupError::kNone);
  EXPECT_EQ(joined->error, GroupError::kUnknownMemberId);
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
  pass(seconds(10));
  EXPECT_EQ(state(), GroupState::kEmpty);
}

TEST_F(StaticMembers, LeaveByTheirInstanceAlone) {
  form_static();
  EXPECT_EQ(leave("", "b"), GroupError::kNone);
  EXPECT_EQ(heartbeat(b_, 1, "b"), GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(a_, 1, "a"), GroupError::kRebalanceInProgress);
}

TEST_F(StaticMembers, AreAnsweredWhenTheirNewIdIsStored) {
  form_static();
  log_.hold(true);
  const auto again = join(static_request("b"));
  EXPECT_FALSE(again.there());
  pass(seconds(9));
  EXPECT_EQ(heartbeat(a_, 1, "a"), GroupError::kNone);
  log_.release();
  EXPECT_EQ(again->error, GroupError::kNone);
  pass(seconds(9));
  EXPECT_EQ(heartbeat(again->member_id, 1, "b"), GroupError::kNone);
}

TEST_F(StaticMembers, TryAgainWhenTheirNewIdWasNotStored) {
  form_static();
  log_.fail_with(ErrorCode::kUnavailable);
  EXPECT_EQ(join(static_request("b"))->error, GroupError::kCoordinatorNotAvailable);
  log_.fail_with({});
  EXPECT_EQ(join(static_request("b"))->error, GroupError::kNone);
}

TEST_F(StaticMembers, MayReturnToAFullGroup) {
  options_.max_group_size = 2;
  restart();
  form_static();
  EXPECT_EQ(join(static_request("b"))->error, GroupError::kNone);
  EXPECT_EQ(join(static_request("c"))->error, GroupError::kGroupMaxSizeReached);
}

}  // namespace
}  // namespace pinflow::groups
