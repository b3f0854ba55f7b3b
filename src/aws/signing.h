#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

// AWS Signature Version 4 (docs.aws.amazon.com, "Signature Version 4 signing process"): the canonical form of a request and the
// signature, in one place for those who sign and those who check. Pure functions; nothing here knows the time or any secret but
// what it is given.
namespace pinflow::aws {

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
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::string_view kAuthority =
    ":authority";  // HTTP/2's form of Host, which clients sign there under this name.

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

}  // namespace pinflow::aws
