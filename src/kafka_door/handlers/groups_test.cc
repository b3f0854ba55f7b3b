#include "kafka_door/handlers/groups.h"

#include <future>

#include <gmock/gmock.h>

#include "groups/coordinator.h"
#include "groups/timer_thread.h"
#include "kafka_door/server.h"
#include "kafka_wire/client.h"
#include "log/log_fixture.h"

namespace pinflow::kafka_door {
namespace {

using namespace kafka_wire;
using testing::ElementsAre;

// A door with a coordinator over a log on a disk in memory; clients speak to it through sockets.
class GroupsOverKafka : public log::LogFixture {
 protected:
  void SetUp() override {
    reopen();
    create("t", 4);
    create("u");
    groups::CoordinatorOptions options;
    options.initial_rebalance_delay = std::chrono::milliseconds(20);
    coordinator_.emplace(options, *log_, time_, logger_, 1);
    timer_.emplace(*coordinator_, time_);
    KafkaServerOptions door;
    door.addresses = {"127.0.0.1"};
    door.loops = 1;  // All members on one thread, so that one brings the answers of the others.
    door.port = 0;
    door.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
    auto server = start_server(door, *log_, *coordinator_, time_, logger_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    timer_.reset();
    coordinator_.reset();
    log_.reset();
  }

  std::unique_ptr<Client> connect() {
    auto client = Client::connect({"127.0.0.1", server_->port()});
    EXPECT_TRUE(client) << client.error().message;
    return std::move(*client);
  }
  template <Request R>
  static typename R::Response call(Client& client, const R& request, std::int16_t version = INT16_MAX) {
    auto response = client.call(request, version);
    EXPECT_TRUE(response) << response.error().message;
    return response ? std::move(*response) : typename R::Response{};
  }
  static JoinGroupRequest join_request(std::string group) {
    JoinGroupRequest request;
    request.group_id = std::move(group);
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 10'000;
    request.protocol_type = "consumer";
    // Subscribes to t (ConsumerProtocol, version 0).
    request.protocols.push_back({"range", std::string("\0\0\0\0\0\1\0\1t\xff\xff\xff\xff", 13)});
    return request;
  }
  // Joins as a new member does, and gives the answer that names the generation.
  static JoinGroupResponse join(Client& client, JoinGroupRequest request, std::int16_t version = INT16_MAX) {
    JoinGroupResponse response = call(client, request, version);
    if (response.error_code != KafkaError::kMemberIdRequired) return response;
    EXPECT_GE(client.version_for(ApiKey::kJoinGroup, version).value(), 4);
    request.member_id = response.member_id;
    return call(client, request, version);
  }
  // A stable group of one; gives its member.
  static std::string form(Client& client, const std::string& group) {
    const JoinGroupResponse joined = join(client, join_request(group));
    EXPECT_EQ(joined.error_code, KafkaError::kNone);
    SyncGroupRequest sync{group, joined.generation_id, joined.member_id, {}, "consumer", "range", {}};
    sync.assignments.push_back({joined.member_id, "part"});
    EXPECT_EQ(call(client, sync).assignment, "part");
    return joined.member_id;
  }
  static OffsetCommitRequest commit_request(std::string group, std::string member, std::int32_t generation,
                                            std::int64_t offset) {
    OffsetCommitRequest request;
    request.group_id = std::move(group);
    request.member_id = std::move(member);
    request.generation_id = generation;
    request.topics.push_back({"t", {{1, offset, 5, -1, "note"}, {2, offset, -1, -1, std::nullopt}}});
    return request;
  }

  const SystemClock time_;
  std::optional<groups::GroupCoordinator> coordinator_;
  std::optional<groups::TimerThread> timer_;
  std::unique_ptr<KafkaServer> server_;
};

TEST_F(GroupsOverKafka, TheBrokerIsTheCoordinatorOfEveryGroup) {
  const auto client = connect();
  for (std::int16_t version = 0; version <= 6; ++version) {
    FindCoordinatorRequest request;
    request.key = "g";
    request.coordinator_keys = {"g", "h"};
    const auto response = call(*client, request, version);
    if (version < 4) {
      EXPECT_EQ(response.error_code, KafkaError::kNone);
      EXPECT_EQ(response.host, "127.0.0.1");
      EXPECT_EQ(response.port, server_->port());
    } else {
      ASSERT_EQ(response.coordinators.size(), 2u);
      EXPECT_EQ(response.coordinators[1].key, "h");
      EXPECT_EQ(response.coordinators[1].port, server_->port());
    }
  }
}

TEST_F(GroupsOverKafka, NobodyAsksForATransactionCoordinatorForEver) {
  const auto client = connect();
  for (std::int16_t version = 1; version <= 6; ++version) {
    FindCoordinatorRequest request;
    request.key = "tx";
    request.key_type = 1;
    request.coordinator_keys = {"tx"};
    const auto response = call(*client, request, version);
    const KafkaError error = version < 4 ? response.error_code : response.coordinators.at(0).error_code;
    EXPECT_EQ(error, KafkaError::kTransactionalIdAuthorizationFailed);
    EXPECT_FALSE(is_retriable(error));
  }
}

TEST_F(GroupsOverKafka, AMemberLivesInEveryVersion) {
  const auto client = connect();
  for (std::int16_t version = 0; version <= 9; ++version) {
    SCOPED_TRACE(version);
    const std::string group = fmt::format("g{}", version);
    const JoinGroupResponse joined = join(*client, join_request(group), version);
    ASSERT_EQ(joined.error_code, KafkaError::kNone);
    EXPECT_EQ(joined.generation_id, 1);
    EXPECT_EQ(joined.leader, joined.member_id);
    EXPECT_EQ(joined.protocol_name, "range");
    ASSERT_EQ(joined.members.size(), 1u);
    EXPECT_EQ(joined.members[0].metadata, join_request("").protocols[0].metadata);
    SyncGroupRequest sync{group, 1, joined.member_id, {}, "consumer", "range", {{joined.member_id, "part"}}};
    const auto synced = call(*client, sync, version);
    EXPECT_EQ(synced.error_code, KafkaError::kNone);
    EXPECT_EQ(synced.assignment, "part");
    if (version >= 5) EXPECT_EQ(synced.protocol_name, "range");
    EXPECT_EQ(call(*client, HeartbeatRequest{group, 1, joined.member_id, {}}, version).error_code, KafkaError::kNone);
    EXPECT_EQ(call(*client, HeartbeatRequest{group, 2, joined.member_id, {}}, version).error_code,
              KafkaError::kIllegalGeneration);
    LeaveGroupRequest leave{group, joined.member_id, {{joined.member_id, {}, {}}}};
    const auto left = call(*client, leave, version);
    EXPECT_EQ(left.error_code, KafkaError::kNone);
    if (version >= 3) EXPECT_EQ(left.members.at(0).error_code, KafkaError::kNone);
    const auto again = call(*client, leave, version);
    EXPECT_EQ(version < 3 ? again.error_code : again.members.at(0).error_code, KafkaError::kUnknownMemberId);
  }
}

TEST_F(GroupsOverKafka, PositionsLiveInEveryVersion) {
  const auto client = connect();
  for (std::int16_t version = 1; version <= 9; ++version) {
    SCOPED_TRACE(version);
    const std::string group = fmt::format("g{}", version);
    OffsetCommitRequest commit = commit_request(group, "", -1, version);
    commit.topics.push_back({"unknown", {{0, 1, -1, -1, ""}}});
    const auto committed = call(*client, commit, version);
    ASSERT_EQ(committed.topics.size(), 2u);
    EXPECT_EQ(committed.topics[0].partitions[0].error_code, KafkaError::kNone);
    EXPECT_EQ(committed.topics[1].partitions[0].error_code, KafkaError::kUnknownTopicOrPartition);
    OffsetFetchRequest fetch;
    fetch.group_id = group;
    fetch.topics.emplace().push_back({"t", {0, 1}});
    fetch.groups.push_back({group, {}, -1, fetch.topics});
    const auto fetched = call(*client, fetch, version);
    if (version >= 8) ASSERT_EQ(fetched.groups.size(), 1u);
    const auto& topics = version < 8 ? fetched.topics : fetched.groups[0].topics;
    ASSERT_EQ(topics.size(), 1u);
    EXPECT_EQ(topics[0].partitions[0].committed_offset, -1);
    EXPECT_EQ(topics[0].partitions[0].error_code, KafkaError::kNone);
    EXPECT_EQ(topics[0].partitions[1].committed_offset, version);
    EXPECT_EQ(topics[0].partitions[1].metadata, "note");
    if (version >= 6) EXPECT_EQ(topics[0].partitions[1].committed_leader_epoch, 5);
    if (version < 2) continue;
    fetch.topics.reset();
    fetch.groups[0].topics.reset();
    const auto all = call(*client, fetch, version);
    EXPECT_EQ((version < 8 ? all.topics : all.groups[0].topics).at(0).partitions.size(), 2u);
  }
}

TEST_F(GroupsOverKafka, SeveralGroupsAreAskedAtOnce) {
  const auto client = connect();
  call(*client, commit_request("a", "", -1, 1));
  call(*client, commit_request("b", "", -1, 2));
  OffsetFetchRequest fetch;
  for (const char* group : {"a", "b", "nobody"}) fetch.groups.push_back({group, {}, -1, {}});
  const auto fetched = call(*client, fetch);
  ASSERT_EQ(fetched.groups.size(), 3u);
  EXPECT_EQ(fetched.groups[1].group_id, "b");
  EXPECT_EQ(fetched.groups[1].topics.at(0).partitions.at(0).committed_offset, 2);
  EXPECT_TRUE(fetched.groups[2].topics.empty());
  EXPECT_EQ(fetched.groups[2].error_code, KafkaError::kNone);
}

TEST_F(GroupsOverKafka, ACommitIsHeldToItsGeneration) {
  const auto client = connect();
  const std::string member = form(*client, "g");
  const auto error = [&](const OffsetCommitRequest& request) {
    const auto response = call(*client, request);
    EXPECT_EQ(response.topics.at(0).partitions.at(0).error_code, response.topics.at(0).partitions.at(1).error_code);
    return response.topics.at(0).partitions.at(0).error_code;
  };
  EXPECT_EQ(error(commit_request("g", member, 1, 1)), KafkaError::kNone);
  EXPECT_EQ(error(commit_request("g", member, 2, 1)), KafkaError::kIllegalGeneration);
  EXPECT_EQ(error(commit_request("g", "", -1, 1)), KafkaError::kUnknownMemberId);
}

TEST_F(GroupsOverKafka, ASecondMemberStartsARebalance) {
  const auto one = connect();
  const auto two = connect();
  const std::string first = form(*one, "g");
  auto second = std::async(std::launch::async, [&] { return join(*two, join_request("g")); });
  while (call(*one, HeartbeatRequest{"g", 1, first, {}}).error_code != KafkaError::kRebalanceInProgress)
    std::this_thread::yield();
  JoinGroupRequest again = join_request("g");
  again.member_id = first;
  const auto leader = call(*one, again);
  const auto follower = second.get();
  EXPECT_EQ(leader.generation_id, 2);
  EXPECT_EQ(follower.generation_id, 2);
  EXPECT_EQ(leader.members.size(), 2u);
  EXPECT_EQ(follower.leader, first);
  EXPECT_TRUE(follower.members.empty());
}

TEST_F(GroupsOverKafka, GroupsAreDescribedInEveryVersion) {
  const auto client = connect();
  const std::string member = form(*client, "g");
  for (std::int16_t version = 0; version <= 6; ++version) {
    SCOPED_TRACE(version);
    const auto described = call(*client, DescribeGroupsRequest{{"g", "nobody"}, true}, version);
    ASSERT_EQ(described.groups.size(), 2u);
    const auto& group = described.groups[0];
    EXPECT_EQ(group.error_code, KafkaError::kNone);
    EXPECT_EQ(group.group_state, "Stable");
    EXPECT_EQ(group.protocol_type, "consumer");
    EXPECT_EQ(group.protocol_data, "range");
    ASSERT_EQ(group.members.size(), 1u);
    EXPECT_EQ(group.members[0].member_id, member);
    EXPECT_EQ(group.members[0].client_id, "pinflow");
    EXPECT_EQ(group.members[0].client_host, "/127.0.0.1");
    EXPECT_EQ(group.members[0].member_assignment, "part");
    EXPECT_EQ(group.authorized_operations, version < 3 ? INT32_MIN : 328);
    EXPECT_EQ(described.groups[1].group_state, "Dead");
    EXPECT_EQ(described.groups[1].error_code, version < 6 ? KafkaError::kNone : KafkaError::kGroupIdNotFound);
  }
}

TEST_F(GroupsOverKafka, GroupsAreListedByStateAndType) {
  const auto client = connect();
  form(*client, "live");
  call(*client, commit_request("simple", "", -1, 1));
  const auto names = [&](std::vector<std::string> states, std::vector<std::string> types, std::int16_t version) {
    std::vector<std::string> found;
    for (const auto& group : call(*client, ListGroupsRequest{std::move(states), std::move(types)}, version).groups)
      found.push_back(group.group_id + " " + group.group_state + " " + group.group_type);
    return found;
  };
  for (std::int16_t version = 0; version < 4; ++version)
    EXPECT_THAT(names({}, {}, version), ElementsAre("live  ", "simple  "));
  EXPECT_THAT(names({}, {}, 4), ElementsAre("live Stable ", "simple Empty "));
  EXPECT_THAT(names({}, {}, 5), ElementsAre("live Stable classic", "simple Empty classic"));
  EXPECT_THAT(names({"stable"}, {}, 5), ElementsAre("live Stable classic"));
  EXPECT_THAT(names({"Empty", "Dead"}, {"Classic"}, 5), ElementsAre("simple Empty classic"));
  EXPECT_THAT(names({}, {"consumer"}, 5), ElementsAre());
}

TEST_F(GroupsOverKafka, GroupsAreDeletedOneByOne) {
  const auto client = connect();
  form(*client, "live");
  for (std::int16_t version = 0; version <= 2; ++version) {
    call(*client, commit_request("a", "", -1, 1));
    call(*client, commit_request("b", "", -1, 1));
    const auto deleted = call(*client, DeleteGroupsRequest{{"a", "nobody", "live", "b"}}, version);
    std::vector<std::string> results;
    for (const auto& result : deleted.results)
      results.push_back(fmt::format("{} {}", result.group_id, to_string(result.error_code)));
    EXPECT_THAT(results, ElementsAre("a NONE", "nobody GROUP_ID_NOT_FOUND", "live NON_EMPTY_GROUP", "b NONE"));
  }
  EXPECT_TRUE(call(*client, DeleteGroupsRequest{}).results.empty());
}

TEST_F(GroupsOverKafka, PositionsOfSubscribedTopicsAreNotDeleted) {
  const auto client = connect();
  OffsetDeleteRequest request{"g", {{"t", {{1}, {9}}}, {"u", {{0}}}, {"unknown", {{0}}}}};
  EXPECT_EQ(call(*client, request).error_code, KafkaError::kGroupIdNotFound);
  const std::string member = form(*client, "g");
  call(*client, commit_request("g", member, 1, 1));
  const auto errors = [&] {
    std::vector<std::string> all;
    const auto response = call(*client, request);
    EXPECT_EQ(response.error_code, KafkaError::kNone);
    for (const auto& topic : response.topics)
      for (const auto& partition : topic.partitions)
        all.push_back(fmt::format("{}/{} {}", topic.name, partition.partition_index, to_string(partition.error_code)));
    return all;
  };
  EXPECT_THAT(errors(), ElementsAre("t/1 GROUP_SUBSCRIBED_TO_TOPIC", "t/9 UNKNOWN_TOPIC_OR_PARTITION", "u/0 NONE",
                                    "unknown/0 UNKNOWN_TOPIC_OR_PARTITION"));
  call(*client, LeaveGroupRequest{"g", member, {{member, {}, {}}}});
  EXPECT_EQ(errors()[0], "t/1 NONE");
  EXPECT_EQ(log_->committed_offsets("g")->size(), 1u);
}

}  // namespace
}  // namespace pinflow::kafka_door
