#include "access/sigv4.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "access/digest.h"
#include "aws/canonical.h"
#include "aws/digest.h"

namespace pinflow::access {

namespace {

using aws::canonical_header;
using aws::find_parameter;
using aws::format_amz_time;
using aws::kAlgorithm;
using aws::kAuthority;
using aws::kTerminator;
using aws::kUnsignedPayload;
using aws::Parameters;
using aws::parse_amz_time;

constexpr std::size_t kMaxSignedHeaders = 100;
constexpr std::int64_t kLongestExpiry = 604'800;  // A week: AWS's bound for presigned requests.

SignatureFault incomplete(std::string message) {
  return {"IncompleteSignatureException", std::move(message)};
}
SignatureFault invalid(std::string message) {
  return {"InvalidSignatureException", std::move(message)};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

// The "Key=value" parts behind the algorithm, parted by commas, spaces or both.
Parameters authorization_parts(std::string_view header) {
  Parameters parts;
  std::string_view rest = header.substr(std::min(header.find(' '), header.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(", "), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) parts.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return parts;
}

bool lacks(const Parameters& parts, std::string_view name) {
  const std::string* const value = find_parameter(parts, name);
  return value == nullptr || value->empty();
}

std::optional<SignatureFault> missing_in_header(const SignedRequest& request, std::string_view header,
                                                const Parameters& parts) {
  std::string message;
  for (const std::string_view name : {"Credential", "Signature", "SignedHeaders"}) {
    if (lacks(parts, name)) message += fmt::format("Authorization header requires '{}' parameter. ", name);
  }
  if (!canonical_header(request, "x-amz-date") && !canonical_header(request, "date"))
    message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  if (message.empty()) return std::nullopt;
  return incomplete(message + fmt::format("Authorization={}", header));
}

std::optional<SignatureFault> missing_in_query(const Parameters& parameters) {
  std::string message;
  for (const std::string_view name :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"}) {
    if (lacks(parameters, name)) message += fmt::format("AWS query-string parameters must include '{}'. ", name);
  }
  if (message.empty()) return std::nullopt;
  return incomplete(message + "Re-examine the query-string parameters.");
}

// A request with its parts taken out, as far as they are there.
struct Parts {
  bool in_query = false;
  std::string header;    // Authorization.
  Parameters in_header;  // Of it.
  Parameters query;
  const std::string* find(std::string_view name) const {
    return in_query ? find_parameter(query, fmt::format("X-Amz-{}", name)) : find_parameter(in_header, name);
  }
};

std::expected<Parts, SignatureFault> take_apart(const SignedRequest& request) {
  Parts parts;
  parts.query = aws::parse_query(request.query);
  const auto header = canonical_header(request, "authorization");
  parts.in_query = find_parameter(parts.query, "X-Amz-Algorithm") != nullptr;
  if (header && parts.in_query)
    return std::unexpected(
        invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."));
  if (!header && !parts.in_query)
    return std::unexpected(SignatureFault{"MissingAuthenticationTokenException", "Missing Authentication Token"});
  if (header) {
    parts.header = *header;
    parts.in_header = authorization_parts(parts.header);
  }
  auto missing =
      parts.in_query ? missing_in_query(parts.query) : missing_in_header(request, parts.header, parts.in_header);
  if (missing) return std::unexpected(std::move(*missing));
  return parts;
}

bool is_header_name(std::string_view name) {
  if (name == kAuthority) return true;
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::optional<SignatureFault> read_credential(const std::string& credential, ShownSignature& shown) {
  const std::vector<std::string> scope = split(credential, '/');
  if (scope.size() != 5)
    return incomplete(fmt::format(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
        credential));
  shown.key_id = scope[0];
  shown.scope = {scope[1], scope[2], scope[3]};
  shown.terminator = scope[4];
  return std::nullopt;
}

// A name that no header can have, or so many names that looking each up takes long, is a forgery or a mistake.
std::optional<SignatureFault> read_signed_headers(const std::string& names, ShownSignature& shown) {
  shown.signed_headers = split(names, ';');
  if (shown.signed_headers.size() > kMaxSignedHeaders || !std::ranges::all_of(shown.signed_headers, is_header_name))
    return incomplete("SignedHeaders must list at most 100 names of headers in lower case, parted by ';'.");
  return std::nullopt;
}

std::optional<SignatureFault> read_times(const SignedRequest& request, const Parts& parts, ShownSignature& shown) {
  if (parts.in_query) {
    shown.date = *parts.find("Date");
  } else {
    auto date = canonical_header(request, "x-amz-date");
    shown.date = date ? *std::move(date) : *canonical_header(request, "date");
  }
  const auto time = parse_amz_time(shown.date);
  if (!time)
    return incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    shown.date));
  shown.time = *time;
  const std::string* const expires = parts.in_query ? parts.find("Expires") : nullptr;
  if (expires == nullptr) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires->data(), expires->data() + expires->size(), seconds);
  if (error != std::errc() || end != expires->data() + expires->size() || seconds < 0 || seconds > kLongestExpiry)
    return incomplete(
        fmt::format("X-Amz-Expires must be a number of seconds, at most a week (604800). Got '{}'.", *expires));
  shown.expires = std::chrono::seconds(seconds);
  return std::nullopt;
}

bool is_signed(const ShownSignature& shown, std::string_view name) {
  return std::ranges::find(shown.signed_headers, name) != shown.signed_headers.end();
}

std::optional<SignatureFault> check_scope(const SignedRequest& request, const ShownSignature& shown,
                                          const SignatureRules& rules) {
  if (!is_signed(shown, "host") && !is_signed(shown, kAuthority))
    return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  // Else a signature could be sent again with another time.
  const std::string_view date = canonical_header(request, "x-amz-date") ? "x-amz-date" : "date";
  if (!shown.in_query && !is_signed(shown, date))
    return invalid("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
  if (canonical_header(request, "x-amz-target") && !is_signed(shown, "x-amz-target"))
    return invalid("'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
  if (shown.terminator != kTerminator)
    return invalid(fmt::format("Credential should be scoped with a valid terminator: '{}', not '{}'. ", kTerminator,
                               shown.terminator));
  if (shown.scope.service != rules.service)
    return invalid(fmt::format("Credential should be scoped to correct service: '{}'. ", rules.service));
  if (shown.scope.date != shown.date.substr(0, 8))
    return invalid(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                    "HTTP: '{}' != '{}', from '{}'.",
                    shown.scope.date, shown.date.substr(0, 8), shown.date));
  return std::nullopt;
}

std::optional<SignatureFault> check_time(const ShownSignature& shown, const SignatureRules& rules, WallTime now) {
  if (shown.time > now + rules.skew)
    return invalid(fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)", shown.date,
                               format_amz_time(now + rules.skew), format_amz_time(now), rules.skew.count()));
  if (shown.expires) {
    if (now <= shown.time + *shown.expires) return std::nullopt;
    return invalid(fmt::format("Signature expired: {} is now earlier than {} (X-Amz-Date + {} s)",
                               format_amz_time(shown.time + *shown.expires), format_amz_time(now),
                               shown.expires->count()));
  }
  if (shown.time < now - rules.skew)
    return invalid(fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)", shown.date,
                               format_amz_time(now - rules.skew), format_amz_time(now), rules.skew.count()));
  return std::nullopt;
}

// What the signature takes for the body: its hash, or what the header says in its place. A header that does not fit the body is no
// better than a wrong signature.
std::expected<std::string, SignatureFault> payload_of(const SignedRequest& request, std::string_view body,
                                                      const SignatureRules& rules) {
  const auto told = canonical_header(request, "x-amz-content-sha256");
  if (told == kUnsignedPayload) {
    if (rules.allow_unsigned_payload) return *told;
    return std::unexpected(invalid(
        "The body must be signed: x-amz-content-sha256 is UNSIGNED-PAYLOAD, which this service does not take."));
  }
  std::string actual = aws::to_hex(aws::sha256(body));
  if (told && aws::lower(*told) != actual)
    return std::unexpected(invalid("The value of x-amz-content-sha256 does not match the SHA-256 of the body."));
  return actual;
}

}  // namespace

std::optional<SignatureFault> missing_in_signature(const SignedRequest& request) {
  const auto parts = take_apart(request);
  if (parts) return std::nullopt;
  return parts.error();
}

std::expected<ShownSignature, SignatureFault> read_signature(const SignedRequest& request) {
  const auto parts = take_apart(request);
  if (!parts) return std::unexpected(parts.error());
  ShownSignature shown;
  shown.in_query = parts->in_query;
  const std::string algorithm =
      parts->in_query ? *parts->find("Algorithm") : parts->header.substr(0, parts->header.find(' '));
  if (algorithm != kAlgorithm)
    return std::unexpected(
        incomplete(fmt::format("Unsupported AWS 'algorithm': '{}' (only {} is taken)", algorithm, kAlgorithm)));
  if (auto fault = read_credential(*parts->find("Credential"), shown)) return std::unexpected(std::move(*fault));
  if (auto fault = read_signed_headers(*parts->find("SignedHeaders"), shown)) return std::unexpected(std::move(*fault));
  if (auto fault = read_times(request, *parts, shown)) return std::unexpected(std::move(*fault));
  shown.signature = *parts->find("Signature");
  if (parts->in_query) {
    if (const std::string* const token = parts->find("Security-Token")) shown.security_token = *token;
  } else if (auto token = canonical_header(request, "x-amz-security-token")) {
    shown.security_token = *std::move(token);
  }
  return shown;
}

std::optional<SignatureFault> check_signature(const SignedRequest& request, const ShownSignature& shown,
                                              std::string_view body, std::string_view secret,
                                              const SignatureRules& rules, WallTime now) {
  if (auto fault = check_scope(request, shown, rules)) return fault;
  if (auto fault = check_time(shown, rules, now)) return fault;
  const auto payload = payload_of(request, body, rules);
  if (!payload) return payload.error();
  const std::string canonical = aws::canonical_request(request, shown.signed_headers, *payload, rules.form);
  const std::string expected =
      aws::sigv4_signature(aws::signing_key(secret, shown.scope), shown.time, shown.scope, canonical);
  if (same_secret(expected, shown.signature)) return std::nullopt;
  return invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
      "and signing method. Consult the service documentation for details.");
}

}  // namespace pinflow::access
