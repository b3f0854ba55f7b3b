#include "aws/credentials.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::aws {
namespace {

using testing::HasSubstr;

// Answers by method and URL.
class Metadata final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    asked.push_back(request.method + " " + request.url);
    last_headers = request.headers;
    const auto found = answers.find(request.method + " " + request.url);
    if (found == answers.end()) return fail(ErrorCode::kUnavailable, "nobody answers");
    return HttpResponse{found->second.first, {}, found->second.second};
  }
  std::map<std::string, std::pair<int, std::string>> answers;
  std::vector<std::string> asked;
  Headers last_headers;
};

class CredentialsFrom : public testing::Test {
 protected:
  CredentialSource source(CredentialOptions options = {}) {
    return {
        std::move(options), [this](const char* name) { return environment_[name]; }, http_, *disk_, clock_, logger_};
  }
  void role(const std::string& key, const std::string& expires) {
    http_.answers["PUT http://169.254.169.254/latest/api/token"] = {200, "tok"};
    http_.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/"] = {200, "reader"};
    http_.answers["GET http://169.254.169.254/latest/meta-data/iam/security-credentials/reader"] = {
        200, R"({"Code":"Success","AccessKeyId":")" + key + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" +
                 expires + R"("})"};
  }
  std::map<std::string, std::string> environment_;
  Metadata http_;
  std::unique_ptr<disk::Disk> disk_ = std::make_unique<disk::MemoryDisk>();
  ManualClock clock_{WallTime(std::chrono::milliseconds(1'700'000'000'000))};  // 2023-11-14T22:13:20Z
  NullLogger logger_;
};

TEST_F(CredentialsFrom, TheEnvironmentComeFirst) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}, {"AWS_SESSION_TOKEN", "c"}};
  auto from = source();
  const auto found = from.get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->key.id, "a");
  EXPECT_EQ(found->key.secret, "b");
  EXPECT_EQ(found->session_token, "c");
  EXPECT_TRUE(http_.asked.empty());
}

TEST_F(CredentialsFrom, TheSharedFileAreThoseOfTheProfile) {
  ASSERT_TRUE(disk_->create_folders("/home/.aws"));
  ASSERT_TRUE(disk_->write_file("/home/.aws/credentials",
                                "# mine\n[default]\naws_access_key_id = one\naws_secret_access_key=x=y\n\n[ other ]\r\n"
                                "aws_access_key_id=two\r\naws_secret_access_key=z\r\naws_session_token = t\r\n"));
  environment_["HOME"] = "/home";
  auto from = source();
  EXPECT_EQ(from.get()->key.id, "one");
  EXPECT_EQ(from.get()->key.secret, "x=y");
  auto other = source({.from = "auto", .file = {}, .profile = "other"});
  EXPECT_EQ(other.get()->key.id, "two");
  EXPECT_EQ(other.get()->session_token, "t");
  auto missing = source({.from = "file", .file = {}, .profile = "third"});
  EXPECT_THAT(missing.get().error().message, HasSubstr("in [third]"));
}

TEST_F(CredentialsFrom, AnInstancesRoleAreFetchedAgainBeforeTheyExpire) {
  role("first", "2023-11-14T23:13:20Z");
  auto from = source();
  ASSERT_TRUE(from.get());
  EXPECT_EQ(from.get()->key.id, "first");
  EXPECT_EQ(from.get()->session_token, "t");
  EXPECT_EQ(http_.asked.size(), 3U);
  EXPECT_EQ(http_.last_headers, (Headers{{"X-aws-ec2-metadata-token", "tok"}}));
  role("second", "2023-11-15T23:13:20Z");
  clock_.advance(std::chrono::minutes(54));
  EXPECT_EQ(from.get()->key.id, "first");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(from.get()->key.id, "second");
}

TEST_F(CredentialsFrom, ARoleServeOnWhileTheyCannotBeRenewed) {
  role("first", "2023-11-14T23:13:20Z");
  auto from = source();
  ASSERT_TRUE(from.get());
  http_.answers.clear();
  clock_.advance(std::chrono::minutes(57));
  EXPECT_EQ(from.get()->key.id, "first");
  clock_.advance(std::chrono::minutes(5));
  EXPECT_EQ(from.get().error().code, ErrorCode::kUnavailable) << "they are expired";
}

TEST_F(CredentialsFrom, AContainerComeWithItsToken) {
  environment_ = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "abc"}};
  http_.answers["GET http://169.254.170.2/v2/x"] = {200, R"({"AccessKeyId":"k","SecretAccessKey":"s"})"};
  auto from = source();
  ASSERT_TRUE(from.get());
  EXPECT_EQ(from.get()->key.id, "k");
  EXPECT_EQ(http_.last_headers, (Headers{{"Authorization", "abc"}}));
}

TEST_F(CredentialsFrom, RefusedOnesAreFetchedAnew) {
  environment_ = {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}};
  auto from = source();
  EXPECT_EQ(from.get()->key.id, "a");
  environment_["AWS_ACCESS_KEY_ID"] = "new";
  EXPECT_EQ(from.get()->key.id, "a");
  from.refused();
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(from.get()->key.id, "new");
}

TEST_F(CredentialsFrom, NowhereSaysWhereWasLooked) {
  auto from = source();
  const auto none = from.get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(none.error().message, HasSubstr("environment, file, container, instance"));
}

}  // namespace
}  // namespace pinflow::aws
