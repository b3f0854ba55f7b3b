#include "app/access_parts.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/real_disk.h"

namespace pinflow::app {
namespace {

using testing::HasSubstr;

class AccessPartsTest : public testing::Test {
 protected:
  AccessPartsTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "pinflow-access-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    environment_.disk = disk::make_real_disk();
    environment_.logger = std::make_unique<NullLogger>();
    config().data.folder = folder_ / "data";
  }
  ~AccessPartsTest() override { std::filesystem::remove_all(folder_); }
  config::Config& config() { return environment_.settings.config; }
  // Opens them, and takes what that says to people.
  Result<AccessParts> open() {
    testing::internal::CaptureStderr();
    auto parts = open_access(environment_);
    said_ = testing::internal::GetCapturedStderr();
    return parts;
  }
  void write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(environment_.disk->write_file(folder_ / name, text));
  }

  std::filesystem::path folder_;
  Environment environment_;
  std::string said_;
};

TEST_F(AccessPartsTest, WithoutAuthenticationEverybodyMayDoEverythingAndNothingIsWritten) {
  const auto parts = open();
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ(parts->tokens, nullptr);
  EXPECT_EQ(parts->verifier, nullptr);
  EXPECT_EQ(parts->guard.anonymous, (std::vector<access::Grant>{{access::Right::kAdmin, "*"}}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "data"));
}

TEST_F(AccessPartsTest, TheFirstStartMakesATokenThatItsOwnerAloneCanRead) {
  using std::filesystem::perms;
  config().http.authentication = "token";
  const auto parts = open();
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_TRUE(parts->guard.anonymous.empty());
  const std::filesystem::path file = access_folder(environment_) / "admin-token";
  EXPECT_THAT(said_, HasSubstr(file.string()));
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms::owner_read | perms::owner_write);
  std::string text = environment_.disk->read_file(file).value();
  ASSERT_TRUE(text.ends_with('\n'));
  text.pop_back();
  EXPECT_THAT(said_, testing::Not(HasSubstr(text))) << "this is no terminal: a journal would keep it";
  const auto caller = parts->tokens->find(text);
  ASSERT_TRUE(caller);
  EXPECT_TRUE((*caller)->may(access::Right::kAdmin));
}

TEST_F(AccessPartsTest, LaterStartsMakeNoOtherTokenAlsoIfAllWereRevoked) {
  config().http.authentication = "token";
  ASSERT_TRUE(open().value().tokens->revoke("admin"));
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->tokens->list().value().empty());
  EXPECT_EQ(said_, "");
}

TEST_F(AccessPartsTest, AnonymousCallersMayWhatTheSettingSays) {
  config().http.anonymous = "produce:clicks,query";
  EXPECT_EQ(open().value().guard.anonymous.size(), 2U);
  config().http.anonymous = "none";
  EXPECT_TRUE(open().value().guard.anonymous.empty());
  config().http.anonymous = "everything";
  const auto wrong = open();
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("http.anonymous: 'everything' is no grant"));
  EXPECT_THAT(wrong.error().message, HasSubstr("or 'none', or 'auto'"));
}

TEST_F(AccessPartsTest, FilesThatAreMissingOrWrongNameTheirSetting) {
  config().kinesis.verify_signatures = true;
  config().kinesis.access_keys = folder_ / "keys";
  EXPECT_THAT(open().error().message, HasSubstr("kinesis.access_keys"));
  write("keys", "A\n");
  EXPECT_THAT(open().error().message, HasSubstr("line 1: expected ID SECRET NAME"));
  write("keys", "A secret name query\n");
  EXPECT_NE(open().value().verifier, nullptr);
  config().http.tls_client_ca = folder_ / "ca";
  EXPECT_EQ(open().value().guard.certificates[0].subject, "*");
  EXPECT_TRUE(open().value().guard.anonymous.empty());
  config().http.client_certificates = folder_ / "certificates";
  EXPECT_THAT(open().error().message, HasSubstr("http.client_certificates"));
  write("certificates", "query CN=a\n");
  EXPECT_EQ(open().value().guard.certificates[0].subject, "CN=a");
}

TEST_F(AccessPartsTest, OriginsAreAListWithCommas) {
  config().http.cors_origins = "https://a.example,https://b.example:8443";
  EXPECT_EQ(open().value().guard.cors_origins,
            (std::vector<std::string>{"https://a.example", "https://b.example:8443"}));
}

}  // namespace
}  // namespace pinflow::app
