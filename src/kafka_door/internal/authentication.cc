#include "kafka_door/internal/authentication.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.h"

namespace pinflow::kafka_door::internal {

using kafka_wire::KafkaError;

kafka_wire::SaslHandshakeResponse Authentication::handshake(std::string_view mechanism, std::int16_t version) {
  kafka_wire::SaslHandshakeResponse response;
  if (!credentials_.required() || mechanism_ || done_) {
    response.error_code = KafkaError::kIllegalSaslState;
    return response;
  }
  for (const SaslMechanism offered : credentials_.mechanisms()) {
    response.mechanisms.emplace_back(to_string(offered));
    if (mechanism == to_string(offered)) mechanism_ = offered;
  }
  if (!mechanism_) response.error_code = KafkaError::kUnsupportedSaslMechanism;
  raw_tokens_ = mechanism_ && version == 0;
  return response;
}

Authentication::Step Authentication::authenticate(std::string_view token) {
  return *mechanism_ == SaslMechanism::kPlain ? plain(token) : scram(token);
}

Authentication::Step Authentication::refuse() {
  return {true, {}, fmt::format("Authentication failed: invalid credentials with SASL mechanism {}", mechanism())};
}

// RFC 4616: authorization id, NUL, user, NUL, password.
Authentication::Step Authentication::plain(std::string_view token) {
  const auto first = token.find('\0');
  const auto second = first == std::string_view::npos ? first : token.find('\0', first + 1);
  if (second == std::string_view::npos) return refuse();
  const std::string_view acting_for = token.substr(0, first);
  user_ = token.substr(first + 1, second - first - 1);
  if (!acting_for.empty() && acting_for != user_) return refuse();
  if (!credentials_.check_plain(user_, token.substr(second + 1))) return refuse();
  done_ = true;
  return {};
}

Authentication::Step Authentication::scram(std::string_view token) {
  if (!exchange_) {
    // A fresh nonce for each exchange: a proof that somebody has listened to is worth nothing.
    exchange_.emplace(*mechanism_, base64_encode(random_bytes(18)));
    auto ours = exchange_->first(token, credentials_);
    user_ = exchange_->user();
    if (ours) return {false, std::move(*ours), {}};
    return {true, {}, "Authentication failed: " + ours.error().message};
  }
  auto ours = exchange_->final(token);
  if (!ours && ours.error().code == ErrorCode::kInvalid)
    return {true, {}, "Authentication failed: " + ours.error().message};
  if (!ours) return refuse();
  done_ = true;
  return {false, std::move(*ours), {}};
}

}  // namespace pinflow::kafka_door::internal
