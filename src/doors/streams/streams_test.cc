#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doors/door_fixture.h"

namespace pinflow::doors::streams {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string text_between(std::string_view text, std::string_view before, std::string_view after) {
  const auto begin = text.find(before);
  if (begin == std::string_view::npos) return "";
  const auto from = begin + before.size();
  return std::string(text.substr(from, text.find(after, from) - from));
}

class StreamsTest : public DoorTest {
 protected:
  StreamsTest() { (void)log_.create_topic({"s-pin", 3, {}}); }
  void expect_fault(const http::Response& response, int status, std::string_view type, std::string_view part) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_THAT(response.body, HasSubstr(fmt::format("\"__type\":\"{}\"", type)));
    EXPECT_THAT(response.body, HasSubstr(std::string(part)));
    EXPECT_EQ(response.headers.get("x-amzn-ErrorType"), type);
    EXPECT_EQ(response.headers.get("x-amzn-RequestId").value_or("").size(), 36U);
    EXPECT_EQ(log_.produce_calls(), 0U);
  }
};

TEST_F(StreamsTest, PutsTheExactBytesOfDataUnderItsKey) {
  const auto response = ask("PUT", "/Production/streams/s-pin/record",
                            R"({"StreamName":"other","Data": {"index": 1.0, "t":"\u00e9"} ,"PartitionKey":"b"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(text_between(response.body, "\"ShardId\":\"", "\""), "shardId-000000000001");
  const auto number = text_between(response.body, "\"SequenceNumber\":\"", "\"");
  EXPECT_EQ(number.size(), 56U);
  const auto record = log_.records("s-pin", 1).at(0);
  EXPECT_EQ(record.value, R"({"index": 1.0, "t":"\u00e9"})");
  EXPECT_EQ(record.key, "b");
  EXPECT_EQ(record.timestamp, clock_.now());
}

TEST_F(StreamsTest, KeepsTheQuotesOfAStringAndTheTextOfScalars) {
  for (const auto* const data : {R"("some data")", "5", "true", "[1, 2]"}) {
    EXPECT_EQ(ask("PUT", "/streams/s-pin/record", fmt::format(R"({{"Data":{},"PartitionKey":"a"}})", data)).status,
              200);
    EXPECT_EQ(log_.records("s-pin", 0).back().value, data);
  }
  EXPECT_EQ(ask("PUT", "/streams/s-pin/record", R"({"Data":1,"PartitionKey":7})").status, 200);
}

TEST_F(StreamsTest, PutsManyRecordsEachToItsShardInOrder) {
  const auto response =
      ask("PUT", "/streams/s-pin/records",
          R"({"records":[{"data":"{\"a\": 1}","partition-key":"a"},{"data":{"b": 2},"partition-key":"b"},)"
          R"({"Data":[3],"PartitionKey":"a"},{"data":4,"partitionKey":"e"}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"({"FailedRecordCount":0,"Records":[{"SequenceNumber":")"));
  EXPECT_EQ(log_.records("s-pin", 0).at(0).value, R"({"a": 1})");
  EXPECT_EQ(log_.records("s-pin", 0).at(1).value, "[3]");
  EXPECT_EQ(log_.records("s-pin", 1).at(0).value, R"({"b": 2})");
  EXPECT_EQ(log_.records("s-pin", 2).at(0).value, "4");
}

TEST_F(StreamsTest, RefusesBodiesThatAreNotJsonAndSaysWhere) {
  for (const auto* const path : {"/streams/s-pin/record", "/streams/s-pin/records"}) {
    const auto response = ask("PUT", path, R"({"Data":})");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body,
              R"({"message":"Could not parse request body into json: a JSON value is expected at line 1, column 9"})");
    EXPECT_EQ(ask("PUT", path, "").status, 400);
    EXPECT_EQ(ask("PUT", path, "[]").status, 400);
  }
  EXPECT_EQ(log_.produce_calls(), 0U);
}

TEST_F(StreamsTest, RefusesWhatKinesisRefusesInItsWords) {
  const auto put = [&](std::string body, std::string_view path = "/streams/s-pin/record") {
    return ask("PUT", path, std::move(body));
  };
  expect_fault(put(R"({"Data":1})"), 400, "ValidationException",
               "1 validation error detected: Value '' at 'partitionKey' failed to satisfy constraint: Member must have "
               "length greater than or equal to 1");
  expect_fault(put("{}"), 400, "ValidationException",
               "2 validation errors detected: Value null at 'data' failed to satisfy constraint: Member must not be "
               "null; Value ''");
  expect_fault(put(R"({"Data":null,"PartitionKey":"a"})"), 400, "ValidationException", "Value null at 'data'");
  expect_fault(put(fmt::format(R"({{"Data":1,"PartitionKey":"{}"}})", std::string(257, 'k'))), 400,
               "ValidationException", "less than or equal to 256");
  expect_fault(put(fmt::format(R"({{"Data":"{}","PartitionKey":"k"}})", std::string(1 << 20, 'd'))), 400,
               "ValidationException", "Value 'java.nio.HeapByteBuffer[pos=0 lim=1048578 cap=1048578]' at 'data'");
  expect_fault(put(R"({"Data":1,"PartitionKey":{}})"), 400, "SerializationException",
               "Start of structure or map found where not expected.");
  expect_fault(put(R"({"Data":1,"PartitionKey":"a"})", "/streams/a b/record"), 400, "ValidationException",
               "Value 'a b' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression "
               "pattern: [a-zA-Z0-9_.-]+");
  expect_fault(put(R"({"Data":1,"PartitionKey":"a"})", "/streams/nope/record"), 400, "ResourceNotFoundException",
               "Stream nope under account 000000000000 not found.");
  expect_fault(put("{}", "/streams/s-pin/records"), 400, "ValidationException", "Value null at 'records'");
  expect_fault(put(R"({"records":[]})", "/streams/s-pin/records"), 400, "ValidationException", "'records'");
  expect_fault(put(R"({"records":[{"data":1,"partition-key":"a"},{"data":1}]})", "/streams/s-pin/records"), 400,
               "ValidationException", "Value '' at 'records.2.member.partitionKey'");
  std::string many = R"({"records":[)";
  for (int i = 0; i < 501; ++i) many += fmt::format(R"({}{{"data":1,"partition-key":"a"}})", i == 0 ? "" : ",");
  expect_fault(put(many + "]}", "/streams/s-pin/records"), 400, "ValidationException", "less than or equal to 500");
}

TEST_F(StreamsTest, NeverSays200WhenNothingIsStored) {
  const auto put = [&](ErrorCode code) {
    log_.next_outcomes = {Error{code, "why"}};
    return ask("PUT", "/streams/s-pin/record", R"({"Data":1,"PartitionKey":"a"})");
  };
  const auto over = put(ErrorCode::kOverloaded);
  EXPECT_EQ(over.status, 400);
  EXPECT_EQ(
      over.body,
      R"({"__type":"ProvisionedThroughputExceededException","message":"Rate exceeded for shard shardId-000000000000 in stream s-pin under account 000000000000."})");
  EXPECT_EQ(put(ErrorCode::kUnavailable).status, 503);
  EXPECT_EQ(put(ErrorCode::kUnknownOutcome).status, 500);
  log_.next_outcomes = {Error{ErrorCode::kOverloaded, "x"}, Error{ErrorCode::kUnavailable, "y"}};
  EXPECT_EQ(ask("PUT", "/streams/s-pin/records",
                R"({"records":[{"data":1,"partition-key":"a"},{"data":1,"partition-key":"b"}]})")
                .status,
            503);
}

TEST_F(StreamsTest, TellsOfEachRecordWhenSomeAreStored) {
  log_.next_outcomes = {std::nullopt, Error{ErrorCode::kOverloaded, "x"}};
  const auto response = ask("PUT", "/streams/s-pin/records",
                            R"({"records":[{"data":1,"partition-key":"a"},{"data":1,"partition-key":"b"}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("FailedRecordCount":1)"));
  EXPECT_THAT(
      response.body,
      HasSubstr(
          R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000001)"));
}

TEST_F(StreamsTest, CreatesListsDescribesAndDeletes) {
  const auto created = ask("POST", "/streams/new", R"({"ShardCount": 2})");
  EXPECT_EQ(created.status, 200);
  EXPECT_EQ(created.body, "");
  EXPECT_EQ(ask("POST", "/streams/five").status, 200);
  EXPECT_EQ(log_.topic("five")->partitions, 5);
  const auto again = ask("POST", "/streams/new", "{}");
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body,
            R"({"__type":"ResourceInUseException","message":"Stream new under account 000000000000 already exists."})");
  expect_fault(ask("POST", "/streams/x", R"({"ShardCount":0})"), 400, "ValidationException", "'shardCount'");
  expect_fault(
      ask("POST", "/streams/x", R"({"ShardCount":501})"), 400, "LimitExceededException",
      "This request would exceed the shard limit for the account 000000000000 in us-east-1. Current shard count "
      "for the account: 7. Limit: 500.");
  expect_fault(ask("POST", "/streams/x", R"({"ShardCount":"2"})"), 400, "SerializationException", "ShardCount");
  EXPECT_THAT(ask("GET", "/streams").body,
              HasSubstr(R"({"StreamNames":["five","new","s-pin"],"HasMoreStreams":false,)"));
  const auto described = ask("GET", "/streams/new").body;
  EXPECT_THAT(described, HasSubstr(R"("StreamCreationTimestamp":1700000000.000)"));
  EXPECT_THAT(
      described,
      HasSubstr(
          R"({"ShardId":"shardId-000000000001","HashKeyRange":{"StartingHashKey":"170141183460469231731687303715884105728","EndingHashKey":"340282366920938463463374607431768211455"})"));
  EXPECT_EQ(ask("DELETE", "/streams/new").status, 200);
  expect_fault(ask("DELETE", "/streams/new"), 400, "ResourceNotFoundException", "Stream new under");
  expect_fault(ask("GET", "/streams/new"), 400, "ResourceNotFoundException", "Stream new under");
}

TEST_F(StreamsTest, ReadsBackWhatWasPutWithTheSameSequenceNumbers) {
  std::vector<std::string> numbers;
  for (int i = 0; i < 3; ++i) {
    clock_.advance(1500ms);
    numbers.push_back(
        text_between(ask("PUT", "/streams/s-pin/record", fmt::format(R"({{"Data":{},"PartitionKey":"a"}})", i)).body,
                     "\"SequenceNumber\":\"", "\""));
  }
  EXPECT_LT(numbers[0], numbers[1]);
  EXPECT_LT(numbers[1], numbers[2]);
  EXPECT_LT(text_between(ask("GET", "/streams/s-pin").body, "\"StartingSequenceNumber\":\"", "\""), numbers[0]);
  const auto iterator =
      text_between(ask("GET", "/streams/s-pin/sharditerator?shard-id=shardId-000000000000").body, ":\"", "\"");
  const auto read = ask("GET", "/streams/s-pin/records", "", {{"Shard-Iterator", iterator}});
  EXPECT_EQ(read.status, 200) << read.body;
  EXPECT_THAT(
      read.body,
      HasSubstr(fmt::format(
          R"({{"SequenceNumber":"{}","ApproximateArrivalTimestamp":1700000001.500,"Data":"MA==","PartitionKey":"a"}})",
          numbers[0])));
  EXPECT_THAT(read.body, HasSubstr(numbers[2]));
  EXPECT_THAT(read.body, HasSubstr(R"("MillisBehindLatest":0)"));
  const auto next = text_between(read.body, "\"NextShardIterator\":\"", "\"");
  EXPECT_THAT(ask("GET", "/streams/s-pin/records", "", {{"Shard-Iterator", next}}).body,
              HasSubstr(R"({"Records":[],)"));
}

TEST_F(StreamsTest, RefusesIteratorsThatAreNotGoodAnyMore) {
  const auto get = [&](std::string iterator) {
    return ask("GET", "/streams/s-pin/records", "", {{"Shard-Iterator", std::move(iterator)}});
  };
  const auto iterator = text_between(ask("GET", "/streams/s-pin/sharditerator?shard-id=0").body, ":\"", "\"");
  expect_fault(get("garbage"), 400, "InvalidArgumentException", "Invalid ShardIterator.");
  expect_fault(ask("GET", "/streams/s-pin/records"), 400, "ValidationException", "Value null at 'shardIterator'");
  expect_fault(ask("GET", "/streams/s-pin/sharditerator"), 400, "ValidationException", "Value null at 'shardId'");
  expect_fault(ask("GET", "/streams/s-pin/sharditerator?shard-id=5"), 400, "ResourceNotFoundException",
               "Shard shardId-000000000005 in stream s-pin under account 000000000000 does not exist");
  expect_fault(ask("GET", "/streams/s-pin/sharditerator?shard-id=x"), 400, "ResourceNotFoundException",
               "Could not find shard x in stream");
  EXPECT_EQ(get("\"" + iterator + "\"").status, 200);
  clock_.advance(301s);
  expect_fault(get(iterator), 400, "ExpiredIteratorException", "Iterator expired.");
  const auto fresh = text_between(ask("GET", "/streams/s-pin/sharditerator?shard-id=0").body, ":\"", "\"");
  ask("DELETE", "/streams/s-pin");
  ask("POST", "/streams/s-pin");
  expect_fault(get(fresh), 400, "ResourceNotFoundException", "does not exist");
}

TEST_F(StreamsTest, TakesKeysOfAnyScalarAndWithAnyLetters) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"7", "7"}, {"true", "true"}, {R"("a\"b\\c")", R"(a"b\c)"}, {R"("\u00e9")", "\xc3\xa9"}, {"1.50", "1.50"}};
  for (const auto& [sent, stored] : rows) {
    const auto response = ask("PUT", "/streams/s-pin/record", fmt::format(R"({{"Data":1,"PartitionKey":{}}})", sent),
                              {{"Content-Type", "text/plain"}});
    EXPECT_EQ(response.status, 200) << response.body;
    const auto shard = text_between(response.body, "\"ShardId\":\"shardId-00000000000", "\"");
    EXPECT_EQ(log_.records("s-pin", std::stoi(shard)).back().key, stored) << sent;
  }
}

TEST_F(StreamsTest, HoldsNamesAndKeysToTheirLengths) {
  const auto put = [&](std::string_view stream, std::size_t key) {
    return ask("PUT", fmt::format("/streams/{}/record", stream),
               fmt::format(R"({{"Data":1,"PartitionKey":"{}"}})", std::string(key, 'k')));
  };
  expect_fault(put(std::string(129, 's'), 1), 400, "ValidationException",
               "at 'streamName' failed to satisfy constraint: Member must have length less than or equal to 128");
  expect_fault(put(std::string(128, 's'), 1), 400, "ResourceNotFoundException", "not found.");
  expect_fault(ask("GET", fmt::format("/streams/s-pin/sharditerator?shard-id={}", std::string(129, '0'))), 400,
               "ValidationException", "at 'shardId'");
  EXPECT_EQ(put("s-pin", 256).status, 200);
}

TEST_F(StreamsTest, RefusesARecordWithoutDataAmongMany) {
  for (const auto* const entry : {R"({"partition-key":"a"})", R"({"data":null,"partition-key":"a"})"}) {
    expect_fault(ask("PUT", "/streams/s-pin/records",
                     fmt::format(R"({{"records":[{{"data":1,"partition-key":"a"}},{}]}})", entry)),
                 400, "ValidationException",
                 "1 validation error detected: Value null at 'records.2.member.data' failed to satisfy constraint: "
                 "Member must not be null");
  }
  expect_fault(ask("PUT", "/streams/s-pin/records", R"({"records":[{"data":1,"partition-key":[]}]})"), 400,
               "SerializationException", "Start of list found where not expected");
}

TEST_F(StreamsTest, ServesEveryRouteBelowAStageWithTheIdsOfAGateway) {
  struct Row {
    std::string method;
    std::string_view path;
    std::string body;
  };
  const auto iterator = text_between(ask("GET", "/streams/s-pin/sharditerator?shard-id=0").body, ":\"", "\"");
  std::set<std::string> ids;
  for (const Row& row : {Row{"GET", "/streams", ""}, Row{"GET", "/streams/s-pin", ""}, Row{"POST", "/streams/new", ""},
                         Row{"PUT", "/streams/s-pin/record", R"({"Data":1,"PartitionKey":"a"})"},
                         Row{"PUT", "/streams/s-pin/records", R"({"records":[{"data":1,"partition-key":"a"}]})"},
                         Row{"GET", "/streams/s-pin/sharditerator?shard-id=shardId-000000000000", ""},
                         Row{"GET", "/streams/s-pin/records", ""}, Row{"DELETE", "/streams/new", ""}}) {
    const auto response =
        ask(row.method, fmt::format("/Production{}", row.path), row.body, {{"Shard-Iterator", iterator}});
    EXPECT_EQ(response.status, 200) << row.method << row.path << response.body;
    EXPECT_EQ(response.headers.get("Content-Type"), "application/json") << row.path;
    EXPECT_EQ(response.headers.get("x-amzn-RequestId").value_or("").size(), 36U);
    EXPECT_EQ(response.headers.get("x-amz-apigw-id").value_or("").size(), 16U);
    EXPECT_EQ(response.headers.get("x-amzn-ErrorType"), std::nullopt);
    ids.emplace(response.headers.get("x-amz-apigw-id").value_or(""));
  }
  EXPECT_EQ(ids.size(), 8U);
}

TEST_F(StreamsTest, NamesTheFaultOfEveryRouteOfAStreamThatCannotBe) {
  struct Row {
    std::string method;
    std::string_view path;
    std::string body;
  };
  for (const auto& [name, type] :
       {std::pair("none", "ResourceNotFoundException"), std::pair("a b", "ValidationException")}) {
    for (const Row& row : {Row{"GET", "", ""}, Row{"DELETE", "", ""}, Row{"GET", "/sharditerator?shard-id=0", ""},
                           Row{"PUT", "/record", R"({"Data":1,"PartitionKey":"a"})"},
                           Row{"PUT", "/records", R"({"records":[{"data":1,"partition-key":"a"}]})"}})
      expect_fault(ask(row.method, fmt::format("/streams/{}{}", name, row.path), row.body), 400, type, name);
  }
}

TEST_F(StreamsTest, AnswersUnknownRoutesAsAGatewayDoes) {
  for (const auto& response : {ask("GET", "/streams/s-pin/nothing"), ask("PATCH", "/streams/s-pin"),
                               ask("POST", "/stage/streams/s-pin/record")}) {
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, R"({"message":"Missing Authentication Token"})");
    EXPECT_EQ(response.headers.get("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
  }
}

class GatewayStatusTest : public StreamsTest {
 protected:
  http::Response ask_gateway(std::string method, std::string_view path, std::string body = "") {
    std::promise<http::Response> promise;
    auto future = promise.get_future();
    router_.handle(
        request(std::move(method), path, std::move(body), {}),
        [promise = std::move(promise)](http::Response response) mutable { promise.set_value(std::move(response)); });
    return future.get();
  }
  http::Router router_;
  StreamsDoor door_{doors_.kinesis(), Random(2), {.apigw_status = true}};
};

TEST_F(GatewayStatusTest, HidesErrorsOfKinesisWhereItIsToldTo) {
  door_.add_routes(router_);
  const auto missing = ask_gateway("GET", "/streams/nope");
  EXPECT_EQ(missing.status, 200);
  EXPECT_THAT(missing.body, HasSubstr("ResourceNotFoundException"));
  EXPECT_EQ(missing.headers.get("x-amzn-ErrorType"), "ResourceNotFoundException");
  EXPECT_EQ(ask_gateway("DELETE", "/streams/nope").status, 400);
  EXPECT_EQ(ask_gateway("PATCH", "/streams/nope").status, 403);
  EXPECT_EQ(ask_gateway("PUT", "/streams/s-pin/record", "{").status, 400);
}

// Answers every call with the same fault.
class FailingOperations final : public kinesis::Operations {
 public:
  void run(kinesis::Call, kinesis::AnswerDone done) override { done(std::unexpected(fault)); }
  kinesis::Fault fault;
};

TEST_F(GatewayStatusTest, RoundsTheStatusOfADelete) {
  FailingOperations failing;
  StreamsDoor door(failing, Random(2), {.apigw_status = true});
  door.add_routes(router_);
  for (const auto& [type, status, rounded] :
       {std::tuple("ResourceNotFoundException", 400, 400), std::tuple("AccessDeniedException", 403, 400),
        std::tuple("InternalFailure", 500, 500), std::tuple("ServiceUnavailable", 503, 500)}) {
    failing.fault = {type, "why", status};
    EXPECT_EQ(ask_gateway("DELETE", "/streams/s-pin").status, rounded) << type;
    const auto hidden = ask_gateway("GET", "/streams/s-pin");
    EXPECT_EQ(hidden.status, 200) << type;
    EXPECT_EQ(hidden.body, fmt::format(R"({{"__type":"{}","message":"why"}})", type));
    EXPECT_EQ(hidden.headers.get("x-amzn-ErrorType"), type);
  }
}

}  // namespace
}  // namespace pinflow::doors::streams
