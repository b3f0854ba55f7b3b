#include "aws/service_client.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::aws {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class Scripted final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    requests.push_back(request);
    bodies.emplace_back(request.body);
    if (answers.empty()) return fail(ErrorCode::kUnavailable, "nobody answers");
    HttpResponse answer = std::move(answers.front());
    answers.erase(answers.begin());
    return answer;
  }
  std::vector<HttpResponse> answers;
  std::vector<HttpRequest> requests;
  std::vector<std::string> bodies;
};

class ServiceClientTest : public testing::Test {
 protected:
  std::map<std::string, std::string> environment_{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "secret"}};
  Scripted http_;
  disk::MemoryDisk disk_;
  ManualClock clock_{WallTime(std::chrono::milliseconds(1'700'000'000'000))};
  NullLogger logger_;
  CredentialSource credentials_{{.from = "environment", .file = {}, .profile = {}},
                                [this](const char* name) { return environment_[name]; },
                                http_,
                                disk_,
                                clock_,
                                logger_};
  ServiceClient client_{{"https://kinesis.eu-west-1.amazonaws.com", "eu-west-1", "kinesis", "Kinesis_20131202"},
                        http_,
                        credentials_,
                        clock_};
};

TEST_F(ServiceClientTest, SignsWhatTheOperationNeeds) {
  environment_["AWS_SESSION_TOKEN"] = "session";
  http_.answers = {{200, {}, "{}"}};
  const auto answer = client_.call("ListStreams", "application/x-amz-json-1.1", R"({"Limit":3})");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  const HttpRequest& sent = http_.requests.at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://kinesis.eu-west-1.amazonaws.com/");
  EXPECT_EQ(http_.bodies.at(0), R"({"Limit":3})");
  EXPECT_THAT(sent.headers, Contains(Pair("Host", "kinesis.eu-west-1.amazonaws.com")));
  EXPECT_THAT(sent.headers, Contains(Pair("X-Amz-Target", "Kinesis_20131202.ListStreams")));
  EXPECT_THAT(sent.headers, Contains(Pair("X-Amz-Security-Token", "session")));
  EXPECT_THAT(sent.headers, Contains(Pair("Authorization", HasSubstr("AKID/20231114/eu-west-1/kinesis/aws4_request"))));
  EXPECT_THAT(sent.headers, Contains(Pair("Authorization", HasSubstr("x-amz-security-token;x-amz-target"))));
}

TEST_F(ServiceClientTest, FetchesCredentialsAnewOnceWhenTheyAreSaidToBeExpired) {
  const HttpResponse expired{400, {}, R"({"__type":"ExpiredTokenException","message":"it is over"})"};
  http_.answers = {expired, {200, {}, "{}"}};
  EXPECT_EQ(client_.call("ListStreams", "x", "{}")->status, 200);
  EXPECT_EQ(http_.requests.size(), 2U);
  http_.answers = {expired, expired, {200, {}, "{}"}};
  EXPECT_EQ(client_.call("ListStreams", "x", "{}")->status, 400);
  EXPECT_EQ(http_.requests.size(), 4U);
}

TEST_F(ServiceClientTest, SaysWhenThereIsNoAnswer) {
  EXPECT_EQ(client_.call("ListStreams", "x", "{}").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(http_.requests.size(), 1U);
}

TEST_F(ServiceClientTest, AsksNobodyWithoutCredentials) {
  environment_.clear();
  EXPECT_EQ(client_.call("ListStreams", "x", "{}").error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(http_.requests.empty());
}

TEST(ServiceEndpoint, NamesTheRegionWhereTheHostDoes) {
  const auto region = [](std::string_view url) {
    const auto read = parse_service_endpoint(url, "kinesis", "Kinesis_20131202", "us-east-1");
    return read ? read->endpoint + " " + read->region : read.error().message;
  };
  EXPECT_EQ(region("https://kinesis.eu-west-1.amazonaws.com"), "https://kinesis.eu-west-1.amazonaws.com eu-west-1");
  EXPECT_EQ(region("https://kinesis.eu-west-1.amazonaws.com/"), "https://kinesis.eu-west-1.amazonaws.com eu-west-1");
  EXPECT_EQ(region("https://kinesis.cn-north-1.amazonaws.com.cn"),
            "https://kinesis.cn-north-1.amazonaws.com.cn cn-north-1");
  EXPECT_EQ(region("https://kinesis-fips.us-west-2.amazonaws.com"),
            "https://kinesis-fips.us-west-2.amazonaws.com us-west-2");
  EXPECT_EQ(region("http://127.0.0.1:4567"), "http://127.0.0.1:4567 us-east-1");
  for (const char* const bad : {"", "kinesis", "ftp://x", "https://", "https://a/b", "http://a?b", "http://user@host"})
    EXPECT_THAT(region(bad), HasSubstr("is no endpoint")) << bad;
}

}  // namespace
}  // namespace pinflow::aws
