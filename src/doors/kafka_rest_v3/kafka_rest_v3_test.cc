#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "access/caller.h"
#include "doors/body_stream_fixture.h"
#include "doors/door_fixture.h"
#include "kafka_wire/consumer_protocol.h"

namespace pinflow::doors::kafka_rest_v3 {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kCluster = "AAAAAAAAAAAAAAAAAAAAAA";

class KafkaRestV3Test : public DoorTest {
 protected:
  KafkaRestV3Test() { (void)log_.create_topic({"a.pin", 2, {{"retention.ms", "5000"}, {"pinflow.note", "x"}}}); }

  http::Response at(std::string method, std::string_view path, std::string body = "", const Fields& fields = {}) {
    return ask(std::move(method), fmt::format("/v3/clusters/{}{}", kCluster, path), std::move(body), fields);
  }
  // As a caller with these rights.
  http::Response as(std::vector<access::Grant> grants, std::string method, std::string_view path,
                    std::string body = "") {
    auto asked = request(std::move(method), fmt::format("/v3/clusters/{}{}", kCluster, path), std::move(body), {});
    asked.caller = std::make_shared<const access::Caller>("someone", std::move(grants));
    std::promise<http::Response> promise;
    auto future = promise.get_future();
    doors_.handle(std::move(asked), [&](http::Response response) { promise.set_value(std::move(response)); });
    return future.get();
  }
  // A member of the answer, by its JSON pointer, as text.
  static std::string find(const http::Response& response, std::string_view pointer) {
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    if (parser.parse(response.body).at_pointer(pointer).get(element) != simdjson::SUCCESS) return "absent";
    std::string_view text;
    return element.get(text) == simdjson::SUCCESS ? std::string(text) : std::string(simdjson::minify(element));
  }
  // A stable group "g" with one member that reads a.pin 1, and positions in both partitions.
  void make_group() {
    group_log_.add_topic("a.pin", 2);
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
    clock_.advance(std::chrono::seconds(1));
    coordinator_.advance();
    ASSERT_EQ(joined.error, groups::GroupError::kNone);
    member_ = joined.member_id;
    groups::SyncRequest sync;
    sync.group = "g";
    sync.generation = joined.generation;
    sync.member_id = member_;
    sync.assignments = {{member_, kafka_wire::write_assignment({{{"a.pin", {1}}}, std::nullopt})}};
    coordinator_.sync(sync, [](groups::SyncReply) {});
    const auto commit = [&](std::int32_t partition, std::int64_t offset) {
      groups::CommitRequest request;
      request.group = "g";
      request.generation = joined.generation;
      request.member_id = member_;
      request.offsets = {{{"a.pin", log::PartitionId(partition)}, log::Offset(offset)}};
      coordinator_.commit(
          request, [](groups::OffsetsReply reply) { EXPECT_EQ(reply.partitions.at(0), groups::GroupError::kNone); });
    };
    commit(0, 1);
    commit(1, 2);
    log_.append("a.pin", 0, {"x", "y"});
    log_.append("a.pin", 1, {"x", "y", "z", "u", "v"});
  }
  std::string member_;
};

TEST_F(KafkaRestV3Test, AnswersEachWrongRequestAsTheContractSays) {
  make_group();
  struct Case {
    std::string method;
    std::string path;
    std::string body;
    int status;
    int code;
    std::string part;
  };
  const std::string t = "/topics/a.pin";
  const std::string no = "/topics/none";
  for (
      const Case& each : std::vector<Case>{
          {"GET", no, "", 404, 40403, "This server does not host this topic-partition."},
          {"DELETE", no, "", 404, 40403, "none"},
          {"PATCH", no, R"({"partitions_count":3})", 404, 40403, "none"},
          {"PATCH", t, "", 422, 42206, "Payload error. Request body is empty. Data is required."},
          {"PATCH", t, "{}", 422, 42206, "partitions_count is required"},
          {"PATCH", t, R"({"partitions_count":2})", 400, 40002, "2 partitions"},
          {"PATCH", t, R"({"partitions_count":1})", 400, 40002, "2 partitions"},
          {"PATCH", t, R"({"partitions_count":"3"})", 400, 400, "whole number"},
          {"PATCH", t, "{", 400, 400, "Bad Request"},
          {"POST", "/topics", "", 422, 42206, "Payload error. Request body is empty. Data is required."},
          {"POST", "/topics", "  ", 422, 42206, "Request body is empty"},
          {"POST", "/topics", "{}", 422, 42206, "topic_name is required"},
          {"POST", "/topics", R"({"topic_name":"a b"})", 422, 42206, "topic_name is not allowed"},
          {"POST", "/topics", R"({"topic_name":""})", 422, 42206, "topic_name is not allowed"},
          {"POST", "/topics", R"({"topic_name":"a.pin"})", 400, 40002, "already exists"},
          {"POST", "/topics", R"({"topic_name":"a.pin","validate_only":true})", 400, 40002, "already exists"},
          {"POST", "/topics", R"({"topic_name":"b","partitions_count":0})", 400, 40002, "larger than 0"},
          {"POST", "/topics", R"({"topic_name":"b","replication_factor":3})", 400, 40002, "Replication factor: 3"},
          {"POST", "/topics", R"({"topic_name":"b","configs":[{"name":"retention.ms","value":"x"}]})", 400, 40002,
           "retention.ms"},
          {"POST", "/topics", R"({"topic_name":"b","configs":[{"name":"retention","value":"1"}]})", 400, 40002,
           "retention"},
          {"POST", "/topics", R"({"topic_name":"b","configs":[{"name":"pinflow.x","value":"1"}]})", 400, 40002,
           "pinflow.x"},
          {"POST", "/topics", R"({"topic_name":"b","configs":[{"value":"1"}]})", 422, 42206, "needs a name"},
          {"POST", "/topics", R"({"topic_name":"b","replicas_assignments":[{"partition_id":0,"broker_ids":[1,2]}]})",
           400, 40002, "only one"},
          {"POST", "/topics", R"({"topic_name":"b","replicas_assignments":{"1":[1]}})", 400, 40002, "from 0 on"},
          {"POST", "/topics", R"({"topic_name":"b","partitions_count":1,"replicas_assignments":{"0":[1]}})", 400, 40002,
           "one is enough"},
          {"POST", "/topics", R"({"topic_name":"b","x":1})", 400, 400, "Unrecognized field: x"},
          {"POST", "/topics", "[]", 400, 400, "Bad Request"},
          {"GET", no + "/configs", "", 404, 40403, "none"},
          {"GET", t + "/configs/none", "", 404, 404, "cannot be found"},
          {"GET", t + "/configs/pinflow.note", "", 404, 404, "cannot be found"},
          {"PUT", t + "/configs/retention.ms", "", 422, 42206, "Request body is empty"},
          {"PUT", t + "/configs/retention.ms", R"({"value":"x"})", 400, 40002, "retention.ms"},
          {"PUT", t + "/configs/retention.ms", R"({"value":null})", 400, 40002, "has no value"},
          {"PUT", t + "/configs/none", R"({"value":"x"})", 400, 40002, "none"},
          {"PUT", t + "/configs/pinflow.note", R"({"value":"x"})", 400, 40002, "pinflow.note"},
          {"PUT", no + "/configs/retention.ms", R"({"value":"1"})", 404, 40403, "none"},
          {"DELETE", t + "/configs/none", "", 400, 40002, "none"},
          {"POST", t + "/configs:alter", "", 422, 42206, "Request body is empty"},
          {"POST", t + "/configs:alter", "{}", 422, 42206, "data is required"},
          {"POST", t + "/configs:alter", R"({"data":[{"name":"retention.ms","operation":"ADD"}]})", 400, 400, "SET"},
          {"POST", t + "/configs:alter", R"({"data":[{"name":"retention.ms","operation":"APPEND","value":"1"}]})", 400,
           40002, "no list"},
          {"POST", t + "/configs:alter", R"({"data":[{"name":"segment.ms","value":"5"},{"name":"segment.ms"}]})", 400,
           40002, "twice"},
          {"POST", t + "/configs:alter", R"({"data":[{"name":"segment.ms","value":"-7"}],"validate_only":true})", 400,
           40002, "segment.ms"},
          {"GET", t + "/partitions/2", "", 404, 40402, "Partition not found."},
          {"GET", t + "/partitions/x", "", 404, 40402, "Partition not found."},
          {"GET", t + "/partitions/-1/offset", "", 404, 40402, "Partition not found."},
          {"GET", no + "/partitions", "", 404, 40403, "none"},
          {"GET", t + "/partitions/0/offset?offset_type=x", "", 400, 400, "earliest or latest"},
          {"GET", t + "/partitions/0/replicas/2", "", 404, 404, "Broker 2 cannot be found."},
          {"GET", t + "/partitions/0/reassignment", "", 404, 404, "cannot be found"},
          {"GET", "/brokers/2", "", 404, 404, "Broker 2 cannot be found."},
          {"GET", "/brokers/x/configs", "", 404, 404, "Broker x cannot be found."},
          {"GET", "/brokers/1/configs/none", "", 404, 404, "cannot be found"},
          {"GET", "/broker-configs/none", "", 404, 404, "cannot be found"},
          {"PUT", "/broker-configs/num.partitions", "{}", 400, 40002, "configuration"},
          {"GET", "/acls", "", 400, 40002, "No Authorizer is configured"},
          {"GET", "/consumer-groups/none", "", 404, 40405, "Consumer group id not found."},
          {"GET", "/consumer-groups/none/lags", "", 404, 40405, "none"},
          {"GET", "/consumer-groups/g/consumers/none", "", 404, 404, "Consumer none"},
          {"GET", "/consumer-groups/g/consumers/none/assignments", "", 404, 404, "Consumer none"},
          {"GET", "/consumer-groups/g/lags/a.pin/partitions/7", "", 404, 404, "A position"},
          {"GET", "/consumer-groups/g/lags/a.pin/partitions/x", "", 404, 40402, "Partition not found."},
          {"POST", t + "/records:batch", "", 422, 42208, "Request body is empty. Data is required."},
          {"POST", t + "/records:batch", R"({"entries":[]})", 422, 42208, "Empty batch."},
          {"POST", t + "/records:batch", "{}", 422, 42208, "Empty batch."},
          {"POST", t + "/records:batch", R"({"entries":[{}]})", 422, 42208,
           "Batch entry identifier is not a valid string."},
          {"POST", t + "/records:batch", R"({"entries":[{"id":"a b"}]})", 422, 42208, "not a valid string"},
          {"POST", t + "/records:batch", R"({"entries":[{"id":")" + std::string(81, 'a') + R"("}]})", 422, 42208,
           "not a valid string"},
          {"POST", t + "/records:batch", R"({"entries":[{"id":"1"},{"id":"1"}]})", 422, 42208,
           "Batch entry IDs are not distinct."},
          {"POST", t + "/records:batch",
           R"({"entries":[{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"},{"id":"5"},{"id":"6"},{"id":"7"},{"id":"8"},{"id":"9"},{"id":"10"},{"id":"11"}]})",
           422, 42208, "Too many entries in batch."},
          {"POST", t + "/records:batch", R"({"entries":[{"id":"1","x":1}]})", 400, 400, "Unrecognized field: x"},
          {"POST", t + "/records:batch", "[", 400, 400, "Bad Request"},
          {"POST", no + "/records:batch", R"({"entries":[{"id":"1"}]})", 404, 40403, "none"},
          {"POST", no + "/records", "{}", 404, 40403, "none"},
      }) {
    const auto response = at(each.method, each.path, each.body);
    EXPECT_EQ(response.status, each.status) << each.method << ' ' << each.path << ' ' << each.body << response.body;
    EXPECT_EQ(find(response, "/error_code"), std::to_string(each.code))
        << each.path << ' ' << each.body << response.body;
    EXPECT_THAT(find(response, "/message"), HasSubstr(each.part)) << each.path;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  }
  EXPECT_EQ(log_.produce_calls(), 0u);
  EXPECT_EQ(log_.topics().size(), 1u);
  const auto other = ask("GET", "/v3/clusters/other/topics");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(other.body, R"({"error_code":404,"message":"Cluster other cannot be found."})");
}

TEST_F(KafkaRestV3Test, ShowsTheClusterAndItsBroker) {
  const auto list = ask("GET", "/v3/clusters", "", {{"Host", "h:8082"}});
  EXPECT_EQ(find(list, "/metadata/self"), "http://h:8082/v3/clusters");
  EXPECT_EQ(find(list, "/kind"), "KafkaClusterList");
  EXPECT_EQ(find(list, "/metadata/next"), "null");
  EXPECT_EQ(find(list, "/data/0/kind"), "KafkaCluster");
  EXPECT_EQ(find(list, "/data/0/metadata/resource_name"), fmt::format("crn:///kafka={}", kCluster));
  const auto cluster = at("GET", "", "", {{"Host", "h"}});
  EXPECT_EQ(find(cluster, "/cluster_id"), kCluster);
  EXPECT_EQ(find(cluster, "/metadata/self"), fmt::format("http://h/v3/clusters/{}", kCluster));
  for (const char* relation :
       {"controller", "acls", "brokers", "broker_configs", "consumer_groups", "topics", "partition_reassignments"}) {
    const auto url = find(cluster, fmt::format("/{}/related", relation));
    EXPECT_THAT(url, StartsWith(fmt::format("http://h/v3/clusters/{}/", kCluster)));
    EXPECT_NE(ask("GET", url.substr(8)).status, 404) << url;  // What is related is there.
  }
  EXPECT_EQ(find(at("GET", "/brokers/1"), "/broker_id"), "1");
  EXPECT_EQ(find(at("GET", "/brokers"), "/data/0/kind"), "KafkaBroker");
  const auto setting = at("GET", "/broker-configs/log.retention.ms");
  EXPECT_EQ(find(setting, "/kind"), "KafkaClusterConfig");
  EXPECT_EQ(find(setting, "/config_type"), "BROKER");
  EXPECT_EQ(find(setting, "/is_read_only"), "true");
  EXPECT_EQ(find(at("GET", "/brokers/1/configs/broker.id"), "/value"), "1");
  EXPECT_EQ(find(at("GET", "/brokers/1/partition-replicas"), "/data/1/partition_id"), "1");
}

TEST_F(KafkaRestV3Test, MakesChangesAndDeletesTopics) {
  const std::string body =
      R"({"topic_name":"b","partitions_count":3,"replication_factor":1,"configs":[{"name":"cleanup.policy","value":"compact"}]})";
  auto dry = body;
  dry.insert(1, R"("validate_only":true,)");
  EXPECT_EQ(at("POST", "/topics", dry).status, 200);
  EXPECT_FALSE(log_.topic("b"));
  const auto made = at("POST", "/topics", body, {{"Host", "h"}});
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.get("Location"), fmt::format("http://h/v3/clusters/{}/topics/b", kCluster));
  EXPECT_EQ(find(made, "/partitions_count"), "3");
  EXPECT_EQ(log_.topic("b")->configs.at(0).second, "compact");
  EXPECT_EQ(
      at("POST", "/topics",
         R"({"topic_name":"c","replicas_assignments":[{"partition_id":1,"broker_ids":[1]},{"partition_id":0,"broker_ids":[1]}]})")
          .status,
      201);
  EXPECT_EQ(log_.topic("c")->partitions, 2);
  const auto list = at("GET", "/topics");
  EXPECT_EQ(find(list, "/data/0/topic_name"), "a.pin");
  EXPECT_EQ(find(list, "/data/1/topic_name"), "b");
  const auto changed = at("PATCH", "/topics/b", R"({"partitions_count":5})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(find(changed, "/partitions_count"), "5");
  EXPECT_EQ(at("DELETE", "/topics/b").status, 204);
  EXPECT_FALSE(log_.topic("b"));
  const auto topic = at("GET", "/topics/a.pin?include_authorized_operations=true");
  EXPECT_EQ(find(topic, "/kind"), "KafkaTopic");
  EXPECT_EQ(find(topic, "/is_internal"), "false");
  EXPECT_EQ(find(topic, "/replication_factor"), "1");
  EXPECT_THAT(find(topic, "/authorized_operations"), HasSubstr("WRITE"));
  EXPECT_EQ(find(at("GET", "/topics/a.pin"), "/authorized_operations"), "absent");
  for (const char* relation : {"partitions", "configs", "partition_reassignments"})
    EXPECT_EQ(ask("GET", find(topic, fmt::format("/{}/related", relation))).status, 200) << relation;
}

TEST_F(KafkaRestV3Test, ShowsAndChangesSettingsOfTopics) {
  const auto own = at("GET", "/topics/a.pin/configs/retention.ms");
  EXPECT_EQ(find(own, "/kind"), "KafkaTopicConfig");
  EXPECT_EQ(find(own, "/value"), "5000");
  EXPECT_EQ(find(own, "/is_default"), "false");
  EXPECT_EQ(find(own, "/source"), "DYNAMIC_TOPIC_CONFIG");
  EXPECT_EQ(find(own, "/synonyms/1/name"), "log.retention.ms");
  EXPECT_EQ(find(own, "/metadata/resource_name"),
            fmt::format("crn:///kafka={}/topic=a.pin/config=retention.ms", kCluster));
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/segment.ms"), "/source"), "DEFAULT_CONFIG");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs"), "/data/0/name"), "cleanup.policy");
  EXPECT_EQ(find(at("GET", "/topics/-/configs"), "/data/0/topic_name"), "a.pin");
  EXPECT_EQ(at("PUT", "/topics/a.pin/configs/retention.ms", R"({"value":"77"})").status, 204);
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/retention.ms"), "/value"), "77");
  EXPECT_EQ(
      at("POST", "/topics/a.pin/configs:alter", R"({"data":[{"name":"segment.ms","value":"9"}],"validate_only":true})")
          .status,
      204);
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/segment.ms"), "/is_default"), "true");
  EXPECT_EQ(at("POST", "/topics/a.pin/configs:alter",
               R"({"data":[{"name":"segment.ms","value":"9"},{"name":"retention.ms","operation":"DELETE"},)"
               R"({"name":"cleanup.policy","operation":"APPEND","value":"compact"}]})")
                .status,
            204);
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/segment.ms"), "/value"), "9");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/retention.ms"), "/is_default"), "true");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/cleanup.policy"), "/value"), "delete,compact");
  EXPECT_EQ(at("DELETE", "/topics/a.pin/configs/segment.ms").status, 204);
  EXPECT_EQ(find(at("GET", "/topics/a.pin/configs/segment.ms"), "/is_default"), "true");
  EXPECT_NE(log::find_setting(log_.topic("a.pin")->configs, "pinflow.note"), nullptr);  // Ours stay.
}

TEST_F(KafkaRestV3Test, ShowsPartitionsAndTheirOffsets) {
  log_.append("a.pin", 1, {"x", "y", "z"});
  log_.drop_below("a.pin", 1, log::Offset(1));
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions"), "/data/1/partition_id"), "1");
  const auto partition = at("GET", "/topics/a.pin/partitions/1");
  EXPECT_EQ(find(partition, "/kind"), "KafkaPartition");
  EXPECT_THAT(find(partition, "/leader/related"), HasSubstr("/topics/a.pin/partitions/1/replicas/1"));
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions/1/offset?offset_type=earliest"), "/offset"), "1");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions/1/offset"), "/offset"), "3");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions/1/replicas"), "/data/0/is_in_sync"), "true");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions/1/replicas/1"), "/broker_id"), "1");
  EXPECT_EQ(find(at("GET", "/topics/a.pin/partitions/-/reassignment"), "/data"), "[]");
}

TEST_F(KafkaRestV3Test, ShowsGroupsTheirMembersAndTheirLag) {
  make_group();
  const auto group = at("GET", "/consumer-groups/g");
  EXPECT_EQ(find(group, "/kind"), "KafkaConsumerGroup");
  EXPECT_EQ(find(group, "/state"), "STABLE");
  EXPECT_EQ(find(group, "/type"), "CLASSIC");
  EXPECT_EQ(find(group, "/is_simple"), "false");
  EXPECT_EQ(find(group, "/partition_assignor"), "range");
  EXPECT_EQ(find(at("GET", "/consumer-groups"), "/data/0/consumer_group_id"), "g");
  EXPECT_EQ(find(at("GET", "/consumer-groups/g/consumers"), "/data/0/consumer_id"), member_);
  const auto consumer = at("GET", "/consumer-groups/g/consumers/" + member_);
  EXPECT_EQ(find(consumer, "/client_id"), "client");
  EXPECT_EQ(find(consumer, "/instance_id"), "null");
  const auto assignments = at("GET", "/consumer-groups/g/consumers/" + member_ + "/assignments");
  EXPECT_EQ(find(assignments, "/data/0/partition_id"), "1");
  EXPECT_EQ(at("GET", "/consumer-groups/g/consumers/" + member_ + "/assignments/a.pin/partitions/1").status, 200);
  EXPECT_EQ(at("GET", "/consumer-groups/g/consumers/" + member_ + "/assignments/a.pin/partitions/0").status, 404);
  const auto lags = at("GET", "/consumer-groups/g/lags");
  EXPECT_EQ(find(lags, "/data/0/lag"), "1");
  EXPECT_EQ(find(lags, "/data/0/consumer_id"), "");
  EXPECT_EQ(find(lags, "/data/1/current_offset"), "2");
  EXPECT_EQ(find(lags, "/data/1/log_end_offset"), "5");
  EXPECT_EQ(find(lags, "/data/1/consumer_id"), member_);
  EXPECT_EQ(find(at("GET", "/consumer-groups/g/lags/a.pin/partitions/1"), "/lag"), "3");
  const auto summary = at("GET", "/consumer-groups/g/lag-summary");
  EXPECT_EQ(find(summary, "/max_lag"), "3");
  EXPECT_EQ(find(summary, "/total_lag"), "4");
  EXPECT_EQ(find(summary, "/max_lag_topic_name"), "a.pin");
  EXPECT_EQ(find(summary, "/max_lag_partition_id"), "1");
  EXPECT_EQ(find(summary, "/max_lag_client_id"), "client");
}

TEST_F(KafkaRestV3Test, StoresABatchAndTellsOfEachEntry) {
  const auto response = at("POST", "/topics/a.pin/records:batch",
                           R"({"entries":[{"id":"one","value":{"type":"JSON","data":[ 1]}},)"
                           R"({"id":"bad","value":{"type":"BINARY","data":"?"}},{"id":"far","partition_id":9},)"
                           R"({"id":"two","partition_id":1,"key":{"type":"STRING","data":"k"}}]})");
  EXPECT_EQ(response.status, 207);
  EXPECT_EQ(find(response, "/successes/0/id"), "one");
  EXPECT_EQ(find(response, "/successes/0/value/size"), "4");
  EXPECT_EQ(find(response, "/successes/1/partition_id"), "1");
  EXPECT_EQ(find(response, "/failures/0/id"), "bad");
  EXPECT_EQ(find(response, "/failures/0/error_code"), "400");
  EXPECT_EQ(find(response, "/failures/1/error_code"), "40402");
  EXPECT_EQ(log_.records("a.pin", 0).at(0).value, "[ 1]");
  const auto none = at("POST", "/topics/a.pin/records:batch", R"({"entries":[{"id":"far","partition_id":9}]})");
  EXPECT_EQ(none.status, 207);
  EXPECT_EQ(find(none, "/successes"), "[]");
}

TEST_F(KafkaRestV3Test, StoresABatchWithAKeyOnce) {
  const auto send = [&](const char* key, const char* data) {
    return at("POST", "/topics/a.pin/records:batch",
              fmt::format(R"({{"entries":[{{"id":"1","value":{{"type":"JSON","data":{}}}}}]}})", data),
              {{"Idempotency-Key", key}});
  };
  const auto first = send("k1", "1");
  EXPECT_EQ(first.headers.get("Idempotency-Replayed"), std::nullopt);
  const auto again = send("k1", "1");
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(find(again, "/successes/0/offset"), find(first, "/successes/0/offset"));
  EXPECT_EQ(find(send("k1", "2"), "/failures/0/error_code"), "422");
  EXPECT_EQ(find(send("k2", "2"), "/successes/0/offset"), "1");
  for (const std::string& key : {std::string(), std::string("a b"), std::string(256, 'x'), std::string("\xc3\xa9")}) {
    const auto refused = send(key.c_str(), "1");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr("Idempotency-Key"));
  }
  EXPECT_EQ(send(std::string(255, '~').c_str(), "1").status, 207);
}

TEST_F(KafkaRestV3Test, TakesTheStreamOfARequest) {
  SentBody sent;
  ReceivedBody received;
  auto asked = request("POST", fmt::format("/v3/clusters/{}/topics/a.pin/records", kCluster), "",
                       {{"Content-Type", "application/json; charset=ISO-8859-1"}});
  asked.body_stream = sent.stream();
  EXPECT_TRUE(doors_.admit(asked).stream_body);
  doors_.handle(std::move(asked), received.responder());
  sent.send("{}");
  EXPECT_THAT(received.read(), HasSubstr(R"("error_code":200)"));
  EXPECT_EQ(at("POST", "/topics/a.pin/records", "{}", {{"Content-Type", "application/json; charset=utf-16"}}).status,
            400);
  EXPECT_EQ(at("POST", "/topics/a.pin/records", "{}", {{"Content-Type", "text/plain"}}).status, 415);
}

TEST_F(KafkaRestV3Test, AsksForRights) {
  using enum access::Right;
  const std::string batch = R"({"entries":[{"id":"1"}]})";
  EXPECT_EQ(as({{kProduce, "a.*"}}, "POST", "/topics/a.pin/records:batch", batch).status, 207);
  EXPECT_EQ(as({{kProduce, "b.*"}}, "POST", "/topics/a.pin/records:batch", batch).status, 403);
  EXPECT_EQ(find(as({{kConsume, "*"}}, "POST", "/topics/a.pin/records", ""), "/error_code"), "40301");
  EXPECT_EQ(as({{kProduce, "b.*"}}, "GET", "/topics/a.pin").body, as({{kProduce, "b.*"}}, "GET", "/topics/a.pin").body);
  EXPECT_EQ(as({{kProduce, "b.*"}}, "GET", "/topics/a.none").status, 403);  // As one that exists.
  EXPECT_EQ(find(as({{kProduce, "b.*"}}, "GET", "/topics"), "/data"), "[]");
  EXPECT_EQ(as({{kConsume, "a.*"}}, "GET", "/topics/a.pin").status, 200);
  EXPECT_EQ(as({{kQuery}}, "GET", "/topics/a.pin").status, 200);
  for (const auto& [method, path, body] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"DELETE", "/topics/a.pin", ""},
           {"PATCH", "/topics/a.pin", R"({"partitions_count":9})"},
           {"POST", "/topics", R"({"topic_name":"b"})"},
           {"DELETE", "/topics/a.pin/configs/segment.ms", ""}}) {
    EXPECT_EQ(as({{kProduce}, {kConsume}, {kQuery}}, method, path, body).status, 403) << path;
  }
  EXPECT_EQ(as({{kProduce}}, "GET", "/consumer-groups").status, 403);
  EXPECT_EQ(as({{kQuery}}, "GET", "/consumer-groups").status, 200);
  EXPECT_EQ(as({{kAdmin}}, "DELETE", "/topics/a.pin").status, 204);
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest_v3
