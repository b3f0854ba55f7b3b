#include "kafka_door/internal/credentials.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace pinflow::kafka_door::internal {

namespace {
constexpr int kIterations = 4096;  // As Kafka's own default, and the least that RFC 7677 wants.
constexpr std::size_t kSaltSize = 16;

const EVP_MD* hash_of(SaslMechanism mechanism) {
  return mechanism == SaslMechanism::kScramSha512 ? EVP_sha512() : EVP_sha256();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

ScramVerifier make_verifier(SaslMechanism mechanism, std::string_view password) {
  ScramVerifier verifier{random_bytes(kSaltSize), kIterations, {}, {}};
  const std::string salted = scram_salted_password(mechanism, password, verifier.salt, kIterations);
  verifier.stored_key = scram_hash(mechanism, scram_hmac(mechanism, salted, "Client Key"));
  verifier.server_key = scram_hmac(mechanism, salted, "Server Key");
  return verifier;
}
}  // namespace

std::string_view to_string(SaslMechanism mechanism) {
  switch (mechanism) {
    case SaslMechanism::kPlain:
      return "PLAIN";
    case SaslMechanism::kScramSha256:
      return "SCRAM-SHA-256";
    case SaslMechanism::kScramSha512:
      return "SCRAM-SHA-512";
  }
  return "PLAIN";
}

std::string scram_hmac(SaslMechanism mechanism, std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const auto* const done =
      HMAC(hash_of(mechanism), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), out, &size);
  CHECK(done != nullptr, "OpenSSL computes no HMAC");
  return {reinterpret_cast<const char*>(out), size};
}

std::string scram_hash(SaslMechanism mechanism, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), out, &size, hash_of(mechanism), nullptr) == 1, "OpenSSL computes no hash");
  return {reinterpret_cast<const char*>(out), size};
}

std::string scram_salted_password(SaslMechanism mechanism, std::string_view password, std::string_view salt,
                                  int iterations) {
  const EVP_MD* const hash = hash_of(mechanism);
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(hash)), '\0');
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                                     static_cast<int>(salt.size()), iterations, hash, static_cast<int>(out.size()),
                                     reinterpret_cast<unsigned char*>(out.data()));
  CHECK(done == 1, "OpenSSL derives no key");
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1,
        "OpenSSL has no random numbers");
  return out;
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<Credentials> Credentials::derive(std::span<const User> users, std::span<const SaslMechanism> mechanisms) {
  Credentials made;
  made.secret_ = random_bytes(32);
  made.mechanisms_.assign(mechanisms.begin(), mechanisms.end());
  if (!users.empty() && mechanisms.empty()) {
    return fail(ErrorCode::kInvalid, "the Kafka door has users but no SASL mechanism by which they could log in");
  }
  for (const User& user : users) {
    if (user.name.empty() || user.password.empty()) {
      return fail(ErrorCode::kInvalid, fmt::format("kafka.users: the user '{}' lacks a name or a password", user.name));
    }
    Known known;
    known.plain = scram_hmac(SaslMechanism::kScramSha256, made.secret_, user.password);
    for (const SaslMechanism mechanism : mechanisms) {
      if (mechanism != SaslMechanism::kPlain) known.scram[mechanism] = make_verifier(mechanism, user.password);
    }
    if (!made.users_.emplace(user.name, std::move(known)).second) {
      return fail(ErrorCode::kInvalid, fmt::format("kafka.users: the user '{}' is there twice", user.name));
    }
  }
  return made;
}

bool Credentials::check_plain(std::string_view user, std::string_view password) const {
  const std::string shown = scram_hmac(SaslMechanism::kScramSha256, secret_, password);
  const auto found = users_.find(user);
  return same_secret(shown, found == users_.end() ? std::string(shown.size(), '\0') : found->second.plain);
}

ScramVerifier Credentials::verifier(std::string_view user, SaslMechanism mechanism) const {
  if (const auto found = users_.find(user); found != users_.end()) {
    if (const auto known = found->second.scram.find(mechanism); known != found->second.scram.end())
      return known->second;
  }
  const std::string key = scram_hmac(mechanism, secret_, user);
  return {key.substr(0, kSaltSize), kIterations, std::string(key.size(), '\0'), key};
}

}  // namespace pinflow::kafka_door::internal
