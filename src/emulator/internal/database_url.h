#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::emulator::internal {

// How a connection is encrypted, by the words of MySQL's clients.
enum class SslMode {
  kDisabled,
  kRequired,        // Whoever the server is.
  kVerifyIdentity,  // Its certificate is of the authority and names the host.
};

// mysql://user[:password]@host[:port]/database[?ssl-mode=...&ssl-ca=...], decoded. A value type.
struct DatabaseUrl {
  std::string user;
  std::string password;
  std::string host;
  std::uint16_t port = 3306;
  std::string database;
  SslMode ssl_mode = SslMode::kDisabled;  // With an authority and without a mode: kVerifyIdentity.
  std::string ssl_ca = {};                // File of the authority; empty: those that the system trusts.

  // `password_elsewhere` is taken where the URL has none. kInvalid says what is missing, without showing the text.
  static Result<DatabaseUrl> parse(std::string_view text, std::string_view password_elsewhere);
  // For messages: without user and password.
  std::string shown() const;
  friend bool operator==(const DatabaseUrl&, const DatabaseUrl&) = default;
};

}  // namespace pinflow::emulator::internal
