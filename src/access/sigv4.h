#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/signing.h"
#include "base/clock.h"

// Checks AWS Signature Version 4: what aws/signing.h makes, seen from the side of the service. Pure functions.
namespace pinflow::access {

using aws::PathForm;
using aws::SignedRequest;
using aws::SigningScope;

// Why a signature is not accepted, as AWS words it: {"__type": type, "message": message}, always with status 400.
struct SignatureFault {
  std::string type;
  std::string message;
  friend bool operator==(const SignatureFault&, const SignatureFault&) = default;
};

// What a request says about its signature, in its Authorization header or its query.
struct ShownSignature {
  bool in_query = false;
  std::string key_id;
  SigningScope scope;
  std::string terminator;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string date;  // As sent, in the basic form of ISO 8601.
  WallTime time;
  std::optional<std::chrono::seconds> expires;  // Of a presigned one.
  std::string security_token;                   // Empty: none.
};

// Reads it, with the answers that AWS gives to requests that say too little or say it wrongly:
// MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException.
std::expected<ShownSignature, SignatureFault> read_signature(const SignedRequest& request);
// The first part alone: that what has to be there is there. For a service that does not check signatures but whose clients shall
// find their mistakes.
std::optional<SignatureFault> missing_in_signature(const SignedRequest& request);

struct SignatureRules {
  std::string service;  // That the scope must name.
  std::chrono::minutes skew{5};
  bool allow_unsigned_payload = false;
  PathForm form = PathForm::kNormalized;
};

// Checks what was shown against the secret of its key. The scope, the headers that must be signed (host; in the header form
// x-amz-date; x-amz-target where it is there), the time, the body and last the signature, compared in constant time.
std::optional<SignatureFault> check_signature(const SignedRequest& request, const ShownSignature& shown,
                                              std::string_view body, std::string_view secret,
                                              const SignatureRules& rules, WallTime now);

}  // namespace pinflow::access
