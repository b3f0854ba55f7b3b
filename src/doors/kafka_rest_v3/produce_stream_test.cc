#include "doors/kafka_rest_v3/produce_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/body_stream_fixture.h"
#include "doors/kafka_rest_v3/concatenated_json.h"
#include "log/testing/memory_log.h"

namespace pinflow::doors::kafka_rest_v3 {
namespace {

using testing::HasSubstr;
using testing::Not;

class ProduceStream : public testing::Test {
 protected:
  ProduceStream() { topic_ = *log_.create_topic({"t", 3, {}}); }

  void begin() {
    http::Request request;
    if (!key_.empty()) request.headers.add("Idempotency-Key", key_);
    produce_stream({log_, clock_, "c1", topic_, *IdempotencyKey::of(request), latin1_, nullptr, limits_},
                   sent_.stream(), received_.responder());
  }
  // The whole of a request that is there at once.
  std::string ask(std::string body) {
    sent_ = {};
    received_ = {};
    if (!body.empty()) sent_.send(std::move(body));
    sent_.end();
    begin();
    auto text = received_.read();
    EXPECT_TRUE(received_.has_head());
    return text;
  }

  log::MemoryLog log_;
  log::Topic topic_;
  ManualClock clock_;
  StreamLimits limits_;
  bool latin1_ = false;
  std::string key_;
  SentBody sent_;
  ReceivedBody received_;
};

TEST_F(ProduceStream, ReportsEachRecordWhileTheRequestIsOpen) {
  begin();
  EXPECT_FALSE(received_.has_head());
  sent_.send(R"({"value":{"type":"JSON","da)");
  EXPECT_FALSE(received_.has_head());
  sent_.send(R"(ta":{"a": 1}}})");
  ASSERT_TRUE(received_.has_head());
  EXPECT_EQ(received_.head().status, 200);
  EXPECT_EQ(received_.head().headers.get("Content-Type"), "application/json");
  EXPECT_EQ(received_.read(), R"({"error_code":200,"cluster_id":"c1","topic_name":"t","partition_id":0,"offset":0,)"
                              R"("timestamp":"2023-11-14T22:13:20.000Z","value":{"type":"JSON","size":8}})"
                              "\r\n");
  sent_.send(R"({"partition_id":2,"key":{"type":"STRING","data":"k"}})");
  EXPECT_THAT(received_.read(), HasSubstr(R"("partition_id":2,"offset":0,)"));
  sent_.end();
  EXPECT_EQ(received_.read(), "");
  EXPECT_TRUE(received_.has_ended());
  EXPECT_EQ(log_.records("t", 0).at(0).value, R"({"a": 1})");
  received_.leave();
  EXPECT_TRUE(sent_.is_destroyed());
}

TEST_F(ProduceStream, TakesRecordsHoweverTheyAreCut) {
  const std::string records = R"({"value":{"type":"STRING","data":"a}\"{"}}
   {"key":{"type":"BINARY","data":"AAE="},"value":null}{"headers":[{"name":"h","value":"eA=="},{"name":"n","value":null}]}
   {"timestamp":"2021-02-05T19:14:42Z"}{} )";
  for (std::size_t size = 1; size < records.size(); size += 3) {
    log_.replace("t", {});
    sent_ = {};
    received_ = {};
    begin();
    for (std::size_t at = 0; at < records.size(); at += size) sent_.send(records.substr(at, size));
    sent_.end();
    const auto text = received_.read();
    EXPECT_EQ(std::ranges::count(text, '\n'), 5) << text;
    EXPECT_TRUE(received_.has_ended());
    const auto stored = log_.records("t", 0);
    ASSERT_EQ(stored.size(), 5u);
    EXPECT_EQ(stored[0].value, "a}\"{");
    EXPECT_EQ(stored[1].key, std::string("\0\1", 2));
    EXPECT_EQ(stored[1].value, std::nullopt);
    EXPECT_EQ(stored[2].headers, (std::vector<log::Header>{{"h", "x"}, {"n", std::nullopt}}));
    EXPECT_EQ(stored[3].timestamp, WallTime(std::chrono::milliseconds(1'612'552'482'000)));
    EXPECT_EQ(stored[4].key, std::nullopt);
  }
}

TEST_F(ProduceStream, ReportsInOrderWhateverTheLogDoes) {
  log_.hold = true;
  begin();
  sent_.send(R"({"partition_id":1}{"partition_id":-1}{"partition_id":2}{"partition_id":7}{"partition_id":2})");
  EXPECT_FALSE(received_.has_head());
  log_.release();
  log_.release();
  const auto text = received_.read();
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    found.push_back(text.substr(at, std::min<std::size_t>(end - at, 20)));
    at = end + 2;
  }
  ASSERT_EQ(found.size(), 5u);
  EXPECT_THAT(found[0], HasSubstr("200"));
  EXPECT_THAT(found[1], HasSubstr("40402"));
  EXPECT_THAT(found[2], HasSubstr("200"));
  EXPECT_THAT(found[3], HasSubstr("40402"));
  EXPECT_THAT(found[4], HasSubstr("200"));
}

TEST_F(ProduceStream, EndsWithAReportAtWhatIsNoRecord) {
  struct Case {
    const char* text;
    const char* why;
  };
  for (const Case& each :
       {Case{"[1]", "JSON object"}, Case{"x", "JSON object"}, Case{R"({"value":1})", "expected"},
        Case{R"({"key":{"type":"JSON","data":tru}})", "line 1"}, Case{R"({"valu":null})", "Unrecognized field: valu"},
        Case{R"({"value":{"type":"JSON","dat":1}})", "Unrecognized field: dat"},
        Case{R"({"value":{"type":"CSV","data":1}})", "no type CSV"}, Case{R"({"partition_id":"x"})", "partition_id"},
        Case{R"({"timestamp":5})", "ISO 8601"}, Case{R"({"headers":[{"value":"eA=="}]})", "needs a name"},
        Case{R"({"value":)", "ends within a record"}}) {
    const auto text = ask(std::string("{}") + each.text + (each.text[0] == '{' && each.text[9] == '\0' ? "" : "{}"));
    EXPECT_THAT(text, HasSubstr("\r\n{\"error_code\":400,\"message\":")) << each.text;
    EXPECT_THAT(text, HasSubstr(each.why)) << each.text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 2) << text;
    EXPECT_TRUE(received_.has_ended());
  }
}

TEST_F(ProduceStream, GoesOnAfterARecordThatCannotBeStored) {
  const auto text =
      ask(R"({"value":{"type":"BINARY","data":"?"}}{"value":{"data":1}}{"value":{"type":"AVRO","data":1}})"
          R"({"value":{"type":"STRING","data":1}}{})");
  EXPECT_EQ(std::ranges::count(text, '\n'), 5) << text;
  EXPECT_THAT(text, HasSubstr(R"({"error_code":400,"message":"Bad Request: data=? is not a base64 string."})"));
  EXPECT_THAT(text, HasSubstr(R"({"error_code":42206,"message":"Payload error. Schema Registry must be configured)"));
  EXPECT_THAT(text, HasSubstr(R"({"error_code":400,"message":"Bad Request: data=1 is not a string."})"));
  EXPECT_EQ(log_.records("t", 0).size(), 1u);
}

TEST_F(ProduceStream, TellsWhatTheLogSaysOfEachRecord) {
  struct Case {
    ErrorCode code;
    int told;
  };
  for (const Case& each :
       {Case{ErrorCode::kOverloaded, 42901}, Case{ErrorCode::kUnavailable, 50003},
        Case{ErrorCode::kUnknownOutcome, 50002}, Case{ErrorCode::kInvalid, 413}, Case{ErrorCode::kNotFound, 40403}}) {
    log_.next_outcomes = {std::nullopt, Error{each.code, "why"}};
    const auto text = ask("{}{}{}");
    EXPECT_THAT(text, HasSubstr(fmt::format("\r\n{{\"error_code\":{},\"message\":\"", each.told)));
    EXPECT_EQ(std::ranges::count(text, '\n'), 3);
  }
}

TEST_F(ProduceStream, RefusesABodyWithoutRecords) {
  for (const char* body : {"", " \r\n "}) {
    EXPECT_EQ(ask(body), "");
    EXPECT_EQ(received_.head().status, 422);
    EXPECT_EQ(received_.head().body,
              R"({"error_code":42206,"message":"Payload error. Request body is empty. Data is required."})");
  }
}

TEST_F(ProduceStream, ReadsNoFurtherThanItsBoundsWhileTheLogOrTheClientIsSlow) {
  limits_.records = 3;
  begin();
  log_.hold = true;
  for (int i = 0; i < 10; ++i) sent_.send("{}");
  EXPECT_EQ(sent_.waiting(), 7u);  // The log has three.
  log_.hold = false;
  log_.release();
  ASSERT_TRUE(received_.has_head());
  EXPECT_EQ(sent_.waiting(), 7u);  // The client reads nothing yet.
  received_.ask();
  EXPECT_LE(sent_.waiting(), 4u);
  EXPECT_GE(sent_.waiting(), 1u);
  EXPECT_EQ(std::ranges::count(received_.read(), '\n'), 10);
  EXPECT_EQ(sent_.waiting(), 0u);
  EXPECT_TRUE(sent_.is_wanted());
}

TEST_F(ProduceStream, BoundsTheTextThatWaits) {
  limits_.bytes = 30;
  begin();
  log_.hold = true;
  for (int i = 0; i < 10; ++i) sent_.send(R"({"partition_id":1})");
  EXPECT_EQ(sent_.waiting(), 8u);
  log_.release();
  log_.hold = false;
}

TEST_F(ProduceStream, RefusesARecordThatIsTooLong) {
  limits_.record = 100;
  const auto text = ask(R"({}{"value":{"type":"STRING","data":")" + std::string(100, 'x'));
  EXPECT_THAT(text, HasSubstr("longer than 100 bytes"));
  EXPECT_TRUE(received_.has_ended());
}

TEST_F(ProduceStream, StopsWhenTheClientLeaves) {
  begin();
  sent_.send("{}");
  ASSERT_TRUE(received_.has_head());
  received_.leave();
  EXPECT_TRUE(sent_.is_destroyed());

  sent_ = {};
  received_ = {};
  log_.hold = true;
  begin();
  sent_.send("{}");
  sent_.break_off();
  log_.release();
  EXPECT_THAT(received_.read(), HasSubstr("The request broke off"));
  EXPECT_TRUE(received_.has_ended());
}

TEST_F(ProduceStream, LetsGoOfTheBodyAtOnceWhenTheClientLeavesWhileItIsRead) {
  for (const bool is_there_before : {false, true}) {
    sent_ = {};
    bool destroyed = false;
    if (is_there_before) sent_.send("{}");
    produce_stream({log_, clock_, "c1", topic_, std::nullopt, false, nullptr, limits_}, sent_.stream(),
                   [&](http::Response response) {
                     response = {};  // The connection is gone.
                     destroyed = sent_.is_destroyed();
                   });
    if (!is_there_before) sent_.send("{}");
    EXPECT_TRUE(destroyed);
  }
}

TEST_F(ProduceStream, ReadsLatin1) {
  latin1_ = true;
  ask("{\"value\":{\"type\":\"STRING\",\"data\":\"\xe9\"}}");
  EXPECT_EQ(log_.records("t", 0).at(0).value, "\xc3\xa9");
}

TEST_F(ProduceStream, StoresAStreamWithAKeyOnce) {
  key_ = "5f0d";
  const std::string records =
      R"({"value":{"type":"JSON","data":1}}{"partition_id":1}{"value":{"type":"JSON","data":1}})";
  const auto first = ask(records);
  EXPECT_EQ(received_.head().headers.get("Idempotency-Replayed"), std::nullopt);
  const auto again = ask(records + "{}");
  EXPECT_EQ(received_.head().headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(std::ranges::count(first, '\n'), 3);
  EXPECT_EQ(std::ranges::count(again, '\n'), 4);
  EXPECT_THAT(again,
              testing::StartsWith(
                  R"({"error_code":200,"cluster_id":"c1","topic_name":"t","partition_id":0,"offset":0,"value")"));
  EXPECT_EQ(log_.records("t", 0).size(), 3u);
  EXPECT_EQ(log_.records("t", 1).size(), 1u);
  EXPECT_THAT(ask(R"({"value":{"type":"JSON","data":2}})"),
              HasSubstr(R"({"error_code":422,"message":"This Idempotency-Key)"));
  limits_.keyed_records = 2;
  EXPECT_THAT(ask(records), HasSubstr("may have 2 records"));
}

TEST(ConcatenatedJson, LooksAtNoByteTwice) {
  ConcatenatedJson json(1 << 20);
  std::string large = R"({"a":")" + std::string(1 << 19, '[') + R"("})";
  for (std::size_t at = 0; at < large.size(); at += 64) {
    json.add(large.substr(at, 64));
    const auto next = json.next();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->empty(), at + 64 < large.size());
  }
  EXPECT_TRUE(json.at_border());
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest_v3
