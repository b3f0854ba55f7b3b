#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/kafka_rest/consumers.h"
#include "doors/kafka_rest/consumers_fixture.h"

namespace pinflow::doors::kafka_rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kNoInstance = "Consumer instance not found.";

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

}  // namespace
}  // namespace pinflow::doors::kafka_rest
