#include "doors/kafka_rest/consumers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/base_uri.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kNoInstance = "Consumer instance not found.";

class ConsumersTest : public ConsumersFixture {
 protected:
  ConsumersTest() {
    open();
    create("t", 2);
  }
  static constexpr std::string_view kManual =
      R"("format":"json","auto.offset.reset":"earliest","auto.commit.enable":"false")";
};

class KarapaceConsumersTest : public ConsumersFixture {
 protected:
  KarapaceConsumersTest() {
    open(Profile::kKarapace);
    create("t", 2);
  }
};

// ---- Making and ending instances.

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

// ---- What they read.

TEST_F(ConsumersTest, SubscribeToTopics) {
  make("a");
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":[]})");
  EXPECT_EQ(subscribe("a", R"("t","later")").status, 204);
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t","later"]})");
  pass(seconds(1));
  expect(ask("GET", path_of("a", "/assignments")), 200,
         R"({"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1}]})");
  create("later");
  pass(seconds(2));
  EXPECT_EQ(
      assignments("a"),
      R"({"partitions":[{"topic":"later","partition":0},{"topic":"t","partition":0},{"topic":"t","partition":1}]})");
  expect(ask("DELETE", path_of("a", "/subscription")), 204, "");
  EXPECT_EQ(assignments("a"), R"({"partitions":[]})");
  EXPECT_TRUE(coordinator_->describe("g").members.empty());
}

TEST_F(ConsumersTest, GetPartitionsThatAreAdded) {
  join("a");
  ASSERT_TRUE(log_->add_partitions("t", 3));
  pass(seconds(2));
  EXPECT_EQ(assignments("a"),
            R"({"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":1},{"topic":"t","partition":2}]})");
}

TEST_F(ConsumersTest, FollowAPattern) {
  make("a");
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"t[0-9]*"})").status, 204);
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t"]})");
  create("t7");
  create("xt7");
  pass(seconds(3));
  expect(ask("GET", path_of("a", "/subscription")), 200, R"({"topics":["t","t7"]})");
  write_to("t7", {"1"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("topic":"t7")"));
  const auto bad = ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"(a"})");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr("missing ): (a"));
  EXPECT_EQ(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"(a)\\1"})").status, 422);
}

TEST_F(ConsumersTest, ChooseOneWay) {
  constexpr std::string_view kOneWay =
      "Illegal state: Subscription to topics, partitions and pattern are mutually exclusive";
  make("a");
  subscribe("a");
  expect_refused(ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"t","partition":0}]})"), 409,
                 40903, kOneWay);
  expect_refused(ask("POST", path_of("a", "/subscription"), R"({"topic_pattern":"t"})"), 409, 40903, kOneWay);
  make("b");
  EXPECT_EQ(ask("POST", path_of("b", "/assignments"), R"({"partitions":[{"topic":"t","partition":1}]})").status, 204);
  EXPECT_EQ(assignments("b"), R"({"partitions":[{"topic":"t","partition":1}]})");
  expect_refused(subscribe("b"), 409, 40903, kOneWay);
  make("c");
  EXPECT_EQ(ask("POST", path_of("c", "/subscription"), R"({"topics":["t"],"topic_pattern":"x"})").status, 204);
  EXPECT_EQ(ask("GET", path_of("c", "/subscription")).body, R"({"topics":["t"]})");
}

TEST_F(ConsumersTest, RefuseBodiesThatSayNothing) {
  make("a");
  const auto refused = [&](std::string_view below, std::string body) {
    return ask("POST", path_of("a", below), std::move(body));
  };
  for (const auto* const below :
       {"/subscription", "/assignments", "/positions", "/positions/beginning", "/positions/end"}) {
    expect_refused(refused(below, ""), 422, 422, "Null input provided. Data is required.");
  }
  EXPECT_EQ(refused("/subscription", "{}").status, 422);
  EXPECT_EQ(refused("/assignments", "{}").status, 422);
  EXPECT_EQ(refused("/positions", "{}").status, 422);
  EXPECT_EQ(refused("/positions", R"({"offsets":[{"topic":"t","partition":0}]})").status, 422);
  EXPECT_EQ(refused("/positions", R"({"offsets":[{"topic":"t","partition":0,"offset":-1}]})").status, 422);
  EXPECT_EQ(refused("/positions", R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"noon"}]})").status, 422);
  EXPECT_EQ(refused("/assignments", R"({"partitions":[{"topic":"t"}]})").status, 422);
  EXPECT_EQ(refused("/assignments", R"({"partitions":[{"topic":"t","partition":"0"}]})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topics":"t"})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topic_pattern":5})").status, 400);
  EXPECT_EQ(refused("/subscription", R"({"topics":["a b"]})").body.substr(0, 20), R"({"error_code":40002,)");
  expect_refused(refused("/positions/end", R"({"partitions":[{"topic":"t","partition":0}]})"), 409, 40903,
                 "Illegal state: No current assignment for partition t-0");
  expect_refused(read("a"), 409, 40903,
                 "Illegal state: Consumer is not subscribed to any topics or assigned any partitions");
}

// ---- Groups.

TEST_F(ConsumersTest, OfAGroupShareThePartitions) {
  join("a");
  EXPECT_THAT(assignments("a"), HasSubstr(R"("partition":1)"));
  join("b");
  pass(seconds(2));
  EXPECT_EQ(assignments("a").size(), assignments("b").size());
  EXPECT_NE(assignments("a"), assignments("b"));
  write_to("t", {"0"}, 0);
  write_to("t", {"1"}, 1);
  const auto first = read("a").body;
  const auto second = read("b").body;
  EXPECT_EQ(std::ranges::count(first + second, '{'), 2);
  EXPECT_NE(first, second);
}

TEST_F(ConsumersTest, TakeOverFromOneThatDies) {
  join("a", kManual);
  join("b", kManual);
  pass(seconds(2));
  write_to("t", {"0"}, 0);
  write_to("t", {"1"}, 1);
  EXPECT_EQ(std::ranges::count(read("a").body, '{'), 1);
  EXPECT_EQ(ask("DELETE", path_of("a")).status, 204);
  pass(seconds(2));
  // What the other had read and not committed comes again.
  std::string all = read("b").body;
  all += read_nothing("b");
  EXPECT_THAT(all, HasSubstr(R"("value":0,)"));
  EXPECT_THAT(all, HasSubstr(R"("value":1,)"));
}

TEST_F(ConsumersTest, KeepAReadWaitingThroughARebalance) {
  join("a", R"("format":"json","auto.offset.reset":"earliest","consumer.request.timeout.ms":20000)");
  auto waiting = begin_read("a");
  join("b");
  pass(seconds(2));
  EXPECT_EQ(waiting.wait_for(seconds(0)), std::future_status::timeout);
  const bool first = assignments("a").find(R"("partition":0)") != std::string::npos;
  write_to("t", {"7"}, first ? 0 : 1);
  EXPECT_THAT(answer_of(std::move(waiting)).body, HasSubstr(R"("value":7,)"));
}

TEST_F(ConsumersTest, GoOnAfterTheGroupThrewThemOut) {
  join("a", kManual);
  const auto member = coordinator_->describe("g").members.at(0).member_id;
  EXPECT_EQ(coordinator_->leave({"g", {{member, std::nullopt}}}).error, groups::GroupError::kNone);
  const auto fenced = ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"t","partition":0,"offset":4}]})");
  EXPECT_EQ(fenced.status, 500);
  EXPECT_THAT(fenced.body, StartsWith(R"({"error_code":50002,"message":"Kafka error: The group has gone on)"));
  pass(seconds(3));
  write_to("t", {"5"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":5,)"));
}

TEST_F(ConsumersTest, LeaveTheirGroupsWhenTheDoorCloses) {
  join("a");
  EXPECT_EQ(coordinator_->describe("g").members.size(), 1U);
  consumers_.reset();
  EXPECT_TRUE(coordinator_->describe("g").members.empty());
}

// ---- Reading.

TEST_F(ConsumersTest, GiveJsonRecordsAsTheyAre) {
  join("a");
  auto record = text(R"( {"x": 1.0,"x":"\u00e9"} )");
  record.key = "\"k\"";
  record.timestamp = WallTime(milliseconds(1'700'000'000'123));
  record.headers = {{"h", "v"}, {"none", std::nullopt}};
  produce("t", {record, {std::nullopt, std::nullopt, {}, record.timestamp}});
  const auto answer = read("a");
  expect(
      answer, 200,
      R"([{"topic":"t","key":"k","value":{"x": 1.0,"x":"\u00e9"},"partition":0,"offset":0,"timestamp":1700000000123,)"
      R"("headers":[{"key":"h","value":"dg=="},{"key":"none","value":null}]},)"
      R"({"topic":"t","key":null,"value":null,"partition":0,"offset":1,"timestamp":1700000000123}])");
  EXPECT_EQ(answer.headers.get("Content-Type"), kJsonType);
  EXPECT_EQ(read_nothing("a"), "[]");
}

TEST_F(ConsumersTest, GiveBinaryRecordsInBase64) {
  join("a", R"("auto.offset.reset":"earliest")");
  auto record = text(std::string("\0\xff", 2));
  record.key = "";
  record.timestamp = WallTime(milliseconds(5));
  produce("t", {record});
  const auto answer = read("a", "", "");
  expect(answer, 200, R"([{"topic":"t","key":"","value":"AP8=","partition":0,"offset":0,"timestamp":5}])");
  EXPECT_EQ(answer.headers.get("Content-Type"), kBinaryType);
}

TEST_F(ConsumersTest, AreAskedForTheirFormat) {
  join("a");
  expect_refused(read("a", "", "*/*"), 406, 40601,
                 "The requested embedded data format does not match the deserializer for this consumer instance");
  expect_refused(read("a", "", kBinaryType), 406, 40601,
                 "The requested embedded data format does not match the deserializer for this consumer instance");
  expect_refused(read("a", "", "application/json"), 406, 406, "HTTP 406 Not Acceptable");
}

TEST_F(ConsumersTest, AnswerAsSoonAsThereIsARecord) {
  join("a");
  auto waiting = begin_read("a", "?timeout=900");
  EXPECT_EQ(waiting.wait_for(seconds(0)), std::future_status::timeout);
  write_to("t", {"1"}, 1);  // No time passes.
  EXPECT_THAT(answer_of(std::move(waiting)).body, HasSubstr(R"("value":1,)"));
}

TEST_F(ConsumersTest, WaitAsLongAsAskedAtMostAsTheyAreMadeFor) {
  join("a");
  const auto waits = [&](std::string_view query) {
    auto waiting = begin_read("a", query);
    int steps = 0;
    while (waiting.wait_for(seconds(0)) != std::future_status::ready && steps < 100) {
      pass(milliseconds(100));
      ++steps;
    }
    expect(waiting.get(), 200, "[]");
    return steps;
  };
  EXPECT_EQ(waits("?timeout=300"), 3);
  EXPECT_EQ(waits("?timeout=5000"), 10);
  EXPECT_EQ(waits("?timeout=0"), 10);
  EXPECT_EQ(waits(""), 10);
  expect_refused(read("a", "?timeout=x"), 404, 404, "HTTP 404 Not Found");
  expect_refused(read("a", "?max_bytes=1k"), 404, 404, "HTTP 404 Not Found");
}

TEST_F(ConsumersTest, KeepWithinMaxBytesButForTheFirstRecord) {
  join("a");
  write_to("t", {"1234567890", "123", "45", "6"});
  const auto offsets = [&](std::string_view query) {
    const auto body = read("a", query).body;
    std::string found;
    for (std::size_t at = 0; (at = body.find("\"offset\":", at)) != std::string::npos; ++at) found += body[at + 9];
    return found;
  };
  EXPECT_EQ(offsets("?max_bytes=4"), "0");
  EXPECT_EQ(offsets("?max_bytes=5"), "12");
  EXPECT_EQ(offsets("?max_bytes=5&timeout=100"), "3");
}

TEST_F(ConsumersTest, WaitForTheLeastBytesThatTheyWant) {
  join("a", R"("format":"json","auto.offset.reset":"earliest","fetch.min.bytes":6)");
  write_to("t", {"111"});
  auto waiting = begin_read("a");
  EXPECT_EQ(waiting.wait_for(seconds(0)), std::future_status::timeout);
  write_to("t", {"222"}, 1);
  const auto both = answer_of(std::move(waiting)).body;
  EXPECT_THAT(both, HasSubstr(R"("value":111,)"));
  EXPECT_THAT(both, HasSubstr(R"("value":222,)"));
  write_to("t", {"3"});
  waiting = begin_read("a");
  pass(milliseconds(1'100));
  EXPECT_THAT(answer_of(std::move(waiting)).body, HasSubstr(R"("value":3,)"));
}

TEST_F(ConsumersTest, StopAtARecordThatIsNoJsonUntilSentBehindIt) {
  join("a");
  write_to("t", {"1", "oops", "3"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":1,)"));
  for (int i = 0; i < 2; ++i) {
    const auto refused = read("a");
    EXPECT_EQ(refused.status, 408);
    EXPECT_THAT(
        refused.body,
        StartsWith(R"({"error_code":40801,"message":"deserialization error for format json: value: a JSON value)"));
    EXPECT_THAT(refused.body, HasSubstr("at topic t, partition 0, offset 1. To go on behind it"));
  }
  EXPECT_EQ(ask("POST", path_of("a", "/positions"), R"({"offsets":[{"topic":"t","partition":0,"offset":2}]})").status,
            204);
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":3,)"));
}

TEST_F(ConsumersTest, GiveUpAReadWhoseClientLeft) {
  join("a");
  std::stop_source client;
  abandoned_ = client.get_token();
  auto waiting = begin_read("a");
  abandoned_ = {};
  client.request_stop();
  settle();
  EXPECT_THROW(waiting.get(), std::future_error);  // Its responder was dropped.
  write_to("t", {"1"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":1,)"));
}

TEST_F(ConsumersTest, EndTheReadThatWaitsWhenANewOneComes) {
  join("a");
  auto first = begin_read("a");
  auto second = begin_read("a");
  expect(answer_of(std::move(first)), 200, "[]");
  write_to("t", {"1"});
  EXPECT_THAT(answer_of(std::move(second)).body, HasSubstr(R"("value":1,)"));
}

TEST_F(ConsumersTest, EndTheReadThatWaitsWithTheInstance) {
  join("a");
  auto waiting = begin_read("a");
  EXPECT_EQ(ask("DELETE", path_of("a")).status, 204);
  expect_refused(answer_of(std::move(waiting)), 404, 40403, kNoInstance);
}

// ---- Positions.

TEST_F(ConsumersTest, BeginAtTheEndUnlessTold) {
  write_to("t", {"old"});
  make("a", R"("format":"json")");
  subscribe("a");
  pass(seconds(1));
  write_to("t", {"1"});
  EXPECT_THAT(read("a").body, HasSubstr(R"("offset":1,)"));
}

TEST_F(ConsumersTest, WithoutAResetNeedAPosition) {
  join("a", R"("format":"json","auto.offset.reset":"none")");
  const auto refused = read("a");
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body,
              StartsWith(R"({"error_code":50002,"message":"Kafka error: Undefined offset with no reset)"));
}

TEST_F(ConsumersTest, SeekToOffsetsEdgesAndTimes) {
  join("a");
  for (int i = 0; i < 4; ++i) {
    auto record = text(std::to_string(i));
    record.timestamp = WallTime(milliseconds(1'700'000'000'000 + i * 1'000));
    produce("t", {record});
  }
  EXPECT_EQ(std::ranges::count(read("a").body, '{'), 4);
  const auto seek = [&](std::string_view below, std::string body) {
    EXPECT_EQ(ask("POST", path_of("a", below), std::move(body)).status, 204);
    return read("a").body;
  };
  EXPECT_THAT(seek("/positions", R"({"offsets":[{"topic":"t","partition":0,"offset":2,"metadata":"m"}]})"),
              StartsWith(R"([{"topic":"t","key":null,"value":2,)"));
  EXPECT_THAT(seek("/positions/beginning", R"({"partitions":[{"topic":"t","partition":0}]})"),
              StartsWith(R"([{"topic":"t","key":null,"value":0,)"));
  EXPECT_THAT(
      seek("/positions", R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"2023-11-14T23:13:22.5+01:00"}]})"),
      StartsWith(R"([{"topic":"t","key":null,"value":3,)"));
  EXPECT_EQ(ask("POST", path_of("a", "/positions/beginning"), R"({"partitions":[]})").status, 204);
  EXPECT_EQ(ask("POST", path_of("a", "/positions/end"), R"({"partitions":[{"topic":"t","partition":0}]})").status, 204);
  EXPECT_EQ(read_nothing("a"), "[]");
  // Behind all records: what comes next.
  EXPECT_EQ(ask("POST", path_of("a", "/positions"),
                R"({"timestamps":[{"topic":"t","partition":0,"timestamp":"2033-01-01T00:00:00Z"}]})")
                .status,
            204);
  write_to("t", {"4"});
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":4,)"));
  expect_refused(ask("POST", path_of("a", "/positions"), R"({"offsets":[{"topic":"t","partition":5,"offset":2}]})"),
                 409, 40903, "Illegal state: No current assignment for partition t-5");
}

TEST_F(ConsumersTest, SeekWhileTheyJoin) {
  make("a");
  subscribe("a");
  auto seeking = send("POST", path_of("a", "/positions"), R"({"offsets":[{"topic":"t","partition":0,"offset":1}]})");
  settle();
  EXPECT_EQ(seeking.wait_for(seconds(0)), std::future_status::timeout);
  pass(seconds(1));
  EXPECT_EQ(answer_of(std::move(seeking)).status, 204);
  write_to("t", {"0", "1"});
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":1,)"));
}

TEST_F(ConsumersTest, ResetAPositionThatRetentionTook) {
  write_to("t", {"0", "1", "2"});
  join("a");
  ASSERT_TRUE(log_->delete_records({"t", log::PartitionId(0)}, log::Offset(2)));
  EXPECT_THAT(read("a").body, StartsWith(R"([{"topic":"t","key":null,"value":2,)"));
}

// ---- Commits.

TEST_F(ConsumersTest, CommitTheLastProcessedOffset) {
  join("a", kManual);
  write_to("t", {"0", "1", "2"});
  read("a");
  EXPECT_EQ(committed("a"), R"({"offsets":[]})");
  expect(ask("POST", path_of("a", "/offsets"),
             R"({"offsets":[{"topic":"t","partition":0,"offset":0,"metadata":"mine"}]})"),
         200, "[]");
  EXPECT_EQ(committed("a", R"({"topic":"t","partition":0},{"topic":"t","partition":1})"),
            R"({"offsets":[{"topic":"t","partition":0,"offset":1,"metadata":"mine"}]})");
  ask("DELETE", path_of("a"));
  join("b", kManual);
  EXPECT_THAT(read("b").body, StartsWith(R"([{"topic":"t","key":null,"value":1,)"));
}

TEST_F(ConsumersTest, CommitAllThatWasReadWithoutABody) {
  join("a", kManual);
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");  // Nothing was read: no failure.
  write_to("t", {"0", "1"});
  read("a");
  write_to("t", {"2"});
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":2,)"));
  read("a");
  expect(ask("POST", path_of("a", "/offsets?async")), 200, "[]");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":3,)"));
}

TEST_F(ConsumersTest, SayWhichCommitsCannotBe) {
  join("a", kManual);
  expect_refused(ask("POST", path_of("a", "/offsets"), R"({"offsets":[{"topic":"t","partition":9,"offset":0}]})"), 404,
                 40403, "This server does not host this topic-partition.");
  expect_refused(ask("GET", path_of("a", "/offsets")), 404, 40402, "Partition not found.");
}

TEST_F(ConsumersTest, CommitByThemselvesWhatTheyReadBefore) {
  join("a");
  write_to("t", {"0"});
  read("a");
  pass(seconds(6));
  EXPECT_EQ(committed("a"), R"({"offsets":[]})");  // Whether it was processed shows when the next is asked for.
  write_to("t", {"1"});
  read("a");
  settle();
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":1,)"));
  ask("DELETE", path_of("a"));
  settle();
  make("b");
  EXPECT_THAT(committed("b"), HasSubstr(R"("offset":2,)"));
}

TEST_F(ConsumersTest, CommitWhatIsProcessedWhenPartitionsAreTakenAway) {
  join("a");
  write_to("t", {"0"});
  read("a");
  write_to("t", {"1"});
  read("a");
  join("b");
  pass(seconds(2));
  EXPECT_THAT(committed("a"), HasSubstr(R"("offset":1,)"));
}

TEST_F(ConsumersTest, NeverCommitByThemselvesWhenTold) {
  join("a", kManual);
  write_to("t", {"0"});
  read("a");
  pass(seconds(6));
  write_to("t", {"1"});
  read("a");
  ask("DELETE", path_of("a"));
  settle();
  make("b");
  EXPECT_EQ(committed("b"), R"({"offsets":[]})");
}

TEST_F(ConsumersTest, WithAnAssignmentCommitBesideNoGroup) {
  make("a", kManual);
  ask("POST", path_of("a", "/assignments"), R"({"partitions":[{"topic":"t","partition":1}]})");
  write_to("t", {"7"}, 1);
  EXPECT_THAT(read("a").body, HasSubstr(R"("value":7,)"));
  expect(ask("POST", path_of("a", "/offsets")), 200, "[]");
  EXPECT_THAT(committed("a", R"({"topic":"t","partition":1})"), HasSubstr(R"("offset":1,)"));
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
