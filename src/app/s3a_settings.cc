#include "app/s3a_settings.h"

#include <fmt/format.h>

namespace pinflow::app {

namespace {

constexpr std::string_view kS3 = "s3://";
constexpr std::string_view kProfiles = "org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider";

}  // namespace

std::string s3_region(const config::Config& config, const Variable& variable) {
  std::string region = config.s3.region;
  for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (region.empty()) region = variable(name);
  }
  return region.empty() ? "us-east-1" : region;
}

std::vector<std::string> s3a_settings(const config::Config& config, const Variable& variable) {
  if (!config.data.objects.starts_with(kS3) && !config.data.tables.starts_with(kS3)) return {};
  std::vector<std::string> settings;
  const auto add = [&](std::string_view name, std::string_view value) {
    settings.push_back(fmt::format("spark.hadoop.fs.s3a.{}={}", name, value));
  };
  const auto& s3 = config.s3;
  add("endpoint.region", s3_region(config, variable));
  if (!s3.endpoint.empty()) add("endpoint", s3.endpoint);
  const bool in_path = s3.path_style == "auto" ? !s3.endpoint.empty() : s3.path_style == "true";
  add("path.style.access", in_path ? "true" : "false");
  if (s3.credentials == "file") {
    add("aws.credentials.provider", kProfiles);
    if (!s3.credentials_file.empty()) add("auth.profile.file", s3.credentials_file.string());
    if (!s3.profile.empty()) add("auth.profile.name", s3.profile);
  }
  return settings;
}

}  // namespace pinflow::app
