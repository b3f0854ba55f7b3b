#include "groups/coordinator.h"

#include <gtest/gtest.h>

#include "groups/testing/group_fixture.h"

namespace pinflow::groups {
namespace {

using GroupJoin = GroupFixture;
using GroupRebalance = GroupFixture;
using GroupSession = GroupFixture;
using GroupSync = GroupFixture;
using GroupLeave = GroupFixture;
using GroupLimits = GroupFixture;
using GroupDriver = GroupFixture;

TEST_F(GroupJoin, TellsANewMemberItsIdBeforeItMayJoin) {
  const auto first = join(request());
  EXPECT_EQ(first->error, GroupError::kMemberIdRequired);
  EXPECT_EQ(first->generation, -1);
  EXPECT_TRUE(first->member_id.starts_with("client-"));
  const auto second = join(request(first->member_id));
  EXPECT_FALSE(second.there());
  pass(milliseconds(200));
  EXPECT_EQ(second->error, GroupError::kNone);
  EXPECT_EQ(second->member_id, first->member_id);
  EXPECT_EQ(second->leader, first->member_id);
  EXPECT_EQ(second->generation, 1);
  EXPECT_EQ(second->protocol_type, "consumer");
  EXPECT_EQ(second->protocol, "range");
}

TEST_F(GroupJoin, NeverAsksOldClientsForAnId) {
  JoinRequest old = request();
  old.needs_member_id = false;
  const auto answer = join(old);
  pass(milliseconds(200));
  EXPECT_EQ(answer->error, GroupError::kNone);
  EXPECT_FALSE(answer->member_id.empty());
}

TEST_F(GroupJoin, GivesTheMembersToTheLeaderAlone) {
  const auto replies = join_all({request("", "one"), request("", "two"), request("", "three")});
  for (const JoinReply& reply : replies) {
    EXPECT_EQ(reply.generation, 1);
    EXPECT_EQ(reply.leader, replies[0].member_id);
    EXPECT_EQ(reply.members.size(), reply.member_id == reply.leader ? 3u : 0u);
  }
  for (const JoinedMember& member : replies[0].members)
    for (std::size_t i = 0; i < 3; ++i)
      if (member.member_id == replies[i].member_id)
        EXPECT_EQ(member.metadata, (std::vector<std::string>{"one", "two", "three"})[i]);
}

TEST_F(GroupJoin, WaitsAtFirstAsLongAsMembersArrive) {
  const auto first = join(request(new_id()));
  pass(milliseconds(60));
  const auto second = join(request(new_id()));
  pass(milliseconds(60));
  EXPECT_FALSE(first.there());
  const auto third = join(request(new_id()));
  pass(milliseconds(60));
  EXPECT_FALSE(first.there());
  pass(milliseconds(120));
  EXPECT_EQ(first->members.size(), 3u);
  EXPECT_EQ(second->generation, 1);
  EXPECT_EQ(third->generation, 1);
}

TEST_F(GroupJoin, WaitsAtFirstNoLongerThanTheRebalanceTimeout) {
  JoinRequest quick = request();
  quick.rebalance_timeout = milliseconds(250);
  std::vector<Answer<JoinReply>> answers;
  for (int i = 0; i < 4; ++i) {
    quick.member_id = new_id();
    answers.push_back(join(quick));
    pass(milliseconds(50));
  }
  pass(milliseconds(49));
  EXPECT_FALSE(answers[0].there());
  pass(milliseconds(1));
  EXPECT_TRUE(answers[0].there());
}

TEST_F(GroupJoin, WithoutDelayAnswersAtOnce) {
  options_.initial_rebalance_delay = milliseconds(0);
  restart();
  EXPECT_EQ(join(request(new_id()))->error, GroupError::kNone);
}

TEST_F(GroupJoin, RefusesWhatCannotBe) {
  JoinRequest joining = request();
  joining.group = "";
  EXPECT_EQ(join(joining)->error, GroupError::kInvalidGroupId);
  joining.group = std::string(2'000, 'g');
  EXPECT_EQ(join(joining)->error, GroupError::kInvalidGroupId);
  joining = request();
  joining.session_timeout = milliseconds(5'999);
  EXPECT_EQ(join(joining)->error, GroupError::kInvalidSessionTimeout);
  joining.session_timeout = std::chrono::minutes(31);
  EXPECT_EQ(join(joining)->error, GroupError::kInvalidSessionTimeout);
  EXPECT_EQ(join(request("nobody"))->error, GroupError::kUnknownMemberId);
  joining = request();
  joining.protocols.clear();
  EXPECT_EQ(join(joining)->error, GroupError::kInconsistentGroupProtocol);
  joining = request();
  joining.protocol_type = "";
  EXPECT_EQ(join(joining)->error, GroupError::kInconsistentGroupProtocol);
  EXPECT_EQ(coordinator_->describe("g").state, GroupState::kDead);
}

TEST_F(GroupJoin, RefusesAMemberThatSharesNoProtocol) {
  const auto ids = form(1);
  EXPECT_EQ(join(request("nobody"))->error, GroupError::kUnknownMemberId);
  JoinRequest other = request();
  other.protocol_type = "connect";
  EXPECT_EQ(join(other)->error, GroupError::kInconsistentGroupProtocol);
  other = request();
  other.protocols = {{"sticky", ""}};
  EXPECT_EQ(join(other)->error, GroupError::kInconsistentGroupProtocol);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
}

TEST_F(GroupJoin, TakesTheProtocolThatMostLikeBest) {
  std::vector<JoinRequest> requests(3, request());
  requests[0].protocols = {{"a", "a0"}, {"b", "b0"}, {"c", "c0"}};
  requests[1].protocols = {{"c", "c1"}, {"b", "b1"}};
  requests[2].protocols = {{"x", "x2"}, {"b", "b2"}, {"c", "c2"}};
  const auto replies = join_all(requests);
  // a and x are not known to all; b has two votes, c one.
  EXPECT_EQ(replies[1].protocol, "b");
  for (const JoinedMember& member : replies[0].members) EXPECT_EQ(member.metadata[0], 'b');
}

TEST_F(GroupJoin, AnIdThatNobodyJoinsWithEnds) {
  const std::string id = new_id();
  pass(seconds(10));
  EXPECT_EQ(join(request(id))->error, GroupError::kUnknownMemberId);
  EXPECT_TRUE(coordinator_->list().empty());
}

TEST_F(GroupRebalance, WaitsForAMemberThatWasToldItsId) {
  const auto ids = form(1);
  const std::string second = new_id();
  const auto leader = join(request(ids[0], "changed"));
  pass(seconds(1));
  EXPECT_FALSE(leader.there());
  const auto joined = join(request(second));
  EXPECT_EQ(leader->generation, 2);
  EXPECT_EQ(joined->generation, 2);
}

TEST_F(GroupRebalance, KeepsMembersKnownWhileAnotherJoins) {
  const auto ids = form(2);
  const auto third = join(request(new_id()));
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kRebalanceInProgress);
  EXPECT_EQ(sync(ids[1], 1)->error, GroupError::kRebalanceInProgress);
  EXPECT_EQ(commit(ids[1], 1), GroupError::kNone);
  const auto first = join(request(ids[0]));
  EXPECT_FALSE(third.there());
  const auto second = join(request(ids[1]));
  EXPECT_EQ(first->generation, 2);
  EXPECT_EQ(second->generation, 2);
  EXPECT_EQ(third->generation, 2);
  EXPECT_EQ(first->members.size(), 3u);
}

TEST_F(GroupRebalance, GoesOnWithoutAMemberThatDoesNotJoinAgain) {
  const auto ids = form(2);
  const auto leader = join(request(ids[0]));
  for (int i = 0; i < 11; ++i) {
    pass(seconds(5));
    EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kRebalanceInProgress);  // It lives, but does not join.
  }
  EXPECT_FALSE(leader.there());
  pass(seconds(5));
  EXPECT_EQ(leader->generation, 2);
  EXPECT_EQ(leader->members.size(), 1u);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kUnknownMemberId);
}

TEST_F(GroupRebalance, AFollowersIdenticalJoinChangesNothing) {
  const auto ids = form(2);
  const auto again = join(request(ids[1]));
  EXPECT_EQ(again->error, GroupError::kNone);
  EXPECT_EQ(again->generation, 1);
  EXPECT_EQ(again->leader, ids[0]);
  EXPECT_TRUE(again->members.empty());
  EXPECT_EQ(state(), GroupState::kStable);
  EXPECT_EQ(sync(ids[1], 1)->assignment, "part of " + ids[1]);
}

TEST_F(GroupRebalance, StartsWhenTheLeaderJoinsAgain) {
  const auto ids = form(2);
  const auto leader = join(request(ids[0]));
  EXPECT_FALSE(leader.there());
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kRebalanceInProgress);
  const auto follower = join(request(ids[1]));
  EXPECT_EQ(leader->generation, 2);
  EXPECT_EQ(follower->leader, ids[0]);
}

TEST_F(GroupRebalance, StartsWhenAFollowersMetadataChanges) {
  const auto ids = form(2);
  const auto follower = join(request(ids[1], "other topics"));
  EXPECT_FALSE(follower.there());
  EXPECT_EQ(state(), GroupState::kPreparingRebalance);
}

TEST_F(GroupRebalance, BeginsAnewWhenSomebodyJoinsBeforeTheLeaderHasSpoken) {
  const auto replies = join_all({request(), request()});
  const auto waiting = sync(replies[1].member_id, 1);
  const auto third = join(request(new_id()));
  const auto fourth = join(request(new_id()));
  EXPECT_EQ(waiting->error, GroupError::kRebalanceInProgress);
  EXPECT_EQ(sync(replies[0].member_id, 1)->error, GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(replies[0].member_id, 1), GroupError::kRebalanceInProgress);
  const auto first = join(request(replies[0].member_id));
  const auto second = join(request(replies[1].member_id));
  for (const auto& answer : {first, second, third, fourth}) EXPECT_EQ(answer->generation, 2);
  EXPECT_EQ(first->members.size(), 4u);
}

TEST_F(GroupRebalance, RepeatsTheAnswerOfAJoinThatWasLost) {
  const auto replies = join_all({request(), request()});
  const auto leader = join(request(replies[0].member_id));
  EXPECT_EQ(leader->generation, 1);
  EXPECT_EQ(leader->members.size(), 2u);
  EXPECT_TRUE(join(request(replies[1].member_id))->members.empty());
  EXPECT_EQ(state(), GroupState::kCompletingRebalance);
}

TEST_F(GroupRebalance, OnlyTheLastJoinOfAMemberWaits) {
  const auto ids = form(2);
  const auto lost = join(request(ids[0]));
  const auto kept = join(request(ids[0]));
  EXPECT_EQ(lost->error, GroupError::kRebalanceInProgress);
  join(request(ids[1]));
  EXPECT_EQ(kept->generation, 2);
}

TEST_F(GroupSync, CarriesTheLeadersBytesAsTheyAre) {
  const auto replies = join_all({request(), request(), request()});
  const std::string bytes("\0\1\xff assignment \0", 16);
  const auto waiting = sync(replies[1].member_id, 1);
  EXPECT_FALSE(waiting.there());
  const auto leader = sync(replies[0].member_id, 1, {{replies[1].member_id, bytes}, {"stranger", "x"}});
  EXPECT_EQ(waiting->assignment, bytes);
  EXPECT_EQ(waiting->protocol_type, "consumer");
  EXPECT_EQ(waiting->protocol, "range");
  EXPECT_EQ(leader->assignment, "");
  EXPECT_EQ(sync(replies[2].member_id, 1)->assignment, "");
  EXPECT_EQ(state(), GroupState::kStable);
}

TEST_F(GroupSync, HoldsMembersToTheirGeneration) {
  const auto ids = form(1);
  EXPECT_EQ(sync(ids[0], 0)->error, GroupError::kIllegalGeneration);
  EXPECT_EQ(sync(ids[0], 2)->error, GroupError::kIllegalGeneration);
  EXPECT_EQ(sync("nobody", 1)->error, GroupError::kUnknownMemberId);
  Answer<SyncReply> answer;
  coordinator_->sync({"g", 1, ids[0], {}, "connect", {}, {}}, answer.callback());
  EXPECT_EQ(answer->error, GroupError::kInconsistentGroupProtocol);
  Answer<SyncReply> other;
  coordinator_->sync({"g", 1, ids[0], {}, "consumer", "sticky", {}}, other.callback());
  EXPECT_EQ(other->error, GroupError::kInconsistentGroupProtocol);
  Answer<SyncReply> unknown;
  coordinator_->sync({"other", 1, ids[0], {}, {}, {}, {}}, unknown.callback());
  EXPECT_EQ(unknown->error, GroupError::kUnknownMemberId);
}

TEST_F(GroupSync, OnlyTheLastSyncOfAMemberWaits) {
  const auto replies = join_all({request(), request()});
  const auto lost = sync(replies[1].member_id, 1);
  const auto kept = sync(replies[1].member_id, 1);
  EXPECT_EQ(lost->error, GroupError::kRebalanceInProgress);
  sync(replies[0].member_id, 1, {{replies[1].member_id, "part"}});
  EXPECT_EQ(kept->assignment, "part");
}

TEST_F(GroupSync, EndsALeaderThatDoesNotSpeak) {
  const auto replies = join_all({request(), request()});
  const auto waiting = sync(replies[1].member_id, 1);
  // The leader lives but does not answer within the rebalance timeout.
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(heartbeat(replies[0].member_id, 1), GroupError::kNone);
    EXPECT_FALSE(waiting.there());
    pass(seconds(5));
  }
  EXPECT_EQ(waiting->error, GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(replies[0].member_id, 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(join(request(replies[1].member_id))->leader, replies[1].member_id);
}

TEST_F(GroupSync, EndsALeaderThatDiesBeforeItSpeaks) {
  const auto replies = join_all({request(), request()});
  const auto waiting = sync(replies[1].member_id, 1);
  pass(seconds(10));
  EXPECT_EQ(waiting->error, GroupError::kRebalanceInProgress);
  const auto next = join(request(replies[1].member_id));
  EXPECT_EQ(next->generation, 2);
  EXPECT_EQ(next->leader, replies[1].member_id);
}

TEST_F(GroupSync, EndsAFollowerThatNeverAsks) {
  const auto replies = join_all({request(), request()});
  sync(replies[0].member_id, 1);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(heartbeat(replies[0].member_id, 1), GroupError::kNone);
    EXPECT_EQ(heartbeat(replies[1].member_id, 1), GroupError::kNone);
    pass(seconds(5));
  }
  EXPECT_EQ(heartbeat(replies[0].member_id, 1), GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(replies[1].member_id, 1), GroupError::kUnknownMemberId);
}

TEST_F(GroupSession, EndsWithoutHeartbeats) {
  const auto ids = form(2);
  for (int i = 0; i < 3; ++i) {
    pass(seconds(9));
    EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
    EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kNone);
  }
  pass(milliseconds(5'000));
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
  pass(milliseconds(4'999));
  EXPECT_EQ(state(), GroupState::kStable);
  pass(milliseconds(1));
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kRebalanceInProgress);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(join(request(ids[0]))->generation, 2);
}

TEST_F(GroupSession, ACommitCountsAsAHeartbeat) {
  const auto ids = form(1);
  for (int i = 0; i < 3; ++i) {
    pass(seconds(9));
    EXPECT_EQ(commit(ids[0], 1), GroupError::kNone);
  }
}

TEST_F(GroupSession, WhenAllDieTheGroupIsEmpty) {
  const auto ids = form(3);
  pass(seconds(10));
  EXPECT_EQ(state(), GroupState::kEmpty);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kUnknownMemberId);
  const auto replies = join_all({request()});
  EXPECT_EQ(replies[0].generation, 3);  // Emptiness was the second.
}

TEST_F(GroupSession, WhoWaitsIsNotAskedForHeartbeats) {
  const auto ids = form(2);
  const auto waiting = join(request(ids[0]));
  for (int i = 0; i < 5; ++i) {
    pass(seconds(9));
    EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kRebalanceInProgress);
  }
  EXPECT_FALSE(waiting.there());
  join(request(ids[1]));
  EXPECT_EQ(waiting->members.size(), 2u);
}

TEST_F(GroupSession, ANewMemberThatNobodyHearsOfWaitsFiveMinutes) {
  options_.max_session_timeout = std::chrono::hours(2);
  restart();
  JoinRequest slow = request();
  slow.rebalance_timeout = std::chrono::hours(1);
  slow.session_timeout = std::chrono::hours(1);
  const std::string first = form({slow})[0].member_id;
  const auto second = join(request(new_id()));
  pass(std::chrono::minutes(5) - milliseconds(1));
  EXPECT_FALSE(second.there());
  pass(milliseconds(1));
  EXPECT_EQ(second->error, GroupError::kUnknownMemberId);
}

TEST_F(GroupSession, HeartbeatsAreHeldToMemberAndGeneration) {
  const auto ids = form(1);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
  EXPECT_EQ(heartbeat(ids[0], 2), GroupError::kIllegalGeneration);
  EXPECT_EQ(heartbeat("nobody", 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(ids[0], 1, "instance"), GroupError::kUnknownMemberId);
  EXPECT_EQ(coordinator_->heartbeat({"other", 1, ids[0], {}}), GroupError::kUnknownMemberId);
  EXPECT_EQ(coordinator_->heartbeat({"", 1, ids[0], {}}), GroupError::kInvalidGroupId);
}

TEST_F(GroupSession, AHeartbeatWhileTheLeaderDecidesIsWell) {
  const auto replies = join_all({request(), request()});
  EXPECT_EQ(state(), GroupState::kCompletingRebalance);
  EXPECT_EQ(heartbeat(replies[1].member_id, 1), GroupError::kNone);
}

TEST_F(GroupSession, ZombiesOfTwoGenerationsAreToldSo) {
  const auto first = form(2);
  pass(seconds(6));
  EXPECT_EQ(heartbeat(first[1], 1), GroupError::kNone);
  pass(seconds(5));  // The leader dies.
  const auto second = form({request(first[1])});
  EXPECT_EQ(second[0].generation, 2);
  pass(seconds(10));  // And the other.
  const auto third = form(1);
  EXPECT_EQ(heartbeat(first[0], 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(first[1], 2), GroupError::kUnknownMemberId);
  EXPECT_EQ(commit(first[0], 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(commit(first[1], 2), GroupError::kUnknownMemberId);
  EXPECT_EQ(sync(first[1], 2)->error, GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(third[0], 4), GroupError::kNone);
  EXPECT_EQ(commit(third[0], 2), GroupError::kIllegalGeneration);
}

TEST_F(GroupLeave, OfTheLeaderMakesAnotherOne) {
  const auto ids = form(3);
  EXPECT_EQ(leave(ids[0]), GroupError::kNone);
  EXPECT_EQ(heartbeat(ids[0], 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(heartbeat(ids[1], 1), GroupError::kRebalanceInProgress);
  const auto one = join(request(ids[1]));
  const auto two = join(request(ids[2]));
  EXPECT_EQ(one->leader, two->leader);
  EXPECT_EQ(one->members.size() + two->members.size(), 2u);
}

TEST_F(GroupLeave, AnswersEachMember) {
  const auto ids = form(2);
  const LeaveReply reply = coordinator_->leave({"g", {{ids[0], {}}, {"nobody", {}}, {"", "instance"}}});
  EXPECT_EQ(reply.error, GroupError::kNone);
  EXPECT_EQ(reply.members,
            (std::vector{GroupError::kNone, GroupError::kUnknownMemberId, GroupError::kUnknownMemberId}));
  EXPECT_EQ(coordinator_->leave({"other", {{ids[1], {}}}}).members, std::vector{GroupError::kUnknownMemberId});
  EXPECT_EQ(coordinator_->leave({"", {{ids[1], {}}}}).error, GroupError::kInvalidGroupId);
}

TEST_F(GroupLeave, OfTheLastEmptiesTheGroup) {
  const auto ids = form(1);
  EXPECT_EQ(leave(ids[0]), GroupError::kNone);
  EXPECT_EQ(state(), GroupState::kEmpty);
}

TEST_F(GroupLeave, WorksForAMemberThatNeverJoined) {
  const auto ids = form(1);
  const std::string pending = new_id();
  const auto leader = join(request(ids[0]));
  EXPECT_FALSE(leader.there());
  EXPECT_EQ(leave(pending), GroupError::kNone);
  EXPECT_EQ(leader->generation, 2);
}

TEST_F(GroupLeave, WhileItWaitsIsAnswered) {
  const auto ids = form(2);
  const auto joining = join(request(ids[1], "changed"));
  EXPECT_EQ(leave(ids[1]), GroupError::kNone);
  EXPECT_EQ(joining->error, GroupError::kUnknownMemberId);
  const auto leader = join(request(ids[0]));
  const auto syncing = sync(ids[0], 2);
  EXPECT_EQ(leader->generation, 2);
  EXPECT_EQ(syncing->error, GroupError::kNone);
}

TEST_F(GroupLimits, RefusesMembersOverTheBound) {
  options_.max_group_size = 2;
  restart();
  const auto ids = form(2);
  EXPECT_EQ(join(request())->error, GroupError::kGroupMaxSizeReached);
  const auto leader = join(request(ids[0]));
  EXPECT_EQ(join(request(ids[1]))->generation, 2);
  EXPECT_EQ(leader->generation, 2);
}

TEST_F(GroupLimits, BoundsThoseThatWereToldAnId) {
  options_.max_group_size = 2;
  restart();
  new_id();
  new_id();
  EXPECT_EQ(join(request())->error, GroupError::kGroupMaxSizeReached);
}

TEST_F(GroupLimits, BoundsGroupsAndMemory) {
  options_.max_groups = 1;
  options_.max_member_size = ByteCount(1'000);
  options_.max_memory = ByteCount(2'500);
  restart();
  EXPECT_EQ(join(request("", std::string(1'000, 'm')))->error, GroupError::kInvalidRequest);
  form({request("", std::string(800, 'm'))});
  EXPECT_EQ(join(request("", std::string(800, 'm')))->error, GroupError::kMemberIdRequired);
  JoinRequest other = request();
  other.group = "h";
  EXPECT_EQ(join(other)->error, GroupError::kCoordinatorNotAvailable);
  options_.max_memory = ByteCount(1'500);
  restart();
  EXPECT_EQ(join(request("", std::string(800, 'm')))->error, GroupError::kCoordinatorNotAvailable);
}

TEST_F(GroupLimits, RefusesAnAssignmentOverTheBound) {
  options_.max_member_size = ByteCount(1'000);
  restart();
  const auto replies = join_all({request(), request()});
  const std::string leader = replies[0].member_id;
  const auto waiting = sync(replies[1].member_id, 1);
  EXPECT_EQ(sync(leader, 1, {{leader, std::string(1'001, 'a')}})->error, GroupError::kInvalidRequest);
  EXPECT_EQ(sync(leader, 1, {{leader, std::string(1'000, 'a')}})->assignment.size(), 1'000u);
  EXPECT_EQ(waiting->error, GroupError::kNone);
}

TEST_F(GroupDriver, TellsWhenTheNextDeadlineIsEarlier) {
  int told = 0;
  coordinator_->on_earlier_deadline([&] { ++told; });
  const SteadyTime idle = coordinator_->next_deadline();
  const auto answer = join(request(new_id()));
  EXPECT_GT(told, 0);
  EXPECT_LT(coordinator_->next_deadline(), idle);
  pass(milliseconds(200));
  EXPECT_TRUE(answer.there());
  told = 0;
  EXPECT_EQ(heartbeat(answer->member_id, 1), GroupError::kNone);
  EXPECT_EQ(told, 0);
}

TEST_F(GroupDriver, AnswersAllWhoWaitAtTheEnd) {
  const auto ids = form(2);
  const auto joining = join(request(ids[0]));
  JoinRequest other = request();
  other.group = "h";
  other.needs_member_id = false;
  const auto elsewhere = join(other);
  coordinator_.reset();
  EXPECT_EQ(joining->error, GroupError::kCoordinatorNotAvailable);
  EXPECT_EQ(elsewhere->error, GroupError::kCoordinatorNotAvailable);
}

}  // namespace
}  // namespace pinflow::groups
