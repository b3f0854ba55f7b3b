#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/base_uri.h"
#include "doors/kafka_rest/consumers.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr std::string_view kNoInstance = "Consumer instance not found.";

TEST_F(ConsumersTest, AreMadeUnderANameOrOneThatNobodyGuesses) {
  const auto named = ask("POST", "/consumers/g", R"({"name":"my instance"})", {{"Host", "pin.example:8082"}});
  expect(named, 200,
         R"({"instance_id":"my instance","base_uri":"http://pin.example:8082/consumers/g/instances/my%20instance"})");
  EXPECT_EQ(named.headers.get("Content-Type"), kAnswerType);
  EXPECT_THAT(ask("POST", "/consumers/g/").body,
              MatchesRegex(R"re(\{"instance_id":"rest-consumer-[0-9a-f-]{36}","base_uri":"http://localhost/.*)re"));
  EXPECT_THAT(ask("POST", "/consumers/g", R"({"id":"of id","name":"of name"})").body, HasSubstr("\"of id\""));
  expect_refused(ask("POST", "/consumers/g", R"({"name":"my instance"})"), 409, 40902,
                 "Consumer with specified consumer ID already exists in the specified consumer group.");
  EXPECT_EQ(ask("POST", "/consumers/other", R"({"name":"my instance"})").status, 200);
  EXPECT_EQ(ask("DELETE", path_of("my%20instance")).status, 404);  // The router decodes; here it is given as it is.
  EXPECT_EQ(ask("DELETE", path_of("my instance")).status, 204);
  expect_refused(ask("DELETE", path_of("my instance")), 404, 40403, kNoInstance);
}

TEST_F(ConsumersTest, TakeSettingsAsStringsAndAsThemselves) {
  EXPECT_EQ(
      ask("POST", "/consumers/g",
          R"({"name":"a","format":"json","auto.offset.reset":"earliest","auto.commit.enable":"false",)"
          R"("fetch.min.bytes":"100","consumer.request.timeout.ms":"3000","topic.metadata.refresh.interval.ms":100})")
          .status,
      200);
  EXPECT_EQ(ask("POST", "/consumers/g",
                R"({"name":"b","format":"binary","enable.auto.commit":true,"fetch.min.bytes":-1,)"
                R"("consumer.request.timeout.ms":5000,"auto.offset.reset":null})")
                .status,
            200);
}

TEST_F(ConsumersTest, RefuseSettingsThatCannotBe) {
  const auto refused = [&](std::string_view body) { return ask("POST", "/consumers/g", std::string(body)); };
  expect_refused(refused(R"({"format":"xml"})"), 422, 422, "Invalid format type.");
  for (const auto* const format : {"avro", "jsonschema", "protobuf"}) {
    expect_refused(
        refused(fmt::format(R"({{"format":"{}"}})", format)), 422, 42204,
        fmt::format("Invalid consumer configuration: the format {} needs a schema registry, and there is none "
                    "here; use binary or json",
                    format));
  }
  expect_refused(refused(R"({"fetch.min.bytes":10000001})"), 422, 40001,
                 "Invalid consumer configuration. It does not abide by the constraints: Invalid value 10000001 for "
                 "configuration fetch.min.bytes: must be between -1 and 10000000");
  EXPECT_EQ(refused(R"({"fetch.min.bytes":"-2"})").status, 422);
  expect_refused(
      refused(R"({"auto.offset.reset":"smallest"})"), 422, 42204,
      "Invalid consumer configuration: Invalid value smallest for configuration auto.offset.reset: String must "
      "be one of: latest, earliest, none");
  expect_refused(
      refused(R"({"auto.commit.enable":"yes"})"), 422, 42204,
      "Invalid consumer configuration: Invalid value yes for configuration auto.commit.enable: Expected value "
      "to be either true or false");
  EXPECT_EQ(refused(R"({"name":"a/b"})").status, 422);
  expect_refused(
      refused("{"), 400, 400,
      "Bad Request: the body is not valid: a member name in quotes is expected at line 1, column 2, where the "
      "text ends");
  expect_refused(refused(R"({"format":{}})"), 400, 400,
                 "Bad Request: the body is not valid: format is not a string, a number or a boolean, before line 1, "
                 "column 13");
  const auto plain = ask("POST", "/consumers/g", "{}", {{"Content-Type", "application/json"}});
  expect_refused(plain, 415, 415, "HTTP 415 Unsupported Media Type");
  EXPECT_EQ(plain.headers.get("Content-Type"), "application/json");
  expect_refused(ask("POST", "/consumers/g", "{}", {{"Accept", "application/json"}}), 406, 406,
                 "HTTP 406 Not Acceptable");
}

TEST_F(ConsumersTest, ShowControlCharactersOfNamesAsPictures) {
  expect_refused(ask("POST",
                     "/consumers/a\x01"
                     "b\x7f"),
                 400, 400,
                 "Parameter contained invalid control characters: a\xe2\x90\x81"
                 "b\xe2\x90\xa1");
  expect_refused(ask("GET", path_of("x\ny", "/records")), 400, 400,
                 "Parameter contained invalid control characters: x\xe2\x90\x8ay");
}

TEST_F(ConsumersTest, AreLimitedInNumber) {
  consumer_options_.max_instances = 3;
  consumer_options_.max_instances_of_caller = 2;
  open();
  make("a");
  make("b");
  const auto refused = ask("POST", "/consumers/g");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.get("Retry-After"), "1");
  EXPECT_THAT(refused.body, StartsWith(R"({"error_code":42901,)"));
  caller_ = std::make_shared<const access::Caller>("other", std::vector<access::Grant>{{access::Right::kConsume, "*"}});
  make("c");
  EXPECT_EQ(ask("POST", "/consumers/g").status, 429);
}

TEST_F(ConsumersTest, DieAfterFiveIdleMinutesAndLiveOnWhenUsed) {
  join("idle");
  join("used");
  pass(seconds(200), seconds(1));
  EXPECT_EQ(ask("GET", path_of("used", "/assignments")).status, 200);
  pass(seconds(95), seconds(1));
  EXPECT_EQ(coordinator_->describe("g").members.size(), 2U);
  pass(seconds(3), seconds(1));
  EXPECT_EQ(coordinator_->describe("g").members.size(), 1U);
  expect_refused(ask("GET", path_of("idle", "/records")), 404, 40403, kNoInstance);
  EXPECT_EQ(ask("GET", path_of("used", "/assignments")).status, 200);
}

TEST_F(ConsumersTest, BelongToTheCallerThatMadeThem) {
  const std::vector<access::Grant> grants{{access::Right::kConsume, "t"}};
  const auto one = std::make_shared<const access::Caller>("one", grants);
  caller_ = one;
  make("a");
  caller_ = std::make_shared<const access::Caller>("two", grants);
  for (const auto* const below : {"/subscription", "/assignments", "/records"}) {
    expect_refused(ask("GET", path_of("a", below), "", {{"Accept", kJsonType}}), 404, 40403, kNoInstance);
  }
  expect_refused(ask("DELETE", path_of("a")), 404, 40403, kNoInstance);
  caller_ = std::make_shared<const access::Caller>("one", grants);
  EXPECT_EQ(subscribe("a").status, 204);
  caller_ =
      std::make_shared<const access::Caller>("nobody", std::vector<access::Grant>{{access::Right::kProduce, "*"}});
  EXPECT_THAT(ask("POST", "/consumers/g").body,
              StartsWith(R"({"error_code":40301,"message":"'nobody' may not consume)"));
  caller_ = access::Caller::anonymous({});
  const auto nobody = ask("POST", "/consumers/g");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_THAT(nobody.body, StartsWith(R"({"error_code":40101,)"));
  EXPECT_TRUE(nobody.headers.get("WWW-Authenticate"));
}

TEST_F(ConsumersTest, ReadOnlyWhatTheirCallerMay) {
  create("secret");
  caller_ = std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{access::Right::kConsume, "t*"}});
  make("a");
  expect_refused(subscribe("a", R"("t","secret")"), 403, 40301, "Not authorized to access topics: [secret]");
  expect_refused(ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"secret","partition":0}]})"), 403,
                 40301, "Not authorized to access topics: [secret]");
  expect_refused(ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"secret","partition":0,"offset":1}]})"),
                 403, 40301, "Not authorized to access topics: [secret]");
  expect_refused(ask("GET", path_of("a", "/offsets"), R"({"partitions":[{"topic":"secret","partition":0}]})"), 403,
                 40301, "Not authorized to access topics: [secret]");
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":".*"})").status, 204);
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t"]})");
  EXPECT_EQ(ask("DELETE", path_of("a", "/subscription")).status, 204);
  EXPECT_EQ(subscribe("a").status, 204);
  pass(seconds(1));
  // The right is taken away while it is subscribed.
  caller_ = std::make_shared<const access::Caller>("one", std::vector<access::Grant>{{access::Right::kConsume, "u"}});
  expect_refused(read("a"), 403, 40301, "Not authorized to access topics: [t]");
}

TEST(ConsumerBaseUri, IsTheSettingOrWhatWasDialled) {
  struct Case {
    std::string advertised;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string target;
    std::string begin;
  };
  const std::vector<Case> cases = {
      {"https://pin.example/kafka/", {{"Host", "x"}}, "/consumers/g", "https://pin.example/kafka"},
      {"", {{"Host", "[::1]:8082"}}, "/consumers/g", "http://[::1]:8082"},
      {"", {{"Host", "x"}, {"X-Forwarded-Proto", "https"}}, "/consumers/g", "https://x"},
      {"", {{"Host", "x"}, {"X-Forwarded-Host", "pin.example, inner"}}, "/consumers/g", "http://pin.example"},
      {"",
       {{"X-Forwarded-Host", "pin.example"}, {"X-Forwarded-Port", "8443"}},
       "/consumers/g",
       "http://pin.example:8443"},
      {"", {{"X-Forwarded-Host", "p:1"}, {"X-Forwarded-Port", "8443"}}, "/consumers/g", "http://p:1"},
      {"",
       {{"X-Forwarded-Host", "p"}, {"X-Forwarded-Port", "443"}, {"X-Forwarded-Proto", "https"}},
       "/consumers/g",
       "https://p"},
      {"", {{"Host", "x"}, {"X-Forwarded-Prefix", "/kafka/"}}, "/consumers/g", "http://x/kafka"},
      {"", {{"Host", "x"}}, "/Production/consumers/g?a=b", "http://x/Production"},
      {"", {{"Host", "evil\"<>"}}, "/consumers/g", "http://localhost"},
      {"", {{"Host", "x"}, {"X-Forwarded-Proto", "javascript"}}, "/consumers/g", "http://x"},
  };
  for (const Case& each : cases) {
    http::Request request;
    request.target = each.target;
    for (const auto& [name, value] : each.fields) request.headers.add(name, value);
    EXPECT_EQ(consumer_base_uri(request, each.advertised, "g", "i d"), each.begin + "/consumers/g/instances/i%20d");
  }
}

// ---- The other profile.

TEST_F(KarapaceConsumersTest, AnswerAsKarapaceDoes) {
  const auto made = ask("POST", "/consumers/g", R"({"name":"a","format":"json","auto.offset.reset":"earliest"})",
                        {{"Content-Type", "application/json"}, {"Accept", "application/json"}});
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.headers.get("Content-Type"), kJsonType);
  constexpr std::string_view kOneWay =
      "IllegalStateError: You must choose only one way to configure your consumer: (1) subscribe to specific topics by "
      "name, (2) subscribe to topics matching a regex pattern, (3) assign itself specific topic-partitions.";
  expect_refused(ask("POST", path_of("a", "/subscription"), R"({"topics":["t"],"topic_pattern":"x"})"), 409, 40903,
                 kOneWay);
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topics":"t"})").status, 422);
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":5})").status, 422);
  expect_refused(ask("POST", path_of("a", "/subscription")), 400, 400, "Missing request JSON body");
  subscribe("a");
  pass(seconds(1));
  expect_refused(read("a", "", "*/*"), 406, 406, "HTTP 406 Not Acceptable");
  expect_refused(read("a", "?timeout=0"), 500, 50001, "timeout and max_bytes must be positive integers");
  expect_refused(read("a", "?timeout=x"), 500, 50001, "timeout and max_bytes must be positive integers");
  write_to("t", {"0"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":0,)"));
  expect(ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"t","partition":0,"offset":0}]})"), 204, "");
  EXPECT_EQ(committed("a", R"({"topic":"t","partition":0},{"topic":"t","partition":1})"),
            R"({"offsets":[{"topic":"t","partition":0,"offset":1,"metadata":""},)"
            R"({"topic":"t","partition":1,"offset":-1001,"metadata":""}]})");
  expect_refused(ask("GET", path_of("a", "/offsets")), 400, 400, "Missing request JSON body");
  write_to("t", {"no json"});
  const auto bad = read("a");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr("deserialization error for format json"));
}

TEST_F(KarapaceConsumersTest, WaitElevenSeconds) {
  make("a");
  subscribe("a");
  pass(seconds(2));
  auto waiting = begin_read("a", "?timeout=5000");
  pass(milliseconds(4'900));
  EXPECT_EQ(waiting.wait_for(seconds(0)), std::future_status::timeout);
  pass(milliseconds(100));
  expect(answer_of(std::move(waiting)), 200, "[]");
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
