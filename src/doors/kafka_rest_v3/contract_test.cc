// The rows of API v3 that are tables by nature and that the other tests of the door do not hold.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/body_stream_fixture.h"
#include "doors/door_fixture.h"
#include "kafka_wire/consumer_protocol.h"

namespace pinflow::doors::kafka_rest_v3 {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kCluster = "AAAAAAAAAAAAAAAAAAAAAA";

class V3Contract : public DoorTest {
 protected:
  V3Contract() { (void)log_.create_topic({"a.pin", 2, {}}); }
  http::Response at(std::string method, std::string_view path, std::string body = "", const Fields& fields = {}) {
    return ask(std::move(method), fmt::format("/v3/clusters/{}{}", kCluster, path), std::move(body), fields);
  }
  http::Response batch(std::string_view entry) {
    return at("POST", "/topics/a.pin/records:batch", fmt::format(R"({{"entries":[{}]}})", entry));
  }
};

TEST_F(V3Contract, TakesIdsOfBatchEntriesByTheirRule) {
  struct Row {
    std::string id;
    bool good;
  };
  for (const auto& [id, good] :
       {Row{"1", true}, Row{"AZaz09-_", true}, Row{std::string(80, 'x'), true}, Row{std::string(81, 'x'), false},
        Row{"", false}, Row{"a.b", false}, Row{"a b", false}, Row{"\xc3\xa9", false}, Row{"a/b", false}}) {
    const auto answer = batch(fmt::format(R"({{"id":"{}"}})", id));
    EXPECT_EQ(answer.status, good ? 207 : 422) << id;
    if (!good) {
      EXPECT_EQ(answer.body, R"({"error_code":42208,"message":"Batch entry identifier is not a valid string."})") << id;
    }
  }
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += fmt::format(R"({}{{"id":"{}"}})", i == 0 ? "" : ",", i);
  EXPECT_EQ(batch(ten).status, 207);
  EXPECT_EQ(batch(ten + R"(,{"id":"x"})").body, R"({"error_code":42208,"message":"Too many entries in batch."})");
}

TEST_F(V3Contract, AnswersEachWrongRecordOfABatchByItsCode) {
  struct Row {
    std::string record;
    int code;
    std::string part;
  };
  for (const Row& row : {
           Row{R"("partition_id":-1)", 40402, "Partition not found."},
           Row{R"("partition_id":2)", 40402, "Partition not found."},
           Row{R"("value":{"type":"BINARY","data":"?"})", 400, "data=? is not a base64 string."},
           Row{R"("key":{"type":"STRING","data":5})", 400, "data=5 is not a string."},
           Row{R"("value":{"data":1})", 42206, "Payload error. "},
           Row{R"("value":{"type":"AVRO","data":1})", 42206, "Payload error. "},
           Row{R"("value":{"type":"JSONSCHEMA","data":1})", 42206, "Payload error. "},
           Row{R"("value":{"type":"PROTOBUF","data":1})", 42206, "Payload error. "},
       }) {
    const auto answer = batch(fmt::format(R"({{"id":"one",{}}})", row.record));
    EXPECT_EQ(answer.status, 207) << row.record;
    EXPECT_THAT(answer.body, StartsWith(fmt::format(
                                 R"({{"successes":[],"failures":[{{"id":"one","error_code":{},"message":")", row.code)))
        << row.record << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(row.part)) << row.record;
  }
  EXPECT_EQ(log_.produce_calls(), 0U);
}

TEST_F(V3Contract, KnowsOneClusterWhateverIsAskedOfAnother) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"GET", ""},
      {"GET", "/topics"},
      {"POST", "/topics"},
      {"GET", "/topics/a.pin"},
      {"PATCH", "/topics/a.pin"},
      {"DELETE", "/topics/a.pin"},
      {"GET", "/topics/a.pin/configs"},
      {"PUT", "/topics/a.pin/configs/retention.ms"},
      {"POST", "/topics/a.pin/configs:alter"},
      {"GET", "/topics/a.pin/partitions"},
      {"GET", "/topics/a.pin/partitions/0/offset"},
      {"GET", "/brokers"},
      {"GET", "/consumer-groups"},
      {"GET", "/consumer-groups/g/lag-summary"},
      {"POST", "/topics/a.pin/records"},
      {"POST", "/topics/a.pin/records:batch"},
  };
  for (const auto& [method, path] : rows) {
    const auto answer = ask(method, fmt::format("/v3/clusters/other{}", path), "{}");
    EXPECT_EQ(answer.status, 404) << method << path;
    EXPECT_EQ(answer.body, R"({"error_code":404,"message":"Cluster other cannot be found."})") << method << path;
  }
  EXPECT_TRUE(log_.topic("a.pin"));
}

TEST_F(V3Contract, ReadsTheTypesOfBodies) {
  struct Row {
    std::string_view type;
    int status;
  };
  for (const auto& [type, status] :
       {Row{"application/json", 200}, Row{"Application/JSON; Charset=UTF-8", 200},
        Row{"application/json;charset=\"iso-8859-1\"", 200}, Row{"application/json; charset=utf-16", 400},
        Row{"application/json; charset=windows-1252", 400}, Row{"text/plain", 415},
        Row{"application/vnd.kafka.json.v2+json", 415}}) {
    SentBody sent;
    ReceivedBody received;
    auto asked = request("POST", fmt::format("/v3/clusters/{}/topics/a.pin/records", kCluster), "",
                         {{"Content-Type", std::string(type)}});
    asked.body_stream = sent.stream();
    doors_.handle(std::move(asked), received.responder());
    sent.send("{}");
    ASSERT_TRUE(received.has_head()) << type;
    EXPECT_EQ(received.head().status, status) << type << received.head().body;
    if (status == 400) EXPECT_THAT(received.head().body, HasSubstr("Supported: UTF-8, ISO-8859-1."));
  }
}

TEST_F(V3Contract, TellsRightsInListsWhereAsked) {
  EXPECT_THAT(at("GET", "/topics").body, Not(HasSubstr("authorized_operations")));
  EXPECT_THAT(at("GET", "/topics?includeAuthorizedOperations=true").body, HasSubstr(R"("authorized_operations":[)"));
  EXPECT_THAT(at("GET", "/topics?includeAuthorizedOperations=false").body, Not(HasSubstr("authorized_operations")));
}

TEST_F(V3Contract, ShowsReplicasOfTopicsThatTheCallerSees) {
  (void)log_.create_topic({"secret", 1, {}});
  EXPECT_THAT(at("GET", "/brokers/1/partition-replicas").body, HasSubstr("secret"));
  caller_ = std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{access::Right::kConsume, "a.*"}});
  const auto answer = at("GET", "/brokers/1/partition-replicas");
  EXPECT_THAT(answer.body, HasSubstr("a.pin"));
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
}

TEST_F(V3Contract, TellsEachStateOfAGroup) {
  const auto state = [&] { return at("GET", "/consumer-groups/g").body; };
  EXPECT_THAT(at("GET", "/consumer-groups").body, HasSubstr(R"("data":[])"));
  groups::JoinRequest join;
  join.group = "g";
  join.client_id = "client";
  join.protocol_type = "consumer";
  join.protocols = {{"range", kafka_wire::write_subscription({{"a.pin"}, std::nullopt})}};
  join.session_timeout = std::chrono::seconds(30);
  join.rebalance_timeout = std::chrono::seconds(30);
  join.needs_member_id = false;
  groups::JoinReply joined;
  coordinator_.join(join, [&](groups::JoinReply reply) { joined = std::move(reply); });
  EXPECT_THAT(state(), HasSubstr(R"("state":"PREPARING_REBALANCE")"));
  clock_.advance(std::chrono::seconds(1));
  coordinator_.advance();
  EXPECT_THAT(state(), HasSubstr(R"("state":"COMPLETING_REBALANCE")"));
  groups::SyncRequest sync;
  sync.group = "g";
  sync.generation = joined.generation;
  sync.member_id = joined.member_id;
  sync.assignments = {{joined.member_id, kafka_wire::write_assignment({{{"a.pin", {1}}}, std::nullopt})}};
  coordinator_.sync(sync, [](groups::SyncReply) {});
  EXPECT_THAT(state(), HasSubstr(R"("state":"STABLE")"));
  clock_.advance(std::chrono::seconds(31));
  coordinator_.advance();
  EXPECT_THAT(state(), HasSubstr(R"("state":"EMPTY")"));
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest_v3
