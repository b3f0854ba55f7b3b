#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_keys.h"
#include "access/failed_attempts.h"
#include "access/token_store.h"
#include "base/clock.h"
#include "base/logger.h"
#include "http/server.h"

namespace pinflow::doors {

struct GuardOptions {
  access::TokenStore* tokens = nullptr;                // Null: nobody can show a token; who sends one is anonymous.
  std::vector<access::CertificateGrant> certificates;  // By subject; the first that fits.
  std::vector<access::Grant> anonymous{{access::Right::kAdmin, "*"}};  // Of those without credentials.
  std::vector<std::string> cors_origins;  // "https://shop.example": pages that browsers let talk to the doors.
  bool kinesis_cors = false;              // The Kinesis door answers browsers itself.
  bool open_metrics = false;              // GET /metrics needs no right.
};

// Requests turned away before a door saw them, since the start.
struct RefusedCounts {
  std::uint64_t credentials = 0;  // None where some are needed, or wrong ones.
  std::uint64_t guessing = 0;     // Wrong ones too often.
  std::uint64_t rights = 0;
  std::uint64_t rates = 0;
  std::uint64_t origins = 0;  // Pages of other sites.
};

// Stands before the doors: finds out who asks, and sets request.caller for them.
// - Authorization: Bearer is a token, Basic one as password or user (access::TokenStore); a client certificate counts where there is no
//   such header. Wrong credentials are 401, also where none would do. Without any the caller is anonymous; if such callers may do
//   nothing the answer is 401, but for /healthz, /readyz and "/", where the Kinesis door checks signatures once the body is there.
// - What a caller may do with which topic the doors ask themselves (access::may, doors/denied.h). /live and /metrics need the right
//   to query.
// - Who is over its limits gets 429 with Retry-After and the RateLimit headers (draft-ietf-httpapi-ratelimit-headers); so does who keeps
//   showing wrong credentials.
// - Pages of other origins (CORS): those listed are let in, with their preflights. Others are refused if they bring no credentials, as
//   any page that a user of this machine has open could otherwise post here.
// On the network loop. All that is given must outlive it.
class Guard final : public http::Handler {
 public:
  Guard(GuardOptions options, const Clock& clock, Logger& logger, http::Handler& doors);
  http::Admission admit(http::Request& head) override;
  void handle(http::Request request, http::Responder respond) override;
  const RefusedCounts& refused() const { return refused_; }

 private:
  using Found = std::expected<std::shared_ptr<const access::Caller>, http::Response>;
  Found find_caller(const http::Request& head);
  Found wrong_form(std::string_view message);
  Found find_token(const http::Request& head, std::string_view user, std::string_view password);
  std::shared_ptr<const access::Caller> caller_of_certificate(const std::string& subject) const;
  std::optional<http::Response> refuse(const http::Request& head);
  bool is_listed(std::string_view origin) const;
  std::optional<http::Response> preflight(const http::Request& head) const;

  const GuardOptions options_;
  const std::shared_ptr<const access::Caller> anonymous_;
  access::FailedAttempts failed_;
  RefusedCounts refused_;
  Logger& logger_;
  http::Handler& doors_;
};

}  // namespace pinflow::doors
