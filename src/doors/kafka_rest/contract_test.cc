// The rows of the REST Proxy's behaviour, API v2, that are tables by nature: request, status, error code, message.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/door_fixture.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kJson = "application/vnd.kafka.json.v2+json";
constexpr auto kBinary = "application/vnd.kafka.binary.v2+json";
constexpr auto kAvro = "application/vnd.kafka.avro.v2+json";
constexpr std::string_view kUnsupported = R"({"error_code":415,"message":"HTTP 415 Unsupported Media Type"})";
constexpr std::string_view kNotAcceptable = R"({"error_code":406,"message":"HTTP 406 Not Acceptable"})";
constexpr std::string_view kNotFound = R"({"error_code":404,"message":"HTTP 404 Not Found"})";

std::string failure(int code, std::string_view message) {
  return fmt::format(R"({{"error_code":{},"message":"{}"}})", code, message);
}

// ---- Topics and produce.

class ProduceContract : public DoorTest {
 protected:
  ProduceContract() { (void)log_.create_topic({"id.pin", 3, {}}); }
  http::Response post(std::string_view path, std::string body, std::string type = kJson) {
    return ask("POST", path, std::move(body), {{"Content-Type", std::move(type)}, {"Accept", "*/*"}});
  }
};

TEST_F(ProduceContract, RefusesEachWrongBodyByItsCode) {
  struct Row {
    std::string body;
    std::string type;
    int status;
    int code;
    std::string message;  // Its beginning.
  };
  const std::string no_keys = "Request includes keys but does not include key schema";
  const std::string no_values = "Request includes values but does not include value schema";
  const std::vector<Row> rows{
      {R"({"records":[{"key":"?","value":"AAEC"}]})", kBinary, 400, 400, "Bad Request: data=? is not a base64 string."},
      {R"({"records":[{"value":"AAE"}]})", kBinary, 400, 400, "Bad Request: data=AAE is not a base64 string."},
      {R"({"records":[{"value":true}]})", kBinary, 400, 400, "Bad Request: data=true is not a base64 string."},
      {R"({"records":[{"value":{"a":1}}]})", kBinary, 400, 400,
       R"(Bad Request: data={\"a\":1} is not a base64 string.)"},
      {R"({"records":[{"value":1,"headers":[{"key":"h","value":"?"}]}]})", kJson, 400, 400,
       "Bad Request: data=? is not a base64 string."},
      {R"({"records":[null]})", kJson, 400, 400, ""},
      {R"({"records":["x"]})", kJson, 400, 400, ""},
      {R"({"records":"x"})", kJson, 400, 400, ""},
      {R"({"records":[{"value":1}],"more":1})", kJson, 422, 422, "Unrecognized field: more"},
      {R"({"records":[{"value":1,"headers":[{"key":"h","valeu":null}]}]})", kJson, 422, 422,
       "Unrecognized field: valeu"},
      // The check of schemas: keys first, and each of text and id will do.
      {R"({"records":[{"key":1,"value":1}]})", kAvro, 422, 42201, no_keys},
      {R"({"value_schema":"{}","records":[{"key":1,"value":1}]})", kAvro, 422, 42201, no_keys},
      {R"({"key_schema":"{}","records":[{"key":1,"value":1}]})", kAvro, 422, 42202, no_values},
      {R"({"key_schema_id":1,"records":[{"key":1,"value":1}]})", kAvro, 422, 42202, no_values},
      {R"({"value_schema_id":null,"records":[{"value":1}]})", kAvro, 422, 42202, no_values},
      {R"({"key_schema_id":1,"value_schema_id":2,"records":[{"key":1,"value":1}]})", kAvro, 422, 42205,
       "Invalid schema: "},
      {R"({"records":[{"key":1}]})", kAvro, 422, 42201, no_keys},
  };
  for (const Row& row : rows) {
    const auto answer = post("/topics/id.pin", row.body, row.type);
    EXPECT_EQ(answer.status, row.status) << row.body;
    EXPECT_THAT(answer.body, StartsWith(fmt::format(R"({{"error_code":{},"message":"{})", row.code, row.message)))
        << row.body;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/vnd.kafka.v2+json") << row.body;
  }
  EXPECT_EQ(log_.produce_calls(), 0U);
}

TEST_F(ProduceContract, StoresFalsyValuesAsTheyAreAndNullsAsNull) {
  const std::pair<std::string_view, std::optional<std::string>> rows[] = {
      {"0", "0"}, {"false", "false"}, {R"("")", R"("")"}, {"{}", "{}"}, {"[]", "[]"}, {"null", std::nullopt}};
  for (const auto& [sent, stored] : rows) {
    const auto answer = post("/topics/id.pin", fmt::format(R"({{"key_schema_id":1,"value_schema":"x","records":[)"
                                                           R"({{"key":{0},"value":{0},"partition":1}}]}})",
                                                           sent));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(log_.records("id.pin", 1).back().value, stored) << sent;
    EXPECT_EQ(log_.records("id.pin", 1).back().key, stored) << sent;
  }
}

TEST_F(ProduceContract, LooksAtTheTopicBeforeSchemasAndBody) {
  for (const auto* const type : {kJson, kBinary, kAvro}) {
    for (const auto* const body : {R"({"records":[{"value":1}]})", "", "{"}) {
      const auto answer = post("/topics/none", body, type);
      EXPECT_EQ(answer.status, 404) << type << body;
      EXPECT_THAT(answer.body, StartsWith(R"({"error_code":40401,"message":"Topic not found.)")) << type << body;
    }
  }
  const auto type = post("/topics/none", "{}", "application/json");
  EXPECT_EQ(type.status, 415);
  EXPECT_EQ(type.body, kUnsupported);
  EXPECT_EQ(type.headers.get("Content-Type"), "application/json");
}

TEST_F(ProduceContract, AsksWhoItIsBeforeAnythingElseIsTold) {
  caller_ = access::Caller::anonymous({});
  const auto answer = post("/topics/id.pin", R"({"records":[{"value":1}]})");
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.body, StartsWith(R"({"error_code":40101,"message":")"));
  EXPECT_TRUE(answer.headers.get("WWW-Authenticate"));
  EXPECT_EQ(log_.produce_calls(), 0U);
}

// What other proxies serve and this one does not; docs/kafka-rest.md says what stands for it.
TEST_F(ProduceContract, DoesNotServeTheRoutesOfOtherProxies) {
  for (const auto* const path : {"/topics/id.pin/partitions/0/records", "/_health", "/status/ready", "/healthy",
                                 "/ready", "/openapi", "/topics/id.pin/partitions/0/offsets/0"}) {
    const auto answer = ask("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.body, kNotFound) << path;
  }
}

TEST_F(ProduceContract, AnswersEachRecordByWhatBecameOfIt) {
  const std::pair<ErrorCode, int> rows[] = {{ErrorCode::kOverloaded, 50003},     {ErrorCode::kUnavailable, 50003},
                                            {ErrorCode::kCancelled, 50003},      {ErrorCode::kInvalid, 50002},
                                            {ErrorCode::kUnknownOutcome, 50002}, {ErrorCode::kCorrupt, 50002}};
  for (const auto& [error, code] : rows) {
    log_.next_outcomes = {std::nullopt, Error{error, "why"}};
    const auto answer = post("/topics/id.pin", R"({"records":[{"value":1},{"value":2}]})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body,
                HasSubstr(fmt::format(R"({{"partition":null,"offset":null,"error_code":{},"error":"why"}})", code)));
  }
}

TEST_F(ProduceContract, AnswersARequestOfWhichNothingIsStoredByItsWorstFailure) {
  struct Row {
    ErrorCode error;
    int status;
    int code;
    bool again;
  };
  for (const auto& [error, status, code, again] :
       {Row{ErrorCode::kOverloaded, 429, 42901, true}, Row{ErrorCode::kUnavailable, 503, 50003, true},
        Row{ErrorCode::kCancelled, 503, 50003, true}, Row{ErrorCode::kUnknownOutcome, 500, 50002, false},
        Row{ErrorCode::kCorrupt, 500, 50002, false}, Row{ErrorCode::kNotFound, 404, 40403, false}}) {
    log_.next_outcomes = {Error{error, "why"}};
    const auto answer = post("/topics/id.pin", R"({"records":[{"value":1}]})");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, failure(code, "why"));
    EXPECT_EQ(answer.headers.get("Retry-After").has_value(), again) << status;
  }
}

TEST_F(ProduceContract, AnIdempotencyKeyIsItsCallersOwnAndThereOnce) {
  const auto send = [&](std::string_view caller) {
    caller_ = std::make_shared<const access::Caller>(std::string(caller),
                                                     std::vector<access::Grant>{{access::Right::kProduce, "id.*"}});
    return ask("POST", "/topics/id.pin", R"({"records":[{"value":1,"partition":0}]})",
               {{"Content-Type", kJson}, {"Idempotency-Key", "k"}});
  };
  for (const auto* const caller : {"one", "two", "one", "two"}) EXPECT_EQ(send(caller).status, 200);
  EXPECT_EQ(log_.records("id.pin", 0).size(), 2U);
  const auto twice = ask("POST", "/topics/id.pin", R"({"records":[{"value":1}]})",
                         {{"Content-Type", kJson}, {"Idempotency-Key", "a"}, {"idempotency-key", "b"}});
  EXPECT_EQ(twice.status, 400);
  EXPECT_EQ(twice.body, failure(400, "Idempotency-Key is there twice; send one"));
}

TEST_F(ProduceContract, ShowsTopicsToWhoMayReadOrAskOfThemToo) {
  for (const auto right : {access::Right::kProduce, access::Right::kConsume, access::Right::kQuery}) {
    caller_ = std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{right, "id.pin"}});
    EXPECT_EQ(ask("GET", "/topics").body, R"(["id.pin"])");
    EXPECT_EQ(ask("GET", "/topics/id.pin").status, 200);
    EXPECT_EQ(ask("GET", "/topics/id.pin/partitions/0/offsets").status, 200);
  }
  const auto quoted =
      post("/topics/id.pin", R"({"records":[{"value":1}]})", "application/vnd.kafka.json.v2+json; charset=\"UTF-8\"");
  EXPECT_EQ(quoted.status, 403);  // The type is taken, and then asked who it is.
}

// ---- Consumers.

class ConsumerContract : public ConsumersFixture {
 protected:
  ConsumerContract() { start(Profile::kConfluent); }
  void start(Profile profile) {
    open(profile);
    if (!log_->topic("t")) create("t", 2);
  }
  // Requests of an instance: how, below what, and a body that is right.
  struct Request {
    std::string method;
    std::string_view below;
    std::string_view body;
  };
  static std::vector<Request> requests() {
    constexpr std::string_view kPartitions = R"({"partitions":[{"topic":"t","partition":0}]})";
    constexpr std::string_view kOffsets = R"({"offsets":[{"topic":"t","partition":0,"offset":0}]})";
    return {{"POST", "/subscription", R"({"topics":["t"]})"},
            {"GET", "/subscription", ""},
            {"DELETE", "/subscription", ""},
            {"POST", "/assignments", kPartitions},
            {"GET", "/assignments", ""},
            {"POST", "/positions", kOffsets},
            {"POST", "/positions/beginning", kPartitions},
            {"POST", "/positions/end", kPartitions},
            {"GET", "/records", ""},
            {"POST", "/offsets", kOffsets},
            {"GET", "/offsets", kPartitions},
            {"DELETE", "", ""}};
  }
};

TEST_F(ConsumerContract, KnowsNoInstanceThatWasNotMadeWhateverIsAskedOfIt) {
  make("a");
  for (const auto& group : {"g", "other"}) {
    for (const auto& [method, below, body] : requests()) {
      const auto answer =
          ask(method, path_of(group == std::string_view("g") ? "b" : "a", below, group), std::string(body));
      EXPECT_EQ(answer.status, 404) << method << below;
      EXPECT_EQ(answer.body, failure(40403, "Consumer instance not found.")) << method << below;
      EXPECT_EQ(answer.headers.get("Content-Type"), kAnswerType);
    }
  }
}

TEST_F(ConsumerContract, TakesItsOwnTypesAlone) {
  make("a");
  for (const auto& [method, below, body] : requests()) {
    const auto refused = ask(method, path_of("a", below), std::string(body), {{"Accept", "application/json"}});
    EXPECT_EQ(refused.status, 406) << method << below;
    EXPECT_EQ(refused.body, kNotAcceptable);
    if (method != "POST") continue;
    for (const auto* const type : {"application/json", "text/plain", "application/vnd.kafka.v1+json"}) {
      const auto answer = ask(method, path_of("a", below), std::string(body), {{"Content-Type", type}});
      EXPECT_EQ(answer.status, 415) << method << below;
      EXPECT_EQ(answer.body, kUnsupported);
      EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
    }
    for (const auto* const type : {kJson, kBinary, kAvro, "application/vnd.kafka.v2+json; charset=utf-8"})
      EXPECT_NE(ask(method, path_of("a", below), "{", {{"Content-Type", type}}).status, 415) << type << below;
  }
}

TEST_F(ConsumerContract, RefusesSettingsOutOfTheirRange) {
  const std::string too_long = fmt::format(R"("name":"{}")", std::string(250, 'x'));
  EXPECT_EQ(ask("POST", "/consumers/g", fmt::format(R"({{"name":"{}"}})", std::string(249, 'x'))).status, 200);
  struct Row {
    std::string_view settings;
    int status;
    int code;
    std::string_view part;
  };
  for (const auto& [settings, status, code, part] : {
           Row{R"("consumer.request.timeout.ms":0)", 422, 40001, "must be between 1 and 30000"},
           Row{R"("consumer.request.timeout.ms":"30001")", 422, 40001, "must be between 1 and 30000"},
           Row{R"("consumer.request.timeout.ms":"x")", 422, 40001, "must be between 1 and 30000"},
           Row{R"("fetch.min.bytes":-2)", 422, 40001, "must be between -1 and 10000000"},
           Row{R"("fetch.min.bytes":"many")", 422, 40001, "must be between -1 and 10000000"},
           Row{R"("enable.auto.commit":1)", 422, 42204, "Expected value to be either true or false"},
           Row{R"("format":"JSON")", 422, 422, "Invalid format type."},
           Row{R"("name":"")", 422, 42204, "1 to 249 characters"},
           Row{R"("id":"..")", 422, 42204, "1 to 249 characters"},
           Row{R"("id":".")", 422, 42204, "1 to 249 characters"},
           Row{too_long, 422, 42204, "1 to 249 characters"},
       }) {
    const auto answer = ask("POST", "/consumers/g", fmt::format("{{{}}}", settings));
    EXPECT_EQ(answer.status, status) << settings;
    EXPECT_THAT(answer.body, StartsWith(fmt::format(R"({{"error_code":{},)", code))) << settings;
    EXPECT_THAT(answer.body, HasSubstr(std::string(part))) << settings;
  }
  for (const auto* const settings :
       {R"("consumer.request.timeout.ms":1)", R"("consumer.request.timeout.ms":"30000")", R"("fetch.min.bytes":-1)",
        R"("fetch.min.bytes":10000000)", R"("auto.offset.reset":"none")", R"("auto.commit.enable":true)"})
    EXPECT_EQ(ask("POST", "/consumers/g", fmt::format("{{{}}}", settings)).status, 200) << settings;
}

TEST_F(ConsumerContract, WaitsNoLongerThanItsOwnSettingSays) {
  join("a", R"("format":"json","consumer.request.timeout.ms":"300")");
  for (const auto* const query : {"", "?timeout=5000", "?timeout=0"}) {
    auto waiting = begin_read("a", query);
    pass(milliseconds(200));
    EXPECT_EQ(waiting.wait_for(milliseconds(0)), std::future_status::timeout) << query;
    pass(milliseconds(100));
    expect(answer_of(std::move(waiting)), 200, "[]");
  }
}

TEST_F(ConsumerContract, TakesOffsetsAndTimesInOneRequest) {
  join("a");
  write_to("t", {"0", "1"}, 0);
  write_to("t", {"2", "3"}, 1);
  expect(ask("POST", path_of("a", "/positions"),
             R"({"offsets":[{"topic":"t","partition":0,"offset":1}],)"
             R"("timestamps":[{"topic":"t","partition":1,"timestamp":"1970-01-01T00:00:00Z"}]})"),
         204, "");
  const auto all = read("a").body;
  for (const auto* const value : {R"("value":1,)", R"("value":2,)", R"("value":3,)"})
    EXPECT_THAT(all, HasSubstr(value));
  EXPECT_THAT(all, testing::Not(HasSubstr(R"("value":0,)")));
}

TEST_F(ConsumerContract, IsAsynchronousOnlyWithoutABody) {
  join("a", R"("format":"json","auto.offset.reset":"earliest","auto.commit.enable":false)");
  write_to("t", {"0", "1"});
  read("a");
  expect(ask("POST", path_of("a", "/offsets?async=true"), R"({"offsets":[{"topic":"t","partition":0,"offset":0}]})"),
         200, "[]");
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":1,)"));
  expect(ask("POST", path_of("a", "/offsets?async=false")), 200, "[]");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":2,)"));
}

TEST_F(ConsumerContract, CommitsByItselfAtTheFirstReadAfterFiveSeconds) {
  join("a");  // Two seconds are gone.
  write_to("t", {"0"});
  read("a");
  pass(milliseconds(2'900));
  write_to("t", {"1"});
  read("a");
  settle();
  EXPECT_EQ(committed("a"), R"({"offsets":[]})");
  pass(milliseconds(100));
  write_to("t", {"2"});
  read("a");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":2,)"));
}

TEST_F(ConsumerContract, BoundsPatternsAndLists) {
  make("a");
  const auto subscribe_to = [&](std::size_t length) {
    return ask("POST", path_of("a", "/subscription"),
               fmt::format(R"({{"topic_pattern":"{}"}})", std::string(length, 'x')));
  };
  EXPECT_EQ(subscribe_to(0).status, 422);
  EXPECT_EQ(subscribe_to(1001).status, 422);
  EXPECT_EQ(subscribe_to(1000).status, 204);
  ask("DELETE", path_of("a", "/subscription"));
  const auto assign = [&](int count) {
    std::string entries;
    for (int i = 0; i < count; ++i) entries += fmt::format(R"({}{{"topic":"t","partition":0}})", i == 0 ? "" : ",");
    return ask("POST", path_of("a", "/assignments"), fmt::format(R"({{"partitions":[{}]}})", entries));
  };
  EXPECT_EQ(ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"t","partition":-1}]})").body,
            failure(422, "partition must not be negative, but is -1"));
  EXPECT_EQ(assign(10'001).status, 422);
  EXPECT_EQ(assign(10'000).status, 204);
}

class KarapaceContract : public ConsumerContract {
 protected:
  KarapaceContract() { start(Profile::kKarapace); }
};

TEST_F(KarapaceContract, SaysWhatCouldNotBeReadInItsOwnWords) {
  join("a");
  write_to("t", {"no json"});
  const auto refused = read("a");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("value deserialization error for format json"));
}

TEST_F(KarapaceContract, ReadsOnlyWhereTheFormatIsNamed) {
  join("a");
  for (const auto* const accept : {"", "*/*", "application/*", "*/json", "application/json", "foo/*"})
    EXPECT_EQ(read("a", "", accept).status, 406) << accept;
  EXPECT_EQ(read("a", "", kBinaryType).status, 406);
  write_to("t", {"1"});
  EXPECT_EQ(read("a", "", kJsonType).status, 200);
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
