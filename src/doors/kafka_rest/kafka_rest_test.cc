#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/door_fixture.h"
#include "doors/kafka_rest/media_type.h"

namespace pinflow::doors::kafka_rest {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kJson = "application/vnd.kafka.json.v2+json";
constexpr auto kBinary = "application/vnd.kafka.binary.v2+json";

class KafkaRestTest : public DoorTest {
 protected:
  KafkaRestTest() { (void)log_.create_topic({"id.pin", 3, {}}); }
  http::Response post(std::string body, std::string type = kJson, std::string_view path = "/topics/id.pin") {
    return ask("POST", path, std::move(body), {{"Content-Type", std::move(type)}, {"Accept", "*/*"}});
  }
  void expect_refused(const http::Response& response, int status, int code, std::string_view part) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_THAT(response.body, HasSubstr(fmt::format("{{\"error_code\":{},\"message\":\"", code)));
    EXPECT_THAT(response.body, HasSubstr(std::string(part)));
    EXPECT_EQ(log_.produce_calls(), 0U);
  }
};

TEST_F(KafkaRestTest, StoresTheExactBytesOfAJsonValue) {
  const auto response = post(R"({"records": [ {"value": { "index" : 7528.0,  "t":"\u00e9", "t":1e2 } } ]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/vnd.kafka.v2+json");
  EXPECT_EQ(response.headers.get("Pinflow-Durability"), "power");
  EXPECT_EQ(
      response.body,
      R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null})");
  const auto record = log_.records("id.pin").at(0);
  EXPECT_EQ(record.value, R"({ "index" : 7528.0,  "t":"\u00e9", "t":1e2 })");
  EXPECT_EQ(record.key, std::nullopt);
}

TEST_F(KafkaRestTest, StoresScalarsStringsAndNulls) {
  post(R"({"records":[{"value":"a b","key":"k"},{"value":5,"key":null},{"value":null},{},{"value":[1, 2]}]})", kJson,
       "/topics/id.pin/partitions/2/");
  const auto records = log_.records("id.pin", 2);
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0].value, "\"a b\"");
  EXPECT_EQ(records[0].key, "\"k\"");
  EXPECT_EQ(records[1].value, "5");
  EXPECT_EQ(records[1].key, std::nullopt);
  EXPECT_EQ(records[2].value, std::nullopt);
  EXPECT_EQ(records[3].value, std::nullopt);
  EXPECT_EQ(records[4].value, "[1, 2]");
}

TEST_F(KafkaRestTest, ARequestWithAnIdempotencyKeyIsStoredOnce) {
  const auto send = [&](std::string body, std::string key) {
    return ask("POST", "/topics/id.pin", std::move(body),
               {{"Content-Type", kJson}, {"Idempotency-Key", std::move(key)}});
  };
  const std::string body = R"({"records":[{"value":1,"partition":2},{"value":2,"partition":2}]})";
  const auto first = send(body, "order-7");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.headers.get("Idempotency-Replayed"), std::nullopt);
  const auto again = send(body, "order-7");
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(log_.records("id.pin", 2).size(), 2U);
  EXPECT_EQ(send(body, "order-8").headers.get("Idempotency-Replayed"), std::nullopt);
  EXPECT_EQ(log_.records("id.pin", 2).size(), 4U);
  const auto other = send(R"({"records":[{"value":3,"partition":2}]})", "order-7");
  EXPECT_EQ(other.status, 422);
  EXPECT_THAT(other.body, HasSubstr("Idempotency-Key came before with another request"));
  EXPECT_EQ(send(body, std::string(300, 'x')).status, 400);
  EXPECT_EQ(log_.records("id.pin", 2).size(), 4U);
}

TEST_F(KafkaRestTest, DecodesBinaryRecords) {
  EXPECT_EQ(post(R"({"records":[{"key":"a2V5","value":"AAEC"},{"value":""},{"value":null}]})", kBinary,
                 "/topics/id.pin/partitions/0")
                .status,
            200);
  const auto records = log_.records("id.pin");
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].value, std::string("\0\1\2", 3));
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[2].value, std::nullopt);
}

TEST_F(KafkaRestTest, RefusesWhatIsNotBase64) {
  expect_refused(post(R"({"records":[{"value":"AAEC"},{"value":"not base64!"}]})", kBinary), 400, 400,
                 "Bad Request: data=not base64! is not a base64 string.");
  expect_refused(post(R"({"records":[{"value":5}]})", kBinary), 400, 400,
                 "Bad Request: data=5 is not a base64 string.");
}

TEST_F(KafkaRestTest, ARecordsOwnPartitionBeatsThePath) {
  const auto response = post(
      R"({"records":[{"value":1,"partition":1},{"value":2},{"value":3,"partition":1},{"value":4,"partition":null}]})",
      kJson, "/topics/id.pin/partitions/2");
  EXPECT_THAT(response.body,
              HasSubstr(R"([{"partition":1,"offset":0,"error_code":null,"error":null},{"partition":2,"offset":0,)"));
  EXPECT_EQ(log_.records("id.pin", 1).size(), 2U);
  EXPECT_EQ(log_.records("id.pin", 2).at(1).value, "4");
}

TEST_F(KafkaRestTest, KeepsTimestampsAndHeaders) {
  post(
      R"({"records":[{"value":1,"partition":0,"timestamp":1700000000123,"headers":[{"key":"a","value":"YQ=="},{"key":"b","value":null}]}]})");
  const auto record = log_.records("id.pin").at(0);
  EXPECT_EQ(record.timestamp, WallTime(std::chrono::milliseconds(1700000000123)));
  EXPECT_EQ(record.headers, (std::vector<log::Header>{{"a", "a"}, {"b", std::nullopt}}));
}

TEST_F(KafkaRestTest, RefusesOtherContentTypes) {
  for (const auto* const type :
       {"application/json", "application/vnd.kafka.v2+json", "", "application/vnd.kafka.json.v3+json",
        "application/vnd.kafka.binary.v1+foo", "application/vnd.kafka.avro.v0+json", "bar/baz",
        "application/vnd.kafka.json+avro", "application/vnd.kafka", "application/vnd.kafka.json.v2+jsonx",
        "application/vnd.kafka.json.v2+json; charset=latin1"}) {
    const auto response = post(R"({"records":[{"value":1}]})", type);
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(response.body, R"({"error_code":415,"message":"HTTP 415 Unsupported Media Type"})");
    EXPECT_THAT(std::string(response.headers.get("Accept").value_or("")), HasSubstr(kJson));
  }
  EXPECT_EQ(log_.produce_calls(), 0U);
  EXPECT_EQ(post(R"({"records":[{"value":1}]})", "Application/vnd.kafka.JSON.v2+json ; charset=UTF-8").status, 200);
}

TEST_F(KafkaRestTest, RefusesAcceptHeadersThatNoAnswerFits) {
  for (const auto* const path : {"/", "/brokers", "/topics", "/topics/id.pin", "/topics/id.pin/partitions/0/offsets"}) {
    const auto response = ask("GET", path, "", {{"Accept", "application/json"}});
    EXPECT_EQ(response.status, 406) << path;
    EXPECT_EQ(response.body, R"({"error_code":406,"message":"HTTP 406 Not Acceptable"})");
    EXPECT_EQ(ask("GET", path, "", {{"Accept", "application/*"}}).status, 200) << path;
  }
}

TEST_F(KafkaRestTest, RefusesBodiesAndSaysWhere) {
  expect_refused(post(""), 422, 422, "Null input provided. Data is required.");
  expect_refused(post("{}"), 422, 422, "records must not be null");
  expect_refused(post(R"({"records":null})"), 422, 422, "records must not be null");
  expect_refused(post(R"({"records":[]})"), 422, 422, "records must not be empty");
  expect_refused(post(R"({"foo":1})"), 422, 422, "Unrecognized field: foo");
  expect_refused(post(R"({"records":[{"valeu":1}]})"), 422, 422, "Unrecognized field: valeu in record 0");
  expect_refused(post(R"({"records":[{"value":1}])"), 400, 400,
                 "',' or '}' is expected at line 1, column 25, where the text ends");
  expect_refused(post(R"({"records":[{"value":{"a":nope}}]})"), 400, 400,
                 "a JSON value is expected at line 1, column 27");
  expect_refused(post(R"({"records":{"value":1}})"), 400, 400,
                 "records: an array ('[') is expected at line 1, column 12");
  expect_refused(post(R"({"records":[1]})"), 400, 400, "a record: an object ('{') is expected");
  expect_refused(post(R"([])"), 400, 400, "an object ('{') is expected at line 1, column 1");
  expect_refused(post(R"({"records":[{"value":1}]} x)"), 400, 400, "the end is expected");
  expect_refused(post(R"({"records":[{"value":1}],"records":[]})"), 400, 400, "records is there twice");
  expect_refused(post(R"({"records":[{"value":1,"partition":"0"}]})"), 400, 400, "partition is not an integer");
  expect_refused(post(R"({"records":[{"value":1,"partition":-1}]})"), 422, 422, "partition must not be negative");
  expect_refused(post(R"({"records":[{"value":1,"partition":99999999999}]})"), 400, 400,
                 "partition is not an integer of its range");
  expect_refused(post(R"({"records":[{"value":1,"headers":[{"value":""}]}]})"), 422, 422, "a header needs a key");
}

TEST_F(KafkaRestTest, StoresNothingOfABodyWithOneBadRecord) {
  expect_refused(post(R"({"records":[{"value":1},{"value":2,"partition":3}]})"), 404, 40402,
                 "Partition not found. Topic 'id.pin' has partitions 0 to 2, not 3.");
}

TEST_F(KafkaRestTest, AsksForSchemasOfTheFormatsThatNeedThem) {
  for (const auto* const format : {"avro", "jsonschema", "protobuf"}) {
    const auto type = fmt::format("application/vnd.kafka.{}.v2+json", format);
    expect_refused(post(R"({"value_schema_id":1,"records":[{"key":1,"value":1}]})", type), 422, 42201,
                   "Request includes keys but does not include key schema");
    expect_refused(post(R"({"records":[{"value":1}]})", type), 422, 42202,
                   "Request includes values but does not include value schema");
    expect_refused(post(R"({"value_schema":"{}","records":[{"value":1}]})", type), 422, 42205,
                   "there is no schema registry here");
  }
}

TEST_F(KafkaRestTest, SaysAtOnceThatATopicIsMissing) {
  expect_refused(
      post(R"({"records":[{"value":1}]})", kJson, "/topics/id.pim"), 404, 40401,
      "Topic not found. There is no topic 'id.pim'; did you mean 'id.pin'? To make it: POST /streams/id.pim with");
  expect_refused(post("x", kJson, "/topics/a b"), 404, 40401, "'a b' is not a valid topic name");
  expect_refused(post(R"({"records":[{"value":1}]})", kJson, "/topics/id.pin/partitions/3"), 404, 40402,
                 "Partition not found.");
  expect_refused(post(R"({"records":[{"value":1}]})", kJson, "/topics/id.pin/partitions/x"), 404, 404,
                 "HTTP 404 Not Found");
}

TEST_F(KafkaRestTest, NeverSays200WhenNothingIsStored) {
  const auto fail_all = [&](ErrorCode first, ErrorCode second) {
    log_.next_outcomes = {Error{first, "one"}, Error{second, "two"}};
    return post(R"({"records":[{"value":1},{"value":2}]})");
  };
  const auto overloaded = fail_all(ErrorCode::kOverloaded, ErrorCode::kOverloaded);
  EXPECT_EQ(overloaded.status, 429);
  EXPECT_EQ(overloaded.headers.get("Retry-After"), "1");
  EXPECT_EQ(overloaded.body, R"({"error_code":42901,"message":"one"})");
  const auto away = fail_all(ErrorCode::kOverloaded, ErrorCode::kUnavailable);
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.headers.get("Retry-After"), "1");
  EXPECT_EQ(away.body, R"({"error_code":50003,"message":"two"})");
  const auto unknown = fail_all(ErrorCode::kUnknownOutcome, ErrorCode::kUnavailable);
  EXPECT_EQ(unknown.status, 500);
  EXPECT_FALSE(unknown.headers.get("Retry-After"));
  EXPECT_EQ(unknown.body, R"({"error_code":50002,"message":"one"})");
  EXPECT_TRUE(log_.records("id.pin").empty());
}

TEST_F(KafkaRestTest, TellsOfEachRecordWhenSomeAreStored) {
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kOverloaded, "full"},
                        Error{ErrorCode::kUnknownOutcome, "lost \"sight\""}};
  const auto response = post(R"({"records":[{"value":1},{"value":2},{"value":3}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null},)"
                           R"({"partition":null,"offset":null,"error_code":50003,"error":"full"},)"
                           R"({"partition":null,"offset":null,"error_code":50002,"error":"lost \"sight\""}],)"
                           R"("key_schema_id":null,"value_schema_id":null})");
}

TEST_F(KafkaRestTest, AnswersOnlyOnceTheLogHas) {
  log_.hold = true;
  auto answer = send("POST", "/topics/id.pin", R"({"records":[{"value":1,"partition":0},{"value":1,"partition":1}]})",
                     {{"Content-Type", kJson}});
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  log_.release();
  EXPECT_EQ(answer.get().status, 200);
}

TEST_F(KafkaRestTest, RefusesRecordsThatBreakARule) {
  log_.next_outcomes = {Error{ErrorCode::kInvalid, "no key"}, Error{ErrorCode::kInvalid, "too large"}};
  const auto none = post(R"({"records":[{"value":1},{"value":2}]})");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(none.body, R"({"error_code":422,"message":"no key","offsets":[)"
                       R"({"partition":null,"offset":null,"error_code":50002,"error":"no key"},)"
                       R"({"partition":null,"offset":null,"error_code":50002,"error":"too large"}],)"
                       R"("key_schema_id":null,"value_schema_id":null})");
  EXPECT_FALSE(none.headers.get("Pinflow-Durability"));
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kInvalid, "too large"}};
  EXPECT_EQ(post(R"({"records":[{"value":1},{"value":2}]})").status, 200);
}

TEST_F(KafkaRestTest, AnswersAtOnceWhenToldNotToWait) {
  const auto post_async = [&](std::string_view query) {
    return send("POST", fmt::format("/topics/id.pin{}", query), R"({"records":[{"value":1}]})",
                {{"Content-Type", kJson}});
  };
  log_.hold = true;
  const auto answer = post_async("?async=true").get();
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.headers.get("Pinflow-Durability"), "none");
  auto waiting = post_async("?async=false");
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  log_.release();
  EXPECT_EQ(waiting.get().status, 200);
  log_.hold = false;
  log_.next_outcomes = {Error{ErrorCode::kOverloaded, "full"}};
  EXPECT_EQ(post_async("?async").get().status, 429);
}

TEST_F(KafkaRestTest, TakesRecordsOnlyFromWhoMayProduce) {
  caller_ =
      std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{access::Right::kProduce, "id.*"}});
  EXPECT_EQ(post(R"({"records":[{"value":1}]})").status, 200);
  caller_ = std::make_shared<const access::Caller>("two", std::vector<access::Grant>{{access::Right::kConsume, "*"}});
  for (const auto* const path : {"/topics/id.pin", "/topics/nowhere", "/topics/id.pin/partitions/1"}) {
    const auto refused = post(R"({"records":[{"value":1},{"value":2}]})", kJson, path);
    const std::string topic = std::string_view(path).starts_with("/topics/id.pin") ? "id.pin" : "nowhere";
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(
        refused.body,
        fmt::format(
            R"({{"error_code":40301,"message":"Not authorized to access topics: [{0}]","offsets":[)"
            R"({{"partition":null,"offset":null,"error_code":40301,"error":"Not authorized to access topics: [{0}]"}},)"
            R"({{"partition":null,"offset":null,"error_code":40301,"error":"Not authorized to access topics: [{0}]"}}],)"
            R"("key_schema_id":null,"value_schema_id":null}})",
            topic));
  }
  EXPECT_EQ(log_.produce_calls(), 1U);
}

TEST_F(KafkaRestTest, HidesTopicsThatTheCallerHasNothingToDoWith) {
  ASSERT_TRUE(log_.create_topic({"mine", 1, {}}));
  caller_ = std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{access::Right::kProduce, "mi*"}});
  EXPECT_EQ(ask("GET", "/topics").body, R"(["mine"])");
  EXPECT_EQ(ask("GET", "/topics/mine").status, 200);
  for (const auto* const below : {"", "/partitions", "/partitions/0", "/partitions/0/offsets"}) {
    expect_refused(ask("GET", fmt::format("/topics/id.pin{}", below)), 404, 40403, "This server does not host");
  }
  EXPECT_THAT(post("{}", kJson, "/topics/mini").body, Not(HasSubstr("id.pin")));
}

TEST_F(KafkaRestTest, DescribesTopics) {
  ASSERT_TRUE(log_.create_topic({"b", 1, {{"retention.ms", "5"}}}));
  EXPECT_EQ(ask("GET", "/topics/").body, R"(["b","id.pin"])");
  const auto topic = ask("GET", "/topics/b").body;
  EXPECT_THAT(topic, StartsWith(R"({"name":"b","configs":{"cleanup.policy":"delete",)"));
  EXPECT_THAT(topic, HasSubstr(R"("retention.ms":"5")"));
  EXPECT_THAT(topic, HasSubstr(R"("max.message.bytes":"1048588")"));
  EXPECT_THAT(
      topic,
      HasSubstr(
          R"(},"partitions":[{"partition":0,"leader":1,"replicas":[{"broker":1,"leader":true,"in_sync":true}]}]})"));
  EXPECT_THAT(ask("GET", "/topics/id.pin/partitions").body, HasSubstr(R"({"partition":2,)"));
  EXPECT_THAT(ask("GET", "/topics/id.pin/partitions/2/").body, StartsWith(R"({"partition":2,"leader":1,)"));
  post(R"({"records":[{"value":1}]})");
  EXPECT_EQ(ask("GET", "/topics/id.pin/partitions/0/offsets").body, R"({"beginning_offset":0,"end_offset":1})");
  EXPECT_EQ(ask("GET", "/").body, "{}");
  EXPECT_EQ(ask("POST", "/").body, "{}");
  EXPECT_EQ(ask("GET", "/brokers").body, R"({"brokers":[1]})");
}

TEST_F(KafkaRestTest, SaysWhichOfTopicAndPartitionIsMissing) {
  const auto expect_exactly = [&](std::string_view path, int code, std::string_view message) {
    const auto response = ask("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body, fmt::format(R"({{"error_code":{},"message":"{}"}})", code, message)) << path;
  };
  for (const auto* const below : {"", "/partitions", "/partitions/0", "/partitions/0/offsets"}) {
    expect_exactly(fmt::format("/topics/nope{}", below), 40403, "This server does not host this topic-partition.");
  }
  expect_exactly("/topics/id.pin/partitions/3", 40402, "Partition not found.");
  expect_exactly("/topics/id.pin/partitions/3/offsets", 40402, "Partition not found.");
  expect_exactly("/topics/id.pin/partitions/x", 404, "HTTP 404 Not Found");
  expect_exactly("/topics/id.pin/partitions/-1/offsets", 404, "HTTP 404 Not Found");
}

TEST_F(KafkaRestTest, ShowsControlCharactersAsPictures) {
  expect_refused(ask("GET", "/topics/a\x01z"), 400, 400,
                 "Parameter contained invalid control characters: a\xe2\x90\x81z");
  expect_refused(post("{}", kJson, "/topics/\x1f"), 400, 400,
                 "Parameter contained invalid control characters: \xe2\x90\x9f");
}

// The same requests where Karapace answers in its own way.
class KarapaceRestTest : public testing::Test {
 protected:
  KarapaceRestTest() {
    (void)log_.create_topic({"id.pin", 3, {}});
    door_.add_routes(router_);
  }
  http::Response ask(std::string method, std::vector<std::string> segments, std::string body = "",
                     std::vector<std::pair<std::string, std::string>> fields = {}) {
    http::Request request;
    request.method = std::move(method);
    request.segments = std::move(segments);
    for (auto& [name, value] : fields) request.headers.add(name, value);
    request.body = std::move(body);
    std::promise<http::Response> promise;
    router_.handle(std::move(request), [&](http::Response response) { promise.set_value(std::move(response)); });
    return promise.get_future().get();
  }
  http::Response post(std::string body, std::string type = kJson) {
    return ask("POST", {"topics", "id.pin"}, std::move(body), {{"Content-Type", std::move(type)}});
  }
  static void expect(const http::Response& response, int status, std::string_view body) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, body);
  }

  log::MemoryLog log_;
  Worker worker_{4};
  http::Router router_;
  KafkaRestDoor door_{log_, worker_, {.profile = Profile::kKarapace}};
};

TEST_F(KarapaceRestTest, TakesPlainTypesAsBinaryAndAnswersInItsOwn) {
  for (const auto* const type : {"application/json", "application/octet-stream", "", "application/vnd.kafka.v1+json"}) {
    const auto answer = post(R"({"records":[{"value":"AAEC"}]})", type);
    EXPECT_EQ(answer.status, 200) << type << answer.body;
    EXPECT_EQ(answer.headers.get("Content-Type"), kJson);
  }
  EXPECT_EQ(log_.records("id.pin").at(0).value, std::string("\0\1\2", 3));
  EXPECT_EQ(ask("GET", {"topics"}, "", {{"Accept", "application/json"}}).body, R"(["id.pin"])");
}

TEST_F(KarapaceRestTest, RefusesBodiesInItsOwnWords) {
  expect(post(""), 400, R"({"error_code":400,"message":"Missing request JSON body"})");
  EXPECT_THAT(post("{").body, StartsWith(R"({"error_code":400,"message":"Invalid request JSON body: )"));
  EXPECT_EQ(post("{}").status, 422);
  EXPECT_EQ(post(R"({"records":{}})").status, 400);
  expect(post("{}", "bar/baz"), 415, R"({"error_code":415,"message":"HTTP 415 Unsupported Media Type"})");
}

TEST_F(KarapaceRestTest, FailsAProduceOfWhichARecordFailed) {
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kOverloaded, "full"}};
  expect(
      post(R"({"records":[{"value":1},{"value":2}]})"), 422,
      R"({"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null},)"
      R"({"partition":null,"offset":null,"error_code":50003,"error":"full"}],"key_schema_id":null,"value_schema_id":null})");
}

TEST_F(KarapaceRestTest, FindsNoTopicByItsPartitions) {
  expect(ask("GET", {"topics", "no"}), 404,
         R"({"error_code":40403,"message":"This server does not host this topic-partition."})");
  expect(ask("GET", {"topics", "no", "partitions"}), 404, R"({"error_code":40401,"message":"Topic not found."})");
  expect(ask("GET", {"topics", "no", "partitions", "0"}), 404, R"({"error_code":40401,"message":"Topic not found."})");
  expect(ask("GET", {"topics", "no", "partitions", "0", "offsets"}), 404,
         R"({"error_code":40401,"message":"Topic not found."})");
  expect(ask("GET", {"topics", "id.pin", "partitions", "9"}), 404,
         R"({"error_code":40402,"message":"Partition not found."})");
}

TEST_F(KafkaRestTest, RefusesOtherMethodsAndPaths) {
  EXPECT_EQ(ask("DELETE", "/topics/id.pin").body, R"({"error_code":405,"message":"HTTP 405 Method Not Allowed"})");
  EXPECT_EQ(ask("GET", "/topic").body, R"({"error_code":404,"message":"HTTP 404 Not Found"})");
}

TEST(KafkaRestAutoCreate, MakesTheTopicThatARecordIsSentTo) {
  log::MemoryLog log;
  Worker worker(4);
  http::Router router;
  KafkaRestDoor door(log, worker, {.auto_create_topics = true, .auto_create_partitions = 2});
  door.add_routes(router);
  const auto post = [&](std::string topic, std::string body) {
    http::Request request;
    request.method = "POST";
    request.segments = {"topics", std::move(topic)};
    request.headers.add("Content-Type", kJson);
    request.body = std::move(body);
    std::promise<http::Response> promise;
    router.handle(std::move(request), [&](http::Response response) { promise.set_value(std::move(response)); });
    return promise.get_future().get();
  };
  EXPECT_EQ(post("new", R"({"records":[{"value":1}]})").status, 200);
  EXPECT_EQ(log.topic("new")->partitions, 2);
  EXPECT_EQ(log.records("new").size(), 1U);
  EXPECT_EQ(post("new2", "{}").status, 422);
  EXPECT_EQ(post("new3", R"({"records":[{"value":1,"partition":5}]})").status, 404);
  EXPECT_EQ(post("a b", R"({"records":[{"value":1}]})").status, 400);
  EXPECT_FALSE(log.topic("new2"));
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
