#include "doors/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/body_stream_fixture.h"
#include "doors/door_fixture.h"
#include "doors/openapi_fixture.h"

namespace pinflow::doors {
namespace {

using Operation = std::pair<std::string, std::string>;

class OpenApiTest : public DoorTest {
 protected:
  OpenApiTest() {
    (void)log_.create_topic({"t", 2, {{"retention.ms", "5000"}}});
    log_.append("t", 0, {"x"});
    group_log_.add_topic("t", 2);
    groups::CommitRequest commit;
    commit.group = "g";
    commit.offsets = {{{"t", log::PartitionId(0)}, log::Offset(0)}};
    coordinator_.commit(commit, [](groups::OffsetsReply) {});
  }

  // Asks with the parts of the pattern filled in, and notes that the operation was tried.
  void check(const std::string& method, const std::string& pattern, std::string body = "", const Fields& fields = {},
             const std::string& query = "") {
    std::string path = pattern;
    for (const auto& [name, value] : std::map<std::string, std::string>{{"{cluster_id}", cluster_},
                                                                        {"{topic}", topic_},
                                                                        {"{topic_name}", topic_},
                                                                        {"{name}", name_},
                                                                        {"{partition}", "0"},
                                                                        {"{partition_id}", "0"},
                                                                        {"{broker_id}", "1"},
                                                                        {"{consumer_group_id}", group_},
                                                                        {"{consumer_id}", "c"}}) {
      for (std::size_t at; (at = path.find(name)) != std::string::npos;) path.replace(at, name.size(), value);
    }
    const auto response = ask(method, path + query, std::move(body), fields);
    EXPECT_EQ(api_.complaint(method, pattern, response), "") << method << ' ' << path << '\n'
                                                             << response.status << ' ' << response.body;
    tried_.emplace(method, pattern);
  }

  // The parts of these patterns stand for themselves: there is a group "{group}" with the instance "{instance}".
  void check_consumers() {
    const std::string instance = "/consumers/{group}/instances/{instance}";
    const std::string partitions = R"({"partitions":[{"topic":"t","partition":0}]})";
    const std::string offsets = R"({"offsets":[{"topic":"t","partition":0,"offset":0}]})";
    const auto post = [&](const std::string& pattern, const std::string& body) {
      check("POST", pattern, body, {{"Content-Type", "application/vnd.kafka.v2+json"}});
    };
    for (const char* body : {R"({"name":"{instance}"})", R"({"name":"{instance}"})", "{", R"({"format":"x"})"})
      post("/consumers/{group}", body);
    check("POST", "/consumers/{group}", "{}");
    for (const std::string& body : {partitions, std::string(), std::string("{")}) post(instance + "/assignments", body);
    post(instance + "/positions", offsets);
    post(instance + "/positions/beginning", partitions);
    post(instance + "/positions/end", partitions);
    post(instance + "/subscription", R"({"topics":["t"]})");
    for (const std::string& body : {offsets, std::string()}) post(instance + "/offsets", body);
    check("DELETE", instance + "/subscription");
    for (int i = 0; i < 2; ++i) check("DELETE", instance);
  }

  OpenApi api_;
  std::set<Operation> tried_;
  std::string cluster_ = "AAAAAAAAAAAAAAAAAAAAAA";
  std::string topic_ = "t";
  std::string name_ = "retention.ms";
  std::string group_ = "g";
};

TEST_F(OpenApiTest, NamesEveryRouteAndNoOther) {
  std::set<Operation> routes;
  for (auto& route : doors_.router().routes()) routes.insert(std::move(route));
  std::set<Operation> told = api_.operations();
  std::erase_if(told, [](const Operation& operation) {  // See live, query and schedule.
    return operation.second.starts_with("/live/") || operation.second == "/sql" ||
           operation.second.starts_with("/questions") || operation.second == "/checks" ||
           operation.second.starts_with("/runs") || operation.second.starts_with("/schedule");
  });
  EXPECT_THAT(told, testing::ContainerEq(routes));
}

TEST_F(OpenApiTest, IsServedAsJson) {
  const auto response = ask("GET", "/openapi.json");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_THAT(response.body, testing::StartsWith("{"));
  EXPECT_EQ(response.body, openapi_document());
}

TEST_F(OpenApiTest, DescribesTheAnswersOfEveryGet) {
  const auto all = api_.operations();
  for (const auto& [method, pattern] : all) {
    if (method != "GET" || pattern.starts_with("/live/") || pattern.starts_with("/runs") || pattern == "/schedule")
      continue;
    name_ = pattern.contains("broker") ? "broker.id" : pattern.starts_with("/streams") ? "t" : "retention.ms";
    if (pattern.contains("/broker-configs/")) name_ = "num.partitions";
    topic_ = "t";
    group_ = "g";
    cluster_ = "AAAAAAAAAAAAAAAAAAAAAA";
    check(method, pattern);
    topic_ = "none";
    group_ = "none";
    name_ = "none";
    check(method, pattern);
    cluster_ = "other";
    check(method, pattern);
  }
}

TEST_F(OpenApiTest, DescribesTheAnswersOfEveryChange) {
  constexpr auto kV2 = "application/vnd.kafka.json.v2+json";
  const std::string below = "/v3/clusters/{cluster_id}";
  const std::string topic = below + "/topics/{topic_name}";
  const std::string record = R"({"records":[{"value":1,"key":"k"}]})";
  for (const std::string& body : {record, std::string("{}"), std::string("{")}) {
    check("POST", "/topics/{topic}", body, {{"Content-Type", kV2}});
    check("POST", "/topics/{topic}/partitions/{partition}", body, {{"Content-Type", kV2}});
  }
  check("POST", "/topics/{topic}", record);
  check("POST", "/topics/{topic}", record, {{"Content-Type", kV2}}, "?async");
  check("POST", "/");
  check_consumers();
  for (const char* body : {R"({"topic_name":"made","validate_only":true})", R"({"topic_name":"made"})", "", "{"})
    check("POST", below + "/topics", body);
  for (const char* body : {R"({"partitions_count":4})", R"({"partitions_count":1})", "", "{"})
    check("PATCH", topic, body);
  for (const char* body : {R"({"data":[{"name":"segment.ms","value":"7"}]})", R"({"data":[{"name":"x"}]})", ""})
    check("POST", topic + "/configs:alter", body);
  for (const char* body : {R"({"value":"7"})", R"({"value":"x"})", ""}) check("PUT", topic + "/configs/{name}", body);
  check("DELETE", topic + "/configs/{name}");
  for (const char* body : {R"({"entries":[{"id":"1"},{"id":"2","partition_id":9}]})", "", "{"})
    check("POST", topic + "/records:batch", body);
  for (const char* method : {"POST", "DELETE"}) check(method, below + "/acls");
  check("POST", below + "/broker-configs:alter");
  check("PUT", below + "/broker-configs/{name}");
  check("DELETE", below + "/broker-configs/{name}");
  check("DELETE", topic);
  name_ = "s";
  check("POST", "/streams/{name}", R"({"ShardCount":1})");
  check("PUT", "/streams/{name}/record", R"({"Data":"x","PartitionKey":"k"})");
  check("PUT", "/streams/{name}/records", R"({"records":[{"data":"x","partition-key":"k"}]})");
  check("DELETE", "/streams/{name}");
  check("DELETE", "/streams/{name}");

  SentBody sent;
  sent.send("{}");
  sent.end();
  ReceivedBody received;
  auto asked = request("POST", "/v3/clusters/AAAAAAAAAAAAAAAAAAAAAA/topics/made/records", "", {});
  asked.body_stream = sent.stream();
  doors_.handle(std::move(asked), received.responder());
  http::Response told = http::Response::json(received.head().status, received.read());
  EXPECT_EQ(api_.complaint("POST", topic + "/records", told), "");
  tried_.emplace("POST", topic + "/records");

  std::set<Operation> left = api_.operations();
  // Of the modules query and schedule, which are none of the doors.
  for (const char* const pattern :
       {"/sql", "/runs", "/runs/{id}/retry", "/schedule/pause", "/schedule/resume", "/schedule/backfill"})
    tried_.emplace("POST", pattern);
  std::erase_if(left,
                [&](const Operation& operation) { return operation.first == "GET" || tried_.contains(operation); });
  EXPECT_THAT(left, testing::IsEmpty());
}

}  // namespace
}  // namespace pinflow::doors
