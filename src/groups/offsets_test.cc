#include <gtest/gtest.h>

#include "groups/internal/wire_bytes.h"
#include "groups/testing/group_fixture.h"

namespace pinflow::groups {
namespace {

class GroupOffsets : public GroupFixture {
 protected:
  // Metadata of a consumer that subscribes to one topic.
  static JoinRequest subscriber(const std::string& topic) {
    std::string metadata;
    append_integer<std::int16_t>(metadata, 1);
    append_integer<std::int32_t>(metadata, 1);
    append_integer<std::int16_t>(metadata, static_cast<std::int16_t>(topic.size()));
    metadata += topic;
    append_integer<std::int32_t>(metadata, -1);
    return request("", metadata);
  }
  OffsetsReply delete_offsets(std::vector<log::TopicPartition> partitions) {
    Answer<OffsetsReply> answer;
    coordinator_->delete_offsets({"g", std::move(partitions)}, answer.callback());
    return *answer;
  }
  GroupError delete_group(const std::string& name = "g") {
    Answer<GroupError> answer;
    coordinator_->delete_group(name, answer.callback());
    return *answer;
  }
  static log::TopicPartition partition(std::int32_t id, std::string topic = "t") {
    return {std::move(topic), log::PartitionId(id)};
  }
};

TEST_F(GroupOffsets, AreKeptWithEpochAndMetadata) {
  EXPECT_EQ(commit("", -1), GroupError::kNone);
  const auto committed = coordinator_->committed("g");
  ASSERT_EQ(committed.size(), 1u);
  EXPECT_EQ(committed[0].offset, log::Offset(7));
  EXPECT_EQ(committed[0].leader_epoch, 3);
  EXPECT_EQ(committed[0].metadata, "note");
  EXPECT_TRUE(coordinator_->committed("other").empty());
}

TEST_F(GroupOffsets, OfOneWhoIsNoMemberAreForGroupsWithoutMembers) {
  EXPECT_EQ(commit("", -1), GroupError::kNone);
  const auto ids = form(1);
  EXPECT_EQ(commit("", -1), GroupError::kUnknownMemberId);
  leave(ids[0]);
  EXPECT_EQ(commit("", -1), GroupError::kNone);
}

TEST_F(GroupOffsets, AreHeldToMemberAndGeneration) {
  EXPECT_EQ(commit("nobody", 1), GroupError::kIllegalGeneration);  // There is no such group.
  const auto ids = form(1);
  EXPECT_EQ(commit(ids[0], 1), GroupError::kNone);
  EXPECT_EQ(commit(ids[0], 2), GroupError::kIllegalGeneration);
  EXPECT_EQ(commit(ids[0], -1), GroupError::kIllegalGeneration);
  EXPECT_EQ(commit("", 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(commit("nobody", 1), GroupError::kUnknownMemberId);
  EXPECT_EQ(commit(ids[0], 1, "instance"), GroupError::kUnknownMemberId);
}

TEST_F(GroupOffsets, AreTakenBeforeTheNextGenerationButNotWithinItsBirth) {
  const auto ids = form(2);
  const auto leader = join(request(ids[0]));
  EXPECT_EQ(commit(ids[1], 1), GroupError::kNone);
  EXPECT_EQ(commit(ids[0], 1), GroupError::kNone);
  join(request(ids[1]));
  EXPECT_EQ(commit(ids[1], 1), GroupError::kIllegalGeneration);
  EXPECT_EQ(commit(ids[1], 2), GroupError::kRebalanceInProgress);
}

TEST_F(GroupOffsets, AreJudgedPartitionByPartition) {
  auto longer = position(3, 1);
  longer.metadata = std::string(4'097, 'm');
  auto longest = position(3, 2);
  longest.metadata = std::string(4'096, 'm');
  const auto reply =
      commit_later("", -1, {position(1), longer, longest, position(1, 4), position(1, 0, "unknown"), position(-5, 3)});
  EXPECT_EQ(reply->error, GroupError::kNone);
  EXPECT_EQ(reply->partitions, (std::vector{GroupError::kNone, GroupError::kOffsetMetadataTooLarge, GroupError::kNone,
                                            GroupError::kUnknownTopicOrPartition, GroupError::kUnknownTopicOrPartition,
                                            GroupError::kInvalidRequest}));
  EXPECT_EQ(coordinator_->committed("g").size(), 2u);
}

TEST_F(GroupOffsets, ThatCannotBeStoredAreToBeSentAgain) {
  log_.fail_with(ErrorCode::kUnavailable);
  EXPECT_EQ(commit("", -1), GroupError::kCoordinatorNotAvailable);
  log_.fail_with(ErrorCode::kUnknownOutcome);
  EXPECT_EQ(commit("", -1), GroupError::kCoordinatorNotAvailable);
  log_.fail_with(ErrorCode::kOverloaded);
  EXPECT_EQ(commit("", -1), GroupError::kCoordinatorLoadInProgress);
}

TEST_F(GroupOffsets, OfManyGroupsAreBounded) {
  options_.max_groups = 2;
  restart();
  const auto commit_as = [&](std::string group) {
    Answer<OffsetsReply> answer;
    coordinator_->commit({std::move(group), -1, "", {}, {position(1)}}, answer.callback());
    return answer->error;
  };
  EXPECT_EQ(commit_as("a"), GroupError::kNone);
  EXPECT_EQ(commit_as("b"), GroupError::kNone);
  EXPECT_EQ(commit_as("c"), GroupError::kCoordinatorNotAvailable);
  EXPECT_EQ(commit_as("a"), GroupError::kNone);
  EXPECT_EQ(delete_group("b"), GroupError::kNone);
  EXPECT_EQ(commit_as("c"), GroupError::kNone);
}

TEST_F(GroupOffsets, OfSubscribedTopicsAreNotDeleted) {
  const std::string member = form({subscriber("t")})[0].member_id;
  EXPECT_EQ(commit_later(member, 1, {position(1), position(1, 1), position(1, 0, "u")})->error, GroupError::kNone);
  const OffsetsReply reply = delete_offsets({partition(0), partition(0, "u")});
  EXPECT_EQ(reply.partitions, (std::vector{GroupError::kGroupSubscribedToTopic, GroupError::kNone}));
  EXPECT_EQ(coordinator_->committed("g").size(), 2u);
  leave(member);
  EXPECT_EQ(delete_offsets({partition(0)}).partitions, std::vector{GroupError::kNone});
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
}

TEST_F(GroupOffsets, OfAMemberThatWeDoNotUnderstandAreNotDeleted) {
  for (const std::string metadata : {"", "\1", "\0\1\xff\xff\xff\xff", "\0\1\0\0\0\1\0\x09t"}) {
    const std::string member = form({request("", metadata)})[0].member_id;
    EXPECT_EQ(delete_offsets({partition(0, "u")}).partitions, std::vector{GroupError::kGroupSubscribedToTopic});
    leave(member);
  }
}

TEST_F(GroupOffsets, OfLiveGroupsThatAreNoConsumersAreNotDeleted) {
  EXPECT_EQ(delete_offsets({partition(0)}).error, GroupError::kGroupIdNotFound);
  JoinRequest worker = request();
  worker.protocol_type = "connect";
  form({worker});
  EXPECT_EQ(delete_offsets({partition(0)}).error, GroupError::kNonEmptyGroup);
}

TEST_F(GroupOffsets, GoWithTheirGroup) {
  EXPECT_EQ(delete_group(), GroupError::kGroupIdNotFound);
  EXPECT_EQ(delete_group(""), GroupError::kInvalidGroupId);
  const auto ids = form(1);
  commit(ids[0], 1);
  EXPECT_EQ(delete_group(), GroupError::kNonEmptyGroup);
  leave(ids[0]);
  EXPECT_EQ(delete_group(), GroupError::kNone);
  EXPECT_EQ(delete_group(), GroupError::kGroupIdNotFound);
  EXPECT_TRUE(log_.groups().empty());
  EXPECT_EQ(state(), GroupState::kDead);
  EXPECT_EQ(form(1).size(), 1u);
}

TEST_F(GroupOffsets, OfAGroupThatNeverHadMembersGoWithIt) {
  commit("", -1);
  EXPECT_EQ(delete_group(), GroupError::kNone);
  EXPECT_TRUE(log_.groups().empty());
}

TEST_F(GroupOffsets, StayWhenTheDeletionFails) {
  commit("", -1);
  log_.fail_with(ErrorCode::kUnavailable);
  EXPECT_EQ(delete_group(), GroupError::kCoordinatorNotAvailable);
  log_.fail_with({});
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
  EXPECT_EQ(state(), GroupState::kEmpty);
  EXPECT_EQ(delete_group(), GroupError::kNone);
}

TEST_F(GroupOffsets, AreRefusedWhileTheGroupIsBeingDeleted) {
  commit("", -1);
  log_.hold(true);
  Answer<GroupError> deleted;
  coordinator_->delete_group("g", deleted.callback());
  EXPECT_EQ(commit("", -1), GroupError::kCoordinatorNotAvailable);
  EXPECT_EQ(join(request())->error, GroupError::kCoordinatorNotAvailable);
  EXPECT_TRUE(coordinator_->list().empty());
  log_.hold(false);
  log_.release();
  EXPECT_EQ(*deleted, GroupError::kNone);
  EXPECT_EQ(commit("", -1), GroupError::kNone);
}

TEST_F(GroupOffsets, AreDroppedWhenTheGroupIsUnusedForLong) {
  options_.offsets_retention = std::chrono::hours(24);
  restart();
  const auto ids = form(1);
  commit(ids[0], 1);
  for (int i = 0; i < 30 * 450; ++i) {  // More than a day with a member.
    pass(seconds(9));
    ASSERT_EQ(heartbeat(ids[0], 1), GroupError::kNone);
  }
  leave(ids[0]);
  pass(std::chrono::hours(23));
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
  commit("", -1);
  pass(std::chrono::hours(2));
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
  pass(std::chrono::hours(23));
  EXPECT_TRUE(coordinator_->committed("g").empty());
  EXPECT_TRUE(log_.groups().empty());
  EXPECT_TRUE(coordinator_->list().empty());
}

TEST_F(GroupOffsets, OfGroupsThatNeverHadMembersAreDroppedToo) {
  commit("", -1);
  pass(std::chrono::hours(7 * 24 - 1));
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
  pass(std::chrono::hours(2));
  EXPECT_TRUE(coordinator_->committed("g").empty());
}

TEST_F(GroupOffsets, AreNeverDroppedWithoutRetention) {
  options_.offsets_retention.reset();
  restart();
  commit("", -1);
  pass(std::chrono::hours(24 * 30));
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
}

TEST_F(GroupOffsets, ACommitOnItsWayOutlivesTheGroupThatIsDropped) {
  const auto ids = form(1);
  leave(ids[0]);
  log_.hold(true);
  pass(std::chrono::minutes(11));  // The group has no positions: it is being dropped.
  EXPECT_EQ(log_.held(), 1u);
  EXPECT_EQ(commit("", -1), GroupError::kCoordinatorNotAvailable);
  log_.hold(false);
  log_.release();
  EXPECT_EQ(commit("", -1), GroupError::kNone);
  EXPECT_EQ(coordinator_->committed("g").size(), 1u);
}

TEST_F(GroupOffsets, GroupsAreListedAndDescribed) {
  Answer<OffsetsReply> answer;
  coordinator_->commit({"simple", -1, "", {}, {position(1)}}, answer.callback());
  const auto replies = form({request("", "one"), request("", "two")});
  const auto listed = coordinator_->list();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].group, "g");
  EXPECT_EQ(listed[0].protocol_type, "consumer");
  EXPECT_EQ(listed[0].state, GroupState::kStable);
  EXPECT_EQ(listed[1].group, "simple");
  EXPECT_EQ(listed[1].state, GroupState::kEmpty);
  const DescribedGroup described = coordinator_->describe("g");
  EXPECT_EQ(described.protocol, "range");
  ASSERT_EQ(described.members.size(), 2u);
  for (const DescribedMember& member : described.members) {
    EXPECT_EQ(member.client_id, "client");
    EXPECT_EQ(member.client_host, "/127.0.0.1");
    EXPECT_EQ(member.metadata, member.member_id == replies[0].member_id ? "one" : "two");
    EXPECT_EQ(member.assignment, "part of " + member.member_id);
  }
  join(request(replies[0].member_id));
  const DescribedGroup gathering = coordinator_->describe("g");
  EXPECT_EQ(gathering.state, GroupState::kPreparingRebalance);
  EXPECT_EQ(gathering.protocol, "");
  EXPECT_EQ(gathering.members.at(0).assignment, "");
  EXPECT_EQ(coordinator_->describe("simple").state, GroupState::kEmpty);
  EXPECT_EQ(coordinator_->describe("other").state, GroupState::kDead);
}

}  // namespace
}  // namespace pinflow::groups
