#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kafka_door/internal/scram.h"
#include "kafka_wire/messages/session.h"

namespace pinflow::kafka_door::internal {

// Who the peer of one connection is (KIP-12, KIP-43, KIP-84, KIP-152), sans-I/O. Where no users are configured everybody is done at
// once. `credentials` must outlive it.
class Authentication final {
 public:
  explicit Authentication(const Credentials& credentials) : credentials_(credentials), done_(!credentials.required()) {}

  struct Step {
    bool failed = false;
    std::string bytes;    // For the client.
    std::string message;  // What the client is told when it failed; no secrets.
  };

  bool done() const { return done_; }
  // After a handshake of version 0 tokens come as frames of their own, without a request around them.
  bool raw_tokens() const { return raw_tokens_ && !done_; }
  kafka_wire::SaslHandshakeResponse handshake(std::string_view mechanism, std::int16_t version);
  // False: a token is not due.
  bool token_due() const { return mechanism_.has_value() && !done_; }
  Step authenticate(std::string_view token);
  // Who it is, or says to be.
  const std::string& user() const { return user_; }
  std::string_view mechanism() const { return mechanism_ ? to_string(*mechanism_) : "none"; }

 private:
  Step plain(std::string_view token);
  Step scram(std::string_view token);
  Step refuse();

  const Credentials& credentials_;
  bool done_;
  bool raw_tokens_ = false;
  std::optional<SaslMechanism> mechanism_;
  std::optional<ScramServer> exchange_;
  std::string user_;
};

}  // namespace pinflow::kafka_door::internal
