#include "doors/kinesis/kinesis_door.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/uuid.h"

namespace pinflow::doors::kinesis {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kJson = "application/x-amz-json-1.1";
constexpr std::string_view kCbor = "application/x-amz-cbor-1.1";
constexpr std::string_view kAuthorization =
    "AWS4-HMAC-SHA256 Credential=123456789012/20261122/eu-west-1/kinesis/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0123456789abcdef";

// Keeps each call and answers it as the test says.
class FakeOperations final : public Operations {
 public:
  void run(Call call, AnswerDone done) override {
    calls.push_back(std::move(call));
    if (hold) {
      held = std::move(done);
    } else {
      done(std::move(answer));
    }
  }
  std::vector<Call> calls;
  std::expected<Answer, Fault> answer;
  bool hold = false;
  AnswerDone held;
};

class KinesisDoorTest : public testing::Test {
 protected:
  static http::Request request(std::string method, std::string query, std::string body, const Fields& fields) {
    http::Request out;
    out.method = std::move(method);
    out.target = query.empty() ? "/" : "/?" + query;
    for (std::string_view rest = query; !rest.empty();) {
      const auto part = rest.substr(0, rest.find('&'));
      const auto equals = std::min(part.find('='), part.size());
      out.query.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    }
    for (const auto& [name, value] : fields) out.headers.add(name, value);
    out.body = std::move(body);
    return out;
  }

  http::Response ask(http::Request asked) {
    std::optional<http::Response> out;
    door_.handle(std::move(asked), [&](http::Response response) { out = std::move(response); });
    EXPECT_TRUE(out.has_value());
    return out ? std::move(*out) : http::Response();
  }
  http::Response ask(std::string method, std::string body, const Fields& fields, std::string query = "") {
    return ask(request(std::move(method), std::move(query), std::move(body), fields));
  }
  // A whole call, signed.
  http::Response call(std::string_view operation, std::string body, std::string_view type = kJson) {
    return ask("POST", std::move(body),
               {{"Content-Type", std::string(type)},
                {"X-Amz-Target", "Kinesis_20131202." + std::string(operation)},
                {"Authorization", std::string(kAuthorization)},
                {"X-Amz-Date", "20261122T120000Z"}});
  }

  static void expect(const http::Response& response, int status, std::optional<std::string_view> type,
                     std::string_view body) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.headers.get("Content-Type"), type);
    EXPECT_EQ(response.body, body);
    EXPECT_TRUE(Uuid::parse(response.headers.get("x-amzn-RequestId").value_or("")));
    const auto id = base64_decode(response.headers.get("x-amz-id-2").value_or(""));
    EXPECT_TRUE(id && id->size() >= 64 && id->size() <= 80);
  }

  FakeOperations operations_;
  KinesisDoor door_{operations_, Random(1), {}};
};

constexpr std::string_view kDenied =
    "<AccessDeniedException>\n"
    "  <Message>Unable to determine service/operation name to be authorized</Message>\n"
    "</AccessDeniedException>\n";
constexpr std::string_view kSerializationJson = R"({"__type":"SerializationException"})";
constexpr std::string_view kUnknownJson = R"({"__type":"UnknownOperationException"})";
constexpr std::string_view kSerializationCbor = "\xbf\x66__type\x76SerializationException\xff";
constexpr std::string_view kUnknownCbor = "\xbf\x66__type\x78\x19UnknownOperationException\xff";
const std::pair<std::string, std::string> kListStreams{"X-Amz-Target", "Kinesis_20131202.ListStreams"};

TEST_F(KinesisDoorTest, AnswersTheQuestionOfABrowser) {
  const auto plain = ask("OPTIONS", "", {{"Origin", "whatever"}});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "");
  EXPECT_EQ(plain.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(plain.headers.get("Access-Control-Max-Age"), "172800");
  EXPECT_EQ(plain.headers.get("Access-Control-Allow-Headers"), std::nullopt);
  EXPECT_EQ(plain.headers.get("Content-Type"), std::nullopt);
  EXPECT_EQ(plain.headers.get("x-amz-id-2"), std::nullopt);
  EXPECT_TRUE(plain.headers.get("x-amzn-RequestId"));
  const auto full = ask(
      "OPTIONS", "",
      {{"Origin", "whatever"}, {"Access-Control-Request-Headers", "a, b, c"}, {"Access-Control-Request-Method", "d"}});
  EXPECT_EQ(full.headers.get("Access-Control-Allow-Headers"), "a, b, c");
  EXPECT_EQ(full.headers.get("Access-Control-Allow-Methods"), "d");
  const auto other = ask("GET", "", {{"Origin", "whatever"}});
  expect(other, 403, std::nullopt, kDenied);
  EXPECT_EQ(other.headers.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(other.headers.get("Access-Control-Expose-Headers"),
            "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
}

TEST_F(KinesisDoorTest, AnswersNoBrowserWhereThatIsOff) {
  KinesisDoor door(operations_, Random(1), {.cors = false});
  door.handle(request("OPTIONS", "", "", {{"Origin", "x"}}), [](const http::Response& response) {
    expect(response, 403, std::nullopt, kDenied);
    EXPECT_EQ(response.headers.get("Access-Control-Allow-Origin"), std::nullopt);
  });
}

TEST_F(KinesisDoorTest, DeniesOtherMethods) {
  for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS", "HEAD"}) {
    expect(ask(method, "{}", {kListStreams, {"Content-Type", std::string(kJson)}}), 403, std::nullopt, kDenied);
  }
}

TEST_F(KinesisDoorTest, AnswersEmptyBodiesInCborUnlessJsonWasMeant) {
  expect(ask("POST", "", {}), 400, kCbor, kUnknownCbor);
  expect(ask("POST", "", {kListStreams}), 400, kCbor, kSerializationCbor);
  expect(ask("POST", "", {kListStreams, {"Content-Type", "application/json"}}), 400, kCbor, kSerializationCbor);
  expect(ask("POST", "", {kListStreams, {"Content-Type", std::string(kCbor)}}), 400, kCbor, kSerializationCbor);
  expect(ask("POST", "", {kListStreams, {"Content-Type", std::string(kJson)}}), 400, kJson, kSerializationJson);
  expect(ask("POST", "", {{"Content-Type", std::string(kJson)}}), 400, kJson, kUnknownJson);
  expect(ask("POST", "", {{"X-Amz-Target", "Kinesis_20131202.ListStream"}, {"Content-Type", std::string(kJson)}}), 400,
         kJson, kUnknownJson);
  expect(ask("POST", "", {{"X-Amz-Target", "Dynamo.ListStreams"}, {"Content-Type", std::string(kJson)}}), 400, kJson,
         kUnknownJson);
}

TEST_F(KinesisDoorTest, AnswersUnknownContentTypes) {
  expect(ask("POST", "{}", {}), 403, std::nullopt, kDenied);
  expect(ask("POST", "{}", {{"Content-Type", "application/x-amz-json-1.0"}}), 403, std::nullopt, kDenied);
  expect(ask("POST", "{}", {kListStreams}), 404, std::nullopt, "<UnknownOperationException/>\n");
  expect(ask("POST", "{}", {{"X-Amz-Target", "x"}}), 404, std::nullopt, "<UnknownOperationException/>\n");
}

TEST_F(KinesisDoorTest, AnswersBodiesThatDoNotParse) {
  for (const char* body : {"hello", "[]", "null", "1"}) {
    expect(ask("POST", body, {kListStreams, {"Content-Type", std::string(kJson)}}), 400, kJson, kSerializationJson);
    expect(ask("POST", body, {{"Content-Type", std::string(kJson)}}), 400, kJson, kSerializationJson);
    expect(ask("POST", body, {kListStreams, {"Content-Type", "application/json"}}), 400, "application/json",
           R"({"Output":{"__type":"com.amazon.coral.service#SerializationException"},"Version":"1.0"})");
    expect(ask("POST", body, {kListStreams, {"Content-Type", std::string(kCbor)}}), 400, kCbor, kSerializationCbor);
  }
  expect(ask("POST", "{}", {kListStreams, {"Content-Type", "application/json"}}), 404, "application/json",
         R"({"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"})");
}

TEST_F(KinesisDoorTest, AnswersUnknownOperations) {
  expect(ask("POST", "{}", {{"Content-Type", std::string(kJson)}}), 400, kJson, kUnknownJson);
  expect(call("ListStream", "{}"), 400, kJson, kUnknownJson);
  expect(call("ListStream", "\xa0", kCbor), 400, kCbor, kUnknownCbor);
}

TEST_F(KinesisDoorTest, WantsASignature) {
  const auto refused = [&](Fields fields, std::string query, std::string_view type, std::string_view message) {
    fields.push_back(kListStreams);
    fields.emplace_back("Content-Type", kJson);
    expect(ask("POST", R"({"Limit":"x"})", fields, std::move(query)), 400, kJson,
           fmt::format(R"({{"__type":"{}","message":"{}"}})", type, message));
  };
  refused({}, "", "MissingAuthenticationTokenException", "Missing Authentication Token");
  refused({}, "X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d",
          "MissingAuthenticationTokenException", "Missing Authentication Token");
  refused({{"Authorization", "X"}}, "X-Amz-Algorithm", "InvalidSignatureException",
          "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
  refused({{"Authorization", "X"}}, "X-Amz-Algorith", "IncompleteSignatureException",
          "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
          "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either "
          "a 'X-Amz-Date' or a 'Date' header. Authorization=X");
  for (const char* header :
       {"AWS4- Signature=b Credential=a", "AWS4- Signature=b,Credential=a", "AWS4- Signature=b, Credential=a"}) {
    refused({{"Authorization", header}, {"Date", "a"}}, "", "IncompleteSignatureException",
            fmt::format("Authorization header requires 'SignedHeaders' parameter. Authorization={}", header));
  }
  refused({}, "X-Amz-Algorithm", "IncompleteSignatureException",
          "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include "
          "'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters "
          "must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the "
          "query-string parameters.");
  EXPECT_TRUE(operations_.calls.empty());
}

TEST_F(KinesisDoorTest, ChecksTypesBeforeConstraints) {
  expect(
      call("DescribeStream", R"({"Limit":"x"})"), 400, kJson,
      R"({"__type":"SerializationException","Message":"class java.lang.String can not be converted to an Integer"})");
  expect(call("DescribeStream", "{}"), 400, kJson,
         R"({"__type":"ValidationException","message":"1 validation error detected: Value null at 'streamName' failed )"
         R"(to satisfy constraint: Member must not be null"})");
  EXPECT_TRUE(operations_.calls.empty());
}

TEST_F(KinesisDoorTest, RunsACallAndSendsItsAnswer) {
  operations_.answer = Answer{R"({"StreamNames":[]})", nullptr};
  expect(call("ListStreams", R"({"Limit":7})"), 200, kJson, R"({"StreamNames":[]})");
  ASSERT_EQ(operations_.calls.size(), 1U);
  const Call& made = operations_.calls[0];
  EXPECT_EQ(made.operation, "ListStreams");
  EXPECT_EQ(made.input.integer_of("Limit"), 7);
  EXPECT_EQ(made.encoding, Encoding::kJson);
  EXPECT_EQ(made.account, "123456789012");
  EXPECT_EQ(made.region, "eu-west-1");
}

TEST_F(KinesisDoorTest, TakesTheOperationFromTheQuery) {
  ask("POST", R"({"StreamName":"s"})",
      {{"Content-Type", "x-amz-json-1.1"},
       {"Authorization", "AWS4-X Credential=key/1/!/k/a,Signature=1,SignedHeaders=h"},
       {"Date", "a"}},
      "Action=DeleteStream");
  ASSERT_EQ(operations_.calls.size(), 1U);
  EXPECT_EQ(operations_.calls[0].operation, "DeleteStream");
  EXPECT_EQ(operations_.calls[0].account, "000000000000");
  EXPECT_EQ(operations_.calls[0].region, "us-east-1");
}

TEST_F(KinesisDoorTest, TellsBrowsersOnEveryAnswerWhoMayReadIt) {
  operations_.answer = Answer{"", nullptr};
  const auto fields = [](std::string target) {
    return Fields{{"Content-Type", std::string(kJson)},
                  {"X-Amz-Target", std::move(target)},
                  {"Authorization", std::string(kAuthorization)},
                  {"X-Amz-Date", "20261122T120000Z"},
                  {"Origin", "whatever"}};
  };
  for (const auto& [target, status] :
       {std::pair("Kinesis_20131202.ListStreams", 200), std::pair("Kinesis_20131202.None", 400)}) {
    const auto answer = ask("POST", "{}", fields(target));
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(answer.headers.get("Access-Control-Expose-Headers"),
              "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
    EXPECT_EQ(answer.headers.get("x-amz-crc32"), std::nullopt);
  }
  const auto without = call("ListStreams", "{}");
  EXPECT_EQ(without.headers.get("Access-Control-Allow-Origin"), std::nullopt);
  EXPECT_NE(without.headers.get("x-amzn-RequestId"), call("ListStreams", "{}").headers.get("x-amzn-RequestId"));
}

TEST_F(KinesisDoorTest, KnowsNoOperationOfAnotherService) {
  for (const auto* const target : {"DynamoDB_20120810.ListStreams", "Kinesis_20131202", "Kinesis_20131202.",
                                   "ListStreams", "Kinesis_20131202.ListStreams.More", "kinesis_20131202.ListStreams"})
    expect(ask("POST", "{}", {{"X-Amz-Target", target}, {"Content-Type", std::string(kJson)}}), 400, kJson,
           kUnknownJson);
}

TEST_F(KinesisDoorTest, AnswersInTheEncodingOfTheCall) {
  operations_.answer = Answer{"", nullptr};
  expect(call("ListStreams", "\xbf\xff", kCbor), 200, kCbor, "");
  EXPECT_EQ(operations_.calls[0].encoding, Encoding::kCbor);
  expect(call("ListStreams", "{}", "Application/X-AMZ-json-1.1 ; charset=utf-8"), 200, kJson, "");
  operations_.answer = std::unexpected(Fault{"ResourceNotFoundException", "Stream s.", 400});
  expect(call("ListStreams", "\xa0", kCbor), 400, kCbor,
         "\xbf\x66__type\x78\x19ResourceNotFoundException\x67message\x69Stream s.\xff");
}

TEST_F(KinesisDoorTest, TellsFaults) {
  operations_.answer = std::unexpected(Fault{"InternalFailure", "", 500});
  expect(call("ListStreams", "{}"), 500, kJson, R"({"__type":"InternalFailure"})");
  operations_.answer = std::unexpected(Fault{"ServiceUnavailable", "busy", 503});
  const auto busy = call("ListStreams", "{}");
  expect(busy, 503, kJson, R"({"__type":"ServiceUnavailable","message":"busy"})");
  EXPECT_EQ(busy.headers.get("Retry-After"), "1");
}

TEST_F(KinesisDoorTest, KnowsItsRequestsAmongOthers) {
  const auto is = [](std::string method, const Fields& fields, std::string query = "", std::string segment = "") {
    auto head = request(std::move(method), std::move(query), "", fields);
    if (!segment.empty()) head.segments.push_back(segment);
    return KinesisDoor::is_kinesis(head);
  };
  EXPECT_FALSE(is("POST", {}));
  EXPECT_FALSE(is("POST", {{"Content-Type", "application/json"}, {"Authorization", "Basic x"}}));
  EXPECT_TRUE(is("POST", {kListStreams}));
  EXPECT_FALSE(is("POST", {kListStreams}, "", "topics"));
  EXPECT_FALSE(is("GET", {kListStreams}));
  EXPECT_TRUE(is("POST", {}, "Action=PutRecord"));
  EXPECT_TRUE(is("POST", {}, "X-Amz-Algorithm=AWS4-HMAC-SHA256"));
  EXPECT_TRUE(is("POST", {{"Content-Type", std::string(kCbor)}}));
  EXPECT_TRUE(is("POST", {{"Authorization", "AWS4-HMAC-SHA256 x"}}));
  EXPECT_TRUE(is("OPTIONS", {{"Origin", "x"}, {"Access-Control-Request-Headers", "content-type,x-amz-target"}}));
  EXPECT_FALSE(is("OPTIONS", {{"Origin", "x"}}));
}

TEST_F(KinesisDoorTest, TakesBodiesOfTenMebibytesOfData) {
  http::Request head = request("POST", "", "", {});
  EXPECT_EQ(door_.admit(head).max_body, ByteCount(std::uint64_t{14} << 20));
}

}  // namespace
}  // namespace pinflow::doors::kinesis
