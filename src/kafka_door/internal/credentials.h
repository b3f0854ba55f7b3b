#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kafka_door/server.h"

namespace pinflow::kafka_door::internal {

std::string_view to_string(SaslMechanism mechanism);

// What a server keeps of a password for SCRAM (RFC 5802): enough to check a proof, not to make one.
struct ScramVerifier {
  std::string salt;
  int iterations = 0;
  std::string stored_key;
  std::string server_key;
};

// The users and what checks their passwords, derived once at start; the passwords themselves are not kept. Safe from any thread.
class Credentials final {
 public:
  // kInvalid: a user without name or password, or twice; no mechanism.
  static Result<Credentials> derive(std::span<const User> users, std::span<const SaslMechanism> mechanisms);

  bool required() const { return !users_.empty(); }
  const std::vector<SaslMechanism>& mechanisms() const { return mechanisms_; }
  bool check_plain(std::string_view user, std::string_view password) const;
  // Of a user that we do not know, one that fits no password: strangers shall not learn which names exist.
  ScramVerifier verifier(std::string_view user, SaslMechanism mechanism) const;

 private:
  struct Known {
    std::string plain;  // Keyed hash of the password.
    std::map<SaslMechanism, ScramVerifier> scram;
  };
  std::map<std::string, Known, std::less<>> users_;
  std::vector<SaslMechanism> mechanisms_;
  std::string secret_;  // Made at start; key of `plain` and of the salts of strangers.
};

// The parts of SCRAM that both sides compute. `mechanism` is a SCRAM one; it says which hash.
std::string scram_hmac(SaslMechanism mechanism, std::string_view key, std::string_view text);
std::string scram_hash(SaslMechanism mechanism, std::string_view text);
std::string scram_salted_password(SaslMechanism mechanism, std::string_view password, std::string_view salt,
                                  int iterations);
std::string random_bytes(std::size_t count);
// Takes the same time wherever the two differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace pinflow::kafka_door::internal
