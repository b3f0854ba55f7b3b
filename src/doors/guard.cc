#include "doors/guard.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/allowance.h"
#include "base/base64.h"
#include "doors/denied.h"

namespace pinflow::doors {

namespace {

using access::Caller;
using access::Right;
using std::chrono::milliseconds;

bool same_word(std::string_view a, std::string_view lower_case) {
  return a.size() == lower_case.size() && std::ranges::equal(a, lower_case, {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
         });
}

std::string_view root_of(const http::Request& request) {
  return request.segments.empty() ? std::string_view() : std::string_view(request.segments.front());
}

bool is_probe(const http::Request& request) {
  return request.segments.size() == 1 && (request.segments[0] == "healthz" || request.segments[0] == "readyz");
}

// "http://localhost:3000", "https://[::1]": a page of this machine.
bool is_of_this_machine(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view host = origin.substr(scheme + 3);
  if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
  host = host.substr(0, host.find(':'));
  // Digits and dots only: "127.evil.example" is a name that its owner may point anywhere.
  const bool loopback = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return loopback || host == "localhost" || host.ends_with(".localhost");
}

std::int64_t whole_seconds(milliseconds wait) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

http::Response too_many(milliseconds wait, std::string_view message) {
  auto response = http::Response::failure(429, 42901, message);
  response.headers.add("Retry-After", fmt::format("{}", whole_seconds(wait)));
  return response;
}

http::Response over_limit(const Caller& caller, const access::Overdrawn& overdrawn) {
  auto response =
      too_many(overdrawn.wait, fmt::format("'{}' may take {} {} a second; try again in {} ms", caller.name(),
                                           overdrawn.limit, overdrawn.what, overdrawn.wait.count()));
  response.headers.add("RateLimit-Policy", fmt::format(R"("{}";q={};w=1)", overdrawn.what, overdrawn.limit));
  response.headers.add("RateLimit", fmt::format(R"("{}";r=0;t={})", overdrawn.what, whole_seconds(overdrawn.wait)));
  return response;
}

void allow_origin(http::Response& response, std::string_view origin) {
  response.headers.add("Access-Control-Allow-Origin", std::string(origin));
  response.headers.add("Access-Control-Expose-Headers",
                       "Location, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, WWW-Authenticate");
}

// Counts what comes through it for the caller's limit of bytes.
class CountedBody final : public http::BodyStream {
 public:
  CountedBody(std::unique_ptr<http::BodyStream> body, std::shared_ptr<access::Allowance> allowance)
      : body_(std::move(body)), allowance_(std::move(allowance)) {}
  void next(Take take) override {
    body_->next([allowance = allowance_, take = std::move(take)](Piece piece) mutable {
      if (piece && *piece) allowance->spend_bytes((*piece)->size());
      take(std::move(piece));
    });
  }

 private:
  std::unique_ptr<http::BodyStream> body_;
  std::shared_ptr<access::Allowance> allowance_;  // Shared with the caller; a piece may come when the request is gone.
};

}  // namespace

Guard::Guard(GuardOptions options, const Clock& clock, Logger& logger, http::Handler& doors)
    : options_(std::move(options)),
      anonymous_(Caller::anonymous(options_.anonymous)),
      failed_(clock),
      logger_(logger),
      doors_(doors) {}

http::Admission Guard::admit(http::Request& head) {
  http::Admission admission;
  admission.refusal = preflight(head);
  if (admission.refusal) return admission;
  admission = doors_.admit(head);
  std::optional<http::Response> refusal;
  if (is_probe(head)) {
    head.caller = anonymous_;
  } else if (auto caller = find_caller(head)) {
    head.caller = std::move(*caller);
    refusal = refuse(head);
  } else {
    refusal = std::move(caller).error();
  }
  if (!refusal) return admission;
  if (!options_.cors_origins.empty()) {
    refusal->headers.add("Vary", "Origin");
    const auto origin = head.headers.get("Origin");
    if (origin && is_listed(*origin)) allow_origin(*refusal, *origin);
  }
  admission.refusal = std::move(refusal);
  return admission;
}

Guard::Found Guard::find_caller(const http::Request& head) {
  if (const auto header = head.headers.get("Authorization"); header && options_.tokens != nullptr) {
    const std::size_t space = std::min(header->find(' '), header->size());
    const std::string_view scheme = header->substr(0, space);
    std::string_view rest = header->substr(space);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (same_word(scheme, "bearer")) return find_token(head, {}, rest);
    if (same_word(scheme, "basic")) {
      const auto decoded = base64_decode(rest);
      const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
      if (colon == std::string::npos)
        return wrong_form("Authorization: Basic is followed by the base64 of user:password");
      return find_token(head, std::string_view(*decoded).substr(0, colon),
                        std::string_view(*decoded).substr(colon + 1));
    }
    // Signatures of AWS clients cover the body: the Kinesis door checks them when it is there.
    if (!scheme.starts_with("AWS4-"))
      return wrong_form(
          "this way of authorization is not understood; send a token as Bearer, or as the password of Basic");
  }
  if (!head.peer.certificate.empty()) {
    if (auto caller = caller_of_certificate(head.peer.certificate)) return caller;
  }
  return anonymous_;
}

Guard::Found Guard::wrong_form(std::string_view message) {
  ++refused_.credentials;
  return std::unexpected(unauthenticated(message));
}

// For Bearer the user is empty.
Guard::Found Guard::find_token(const http::Request& head, std::string_view user, std::string_view password) {
  access::TokenStore& tokens = *options_.tokens;
  std::string key;
  // The key is made only while somebody is being slowed down, or has just failed: others pay nothing for it. It has the token that is
  // guessed at in it, so that one who guesses does not lock out another who knows.
  const auto make_key = [&] {
    const std::string claimed = tokens.claimed_id(user.empty() ? password : user);
    const std::string id = claimed.empty() ? tokens.claimed_id(password) : claimed;
    key = access::network_of(head.peer.address) + "|" + id;
  };
  if (failed_.size() > 0) {
    make_key();
    if (const auto wait = failed_.wait(key)) {
      ++refused_.guessing;
      return std::unexpected(too_many(*wait, "wrong credentials were shown too often; wait before the next try"));
    }
  }
  auto found = user.empty() ? tokens.find(password) : tokens.find_basic(user, password);
  if (found) {
    if (failed_.size() > 0) failed_.succeeded(key);
    return std::move(*found);
  }
  if (key.empty()) make_key();
  ++refused_.credentials;
  const bool expired = found.error() == access::TokenRefusal::kExpired;
  if (const auto pause = failed_.failed(key)) {
    logger_.warning(
        "wrong credentials are shown again and again",
        {{"address", head.peer.address}, {"why", expired ? "expired" : "unknown"}, {"pause_ms", pause->count()}});
  }
  return std::unexpected(unauthenticated(
      expired ? "the token has expired" : "the token is not known here, or was revoked", "invalid_token"));
}

std::shared_ptr<const Caller> Guard::caller_of_certificate(const std::string& subject) const {
  const access::CertificateGrant* const known = access::find_certificate(options_.certificates, subject);
  return known == nullptr ? nullptr : std::make_shared<const Caller>(subject, known->grants);
}

// Whether this caller is turned away before its body is read.
std::optional<http::Response> Guard::refuse(const http::Request& head) {
  const Caller& caller = *head.caller;
  const std::string_view root = root_of(head);
  if (caller.is_anonymous()) {
    if (const auto origin = head.headers.get("Origin")) {
      const bool own = root.empty() && options_.kinesis_cors;
      if (!own && !is_listed(*origin) && !is_of_this_machine(*origin)) {
        ++refused_.origins;
        return http::Response::failure(403, 40301,
                                       "pages of other sites may not ask without credentials; list their origin in "
                                       "http.cors_origins to let them in");
      }
    }
    if (options_.anonymous.empty() && !root.empty() && !(root == "metrics" && options_.open_metrics)) {
      ++refused_.credentials;
      return unauthenticated("credentials are needed: a token as Authorization: Bearer, or as the password of Basic");
    }
  }
  const bool query = root == "live" || root == "sql" || root == "questions" || root == "checks" ||
                     (root == "metrics" && !options_.open_metrics);
  if (query && !caller.may(Right::kQuery)) {
    ++refused_.rights;
    return denied(head.caller, Right::kQuery, {});
  }
  if (caller.allowance() != nullptr) {
    if (const auto overdrawn = caller.allowance()->admit()) {
      ++refused_.rates;
      return over_limit(caller, *overdrawn);
    }
  }
  return std::nullopt;
}

bool Guard::is_listed(std::string_view origin) const {
  return std::ranges::find(options_.cors_origins, origin) != options_.cors_origins.end();
}

// The question of a browser whether a page may ask (Fetch standard, "CORS-preflight request"). It carries no credentials.
std::optional<http::Response> Guard::preflight(const http::Request& head) const {
  if (options_.cors_origins.empty() || head.method != "OPTIONS") return std::nullopt;
  if (options_.kinesis_cors && head.segments.empty()) return std::nullopt;
  const auto origin = head.headers.get("Origin");
  const auto method = head.headers.get("Access-Control-Request-Method");
  if (!origin || !method) return std::nullopt;
  http::Response response;
  response.status = 204;
  response.headers.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  if (!is_listed(*origin)) return response;  // Without the headers that would allow it, the browser says no.
  response.headers.add("Access-Control-Allow-Origin", std::string(*origin));
  response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, PATCH");
  if (const auto headers = head.headers.get("Access-Control-Request-Headers"))
    response.headers.add("Access-Control-Allow-Headers", std::string(*headers));
  response.headers.add("Access-Control-Max-Age", "7200");
  return response;
}

void Guard::handle(http::Request request, http::Responder respond) {
  if (request.caller == nullptr) {  // To the doors that would mean that nobody is asked: never let it pass.
    http::Admission admission = admit(request);
    if (admission.refusal) return respond(std::move(*admission.refusal));
  }
  if (const auto& allowance = request.caller->allowance(); allowance != nullptr && allowance->limits_bytes()) {
    allowance->spend_bytes(request.body.size());
    if (request.body_stream != nullptr)
      request.body_stream = std::make_unique<CountedBody>(std::move(request.body_stream), allowance);
  }
  if (options_.cors_origins.empty() || (options_.kinesis_cors && request.segments.empty()))
    return doors_.handle(std::move(request), std::move(respond));
  const auto origin = request.headers.get("Origin");
  std::string allowed = origin && is_listed(*origin) ? std::string(*origin) : std::string();
  doors_.handle(std::move(request),
                [allowed = std::move(allowed), respond = std::move(respond)](http::Response answer) mutable {
                  answer.headers.add("Vary", "Origin");
                  if (!allowed.empty()) allow_origin(answer, allowed);
                  respond(std::move(answer));
                });
}

}  // namespace pinflow::doors
