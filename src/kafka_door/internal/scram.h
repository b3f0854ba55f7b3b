#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kafka_door/internal/credentials.h"

namespace pinflow::kafka_door::internal {

// The server's side of one SCRAM exchange (RFC 5802 and 7677, without channel binding), sans-I/O: the client's first message in, ours
// out; its final message in, ours out. A failure ends the exchange.
class ScramServer final {
 public:
  // `nonce` is our part of it: printable, without comma, unguessable.
  ScramServer(SaslMechanism mechanism, std::string nonce) : mechanism_(mechanism), nonce_(std::move(nonce)) {}

  // kInvalid: not what a SCRAM client sends. Messages are safe to show to the peer.
  Result<std::string> first(std::string_view message, const Credentials& credentials);
  // The last message; only after it the user is who it says. kNotFound: wrong password or user.
  Result<std::string> final(std::string_view message);
  const std::string& user() const { return user_; }

 private:
  SaslMechanism mechanism_;
  std::string nonce_;  // Ours alone, then the client's with ours behind it.
  std::string user_;
  std::string gs2_header_;
  std::string exchanged_;  // The two first messages, which the proof covers.
  ScramVerifier verifier_;
};

}  // namespace pinflow::kafka_door::internal
