#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "aws/http.h"
#include "aws/signing.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::aws {

struct Credentials {
  SigningCredentials key;
  std::string session_token;        // Empty: none.
  std::optional<WallTime> expires;  // None: never.
};

// Where credentials come from.
struct CredentialOptions {
  // "auto": the first of the others that has some, in this order. "environment": AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
  // AWS_SESSION_TOKEN. "file": the shared credentials file. "container": what ECS and EKS name in
  // AWS_CONTAINER_CREDENTIALS_*. "instance": the EC2 instance's role (IMDSv2).
  std::string from = "auto";
  disk::Path file;      // Empty: AWS_SHARED_CREDENTIALS_FILE, or .aws/credentials in the home folder.
  std::string profile;  // Empty: AWS_PROFILE, or "default".
  std::string instance_endpoint = "http://169.254.169.254";
};

// Reads one environment variable; empty where it is not set.
using Environment = std::function<std::string(const char* name)>;

// Gives the credentials to sign with, fetched again five minutes before they expire. Safe from any thread; one thread fetches
// while others wait. All that is given outlives it.
class CredentialSource final {
 public:
  CredentialSource(CredentialOptions options, Environment environment, HttpTransport& http, disk::Disk& disk,
                   const Clock& clock, Logger& logger);
  // kInvalid: nobody has any; the message says where was looked. kUnavailable: whoever should have them does not answer.
  Result<Credentials> get();
  // The service says that they count no more: the next get() fetches others, at most once a second.
  void refused();

 private:
  using Found = Result<std::optional<Credentials>>;
  Found fetch();
  Found from_environment() const;
  Found from_file() const;
  Found from_container();
  Found from_instance();
  Found from_document(const HttpResponse& response, std::string_view where) const;

  const CredentialOptions options_;
  const Environment environment_;
  HttpTransport& http_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  std::mutex mutex_;  // Of what follows.
  std::optional<Credentials> held_;
  bool refused_ = false;
  SteadyTime fetched_at_ = SteadyTime::min();
};

}  // namespace pinflow::aws
