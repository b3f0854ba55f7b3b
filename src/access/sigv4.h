#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

// AWS Signature Version 4 (docs.aws.amazon.com, "Signature Version 4 signing process"): the canonical form of a request and the keys, in one
// place for those who sign and those who check. Pure functions; nothing here knows the time or any secret but what it is given.
namespace pinflow::access {

// A request as its signature sees it. Views: all must outlive the call.
struct SignedRequest {
  std::string_view method;
  std::string_view path;   // As sent, still encoded, without the query.
  std::string_view query;  // As sent, still encoded, without '?'.
  std::span<const std::pair<std::string, std::string>> headers;
};

// How the path is written in the canonical form: of all services but S3 without dot segments and doubled slashes and encoded once more; of
// S3 as it was sent.
enum class PathForm { kNormalized, kAsSent };

struct SigningScope {
  std::string date;  // "20150830".
  std::string region;
  std::string service;
};

struct SigningCredentials {
  std::string id;
  std::string secret;
};

constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// Why a signature is not accepted, as AWS words it: {"__type": type, "message": message}, always with status 400.
struct SignatureFault {
  std::string type;
  std::string message;
  friend bool operator==(const SignatureFault&, const SignatureFault&) = default;
};

// "20150830T123600Z".
std::string format_amz_time(WallTime time);
std::optional<WallTime> parse_amz_time(std::string_view text);

// `signed_headers` are lower-case names in order; `payload` is the hexadecimal SHA-256 of the body, or kUnsignedPayload.
std::string canonical_request(const SignedRequest& request, std::span<const std::string> signed_headers,
                              std::string_view payload, PathForm form);
// The key that signs all requests of a scope.
std::string signing_key(std::string_view secret, const SigningScope& scope);
// The signature of a canonical request, in hexadecimal digits.
std::string sigv4_signature(std::string_view key, WallTime time, const SigningScope& scope, std::string_view canonical);

// Signs a request: the value of its Authorization header. All headers that `request` has are signed; Host and X-Amz-Date (the time of
// `scope.date`) must be among them, and X-Amz-Security-Token for credentials of a session.
std::string sign(const SignedRequest& request, const SigningCredentials& credentials, const SigningScope& scope,
                 WallTime time, std::string_view payload, PathForm form);

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
