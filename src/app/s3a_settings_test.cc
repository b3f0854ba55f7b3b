#include "app/s3a_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::app {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string nothing(const char*) {
  return {};
}

config::Config in_s3() {
  config::Config config;
  config.data.tables = "s3://bucket/tables";
  return config;
}

TEST(S3aSettings, AreNoneForFolders) {
  config::Config config;
  config.s3.endpoint = "http://store.example:9000";
  EXPECT_THAT(s3a_settings(config, nothing), IsEmpty());
}

TEST(S3aSettings, NameAStoreThatIsNotOfAws) {
  config::Config config = in_s3();
  config.s3.endpoint = "http://store.example:9000";
  EXPECT_THAT(s3a_settings(config, nothing), ElementsAre("spark.hadoop.fs.s3a.endpoint.region=us-east-1",
                                                         "spark.hadoop.fs.s3a.endpoint=http://store.example:9000",
                                                         "spark.hadoop.fs.s3a.path.style.access=true"));
  config.s3.path_style = "false";
  EXPECT_THAT(s3a_settings(config, nothing), Contains("spark.hadoop.fs.s3a.path.style.access=false"));
}

TEST(S3aSettings, LeaveOutTheEndpointOfAws) {
  config::Config config;
  config.data.objects = "s3://bucket/objects";
  config.s3.region = "eu-west-1";
  EXPECT_THAT(s3a_settings(config, nothing), ElementsAre("spark.hadoop.fs.s3a.endpoint.region=eu-west-1",
                                                         "spark.hadoop.fs.s3a.path.style.access=false"));
}

TEST(S3aSettings, TakeTheRegionFromWhereTheStoreTakesIt) {
  const auto variable = [](const char* name) {
    return std::string_view(name) == "AWS_DEFAULT_REGION" ? std::string("eu-north-1") : std::string();
  };
  EXPECT_THAT(s3a_settings(in_s3(), variable), Contains("spark.hadoop.fs.s3a.endpoint.region=eu-north-1"));
}

TEST(S3aSettings, NameTheFileOfProfilesAndNoKey) {
  config::Config config = in_s3();
  config.s3.credentials = "file";
  config.s3.credentials_file = "/run/secrets/aws";
  config.s3.profile = "batch";
  EXPECT_THAT(s3a_settings(config, nothing),
              ::testing::IsSupersetOf({"spark.hadoop.fs.s3a.auth.profile.file=/run/secrets/aws",
                                       "spark.hadoop.fs.s3a.auth.profile.name=batch"}));
  const auto keys = [](const char*) { return std::string("a-key"); };
  config.s3.region = "eu-west-1";
  EXPECT_THAT(s3a_settings(config, keys), Not(Contains(HasSubstr("a-key"))));
}

}  // namespace
}  // namespace pinflow::app
