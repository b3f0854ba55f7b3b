#include "aws/credentials.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/timestamp.h"

namespace pinflow::aws {

namespace {

constexpr std::chrono::minutes kFetchBefore{5};
constexpr std::chrono::seconds kLeastBetween{1};
constexpr std::chrono::milliseconds kMetadataTimeout{2'000};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// A profile's settings in a file of [profile] sections with `key = value` lines.
struct Profile {
  std::string id, secret, token;
};
std::optional<Profile> find_profile(std::string_view text, std::string_view name) {
  std::optional<Profile> found;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = trimmed(line.substr(1, line.find(']') - 1)) == name;
      if (inside && !found) found.emplace();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || equals == line.npos) continue;
    const std::string_view key = trimmed(line.substr(0, equals));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (key == "aws_access_key_id") found->id = value;
    if (key == "aws_secret_access_key") found->secret = value;
    if (key == "aws_session_token") found->token = value;
  }
  return found;
}

}  // namespace

CredentialSource::CredentialSource(CredentialOptions options, Environment environment, HttpTransport& http,
                                   disk::Disk& disk, const Clock& clock, Logger& logger)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      http_(http),
      disk_(disk),
      clock_(clock),
      logger_(logger) {}

Result<Credentials> CredentialSource::get() {
  const std::scoped_lock lock(mutex_);
  const bool expired = held_ && held_->expires && *held_->expires <= clock_.now();
  const bool wanted = !held_ || refused_ || (held_->expires && *held_->expires - kFetchBefore <= clock_.now());
  if (!wanted) return *held_;
  const SteadyTime now = clock_.steady_now();
  if (held_ && !expired && fetched_at_ != SteadyTime::min() && now - fetched_at_ < kLeastBetween) return *held_;
  fetched_at_ = now;
  auto found = fetch();
  if (found && *found) {
    held_ = **std::move(found);
    refused_ = false;
    return *held_;
  }
  if (held_ && !expired) {
    logger_.warning("The credentials are not renewed; those at hand serve on until they expire",
                    {{"cause", found ? "nobody has any" : found.error().message}});
    return *held_;
  }
  if (!found) return fail(std::move(found).error());
  return fail(
      ErrorCode::kInvalid,
      fmt::format(
          "there are no AWS credentials (looked in: {}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write "
          "~/.aws/credentials, or run with a role",
          options_.from == "auto" ? "environment, file, container, instance" : options_.from));
}

void CredentialSource::refused() {
  const std::scoped_lock lock(mutex_);
  refused_ = true;
}

CredentialSource::Found CredentialSource::fetch() {
  const bool any = options_.from == "auto";
  if (any || options_.from == "environment") {
    TRY_ASSIGN(auto found, from_environment());
    if (found || !any) return found;
  }
  if (any || options_.from == "file") {
    TRY_ASSIGN(auto found, from_file());
    if (found || !any) return found;
  }
  if (any || options_.from == "container") {
    TRY_ASSIGN(auto found, from_container());
    if (found || !any) return found;
  }
  if (any || options_.from == "instance") {
    auto found = from_instance();
    // Not every machine has such a service: on the others nobody answers.
    if (!found && any && !held_) return std::nullopt;
    return found;
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("unknown source of credentials '{}': use auto, environment, file, container "
                          "or instance",
                          options_.from));
}

CredentialSource::Found CredentialSource::from_environment() const {
  Credentials found{{environment_("AWS_ACCESS_KEY_ID"), environment_("AWS_SECRET_ACCESS_KEY")},
                    environment_("AWS_SESSION_TOKEN"),
                    std::nullopt};
  if (found.key.id.empty() || found.key.secret.empty()) return std::nullopt;
  return found;
}

CredentialSource::Found CredentialSource::from_file() const {
  disk::Path file = options_.file;
  if (file.empty()) file = environment_("AWS_SHARED_CREDENTIALS_FILE");
  if (file.empty()) {
    const std::string home = environment_("HOME");
    if (home.empty()) return std::nullopt;
    file = disk::Path(home) / ".aws" / "credentials";
  }
  const auto text = disk_.read_file(file);
  if (!text && text.error().code == ErrorCode::kNotFound && options_.file.empty()) return std::nullopt;
  if (!text) return fail(text.error());
  std::string name = options_.profile.empty() ? environment_("AWS_PROFILE") : options_.profile;
  if (name.empty()) name = "default";
  const auto profile = find_profile(*text, name);
  if (!profile || profile->id.empty() || profile->secret.empty()) {
    if (options_.profile.empty() && options_.from == "auto") return std::nullopt;
    return fail(ErrorCode::kInvalid,
                fmt::format("{} has no aws_access_key_id and aws_secret_access_key in [{}]", file.native(), name));
  }
  return Credentials{{profile->id, profile->secret}, profile->token, std::nullopt};
}

CredentialSource::Found CredentialSource::from_container() {
  std::string url = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const std::string path = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty()) {
    url = "http://169.254.170.2" + path;
  }
  if (url.empty()) return std::nullopt;
  HttpRequest request{.method = "GET", .url = url, .headers = {}, .direct = true, .timeout = kMetadataTimeout};
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); token.empty() && !file.empty()) {
    TRY_ASSIGN(const std::string text, disk_.read_file(file));
    token = trimmed(text.substr(0, text.find('\n')));
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  TRY_ASSIGN(const HttpResponse response, http_.send(request));
  return from_document(response, url);
}

CredentialSource::Found CredentialSource::from_instance() {
  const std::string& base = options_.instance_endpoint;
  if (environment_("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  HttpRequest request{.method = "PUT",
                      .url = base + "/latest/api/token",
                      .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                      .direct = true,
                      .timeout = kMetadataTimeout};
  TRY_ASSIGN(const HttpResponse token, http_.send(request));
  if (token.status != 200) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} answers {}: no token", request.url, token.status));
  }
  request.method = "GET";
  request.headers = {{"X-aws-ec2-metadata-token", token.body}};
  request.url = base + "/latest/meta-data/iam/security-credentials/";
  TRY_ASSIGN(const HttpResponse roles, http_.send(request));
  if (roles.status == 404) return std::nullopt;  // The instance has no role.
  if (roles.status != 200)
    return fail(ErrorCode::kUnavailable, fmt::format("{} answers {}", request.url, roles.status));
  request.url += trimmed(std::string_view(roles.body).substr(0, roles.body.find('\n')));
  TRY_ASSIGN(const HttpResponse response, http_.send(request));
  return from_document(response, request.url);
}

CredentialSource::Found CredentialSource::from_document(const HttpResponse& response, std::string_view where) const {
  if (response.status != 200)
    return fail(ErrorCode::kUnavailable, fmt::format("{} answers {}", where, response.status));
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const auto text = [&](std::string_view key) {
    std::string_view value;
    return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  if (parser.parse(response.body).get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} answers with something that is no JSON object", where));
  }
  Credentials found{{text("AccessKeyId"), text("SecretAccessKey")}, text("Token"), parse_iso8601(text("Expiration"))};
  if (found.key.id.empty() || found.key.secret.empty()) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} answers without a key: {}", where, text("Message")));
  }
  return found;
}

}  // namespace pinflow::aws
