#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/allowance.h"
#include "access/caller.h"
#include "base/result.h"

namespace pinflow::access {

// A pair as AWS clients hold it. The secret is kept as it is: a signature can be checked with nothing less.
struct AccessKey {
  std::string id;
  std::string secret;
  std::string name;
  std::vector<Grant> grants;
  std::string session_token;  // That requests must show; empty: none.
  RateLimits limits;
};

// Reads lines "ID SECRET NAME GRANT[,GRANT...] [session=TOKEN] [requests=N] [bytes=N] [records=N]"; empty ones and those that begin with
// '#' are passed over (docs/formats/access-keys.md). kInvalid names the line, never the secret.
Result<std::vector<AccessKey>> parse_access_keys(std::string_view text);

// What a client certificate is good for, by its subject.
struct CertificateGrant {
  std::string subject;  // As TLS names it, "CN=billing,O=Acme"; '*' stands for any run of characters.
  std::vector<Grant> grants;
};

// Reads lines "GRANT[,GRANT...] SUBJECT"; the subject is the rest of the line. The first that fits a certificate counts.
Result<std::vector<CertificateGrant>> parse_certificate_grants(std::string_view text);

const CertificateGrant* find_certificate(const std::vector<CertificateGrant>& grants, std::string_view subject);

}  // namespace pinflow::access
