#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinflow::emulator::internal {

// mysql://user[:password]@host[:port]/database, decoded. A value type.
struct DatabaseUrl {
  std::string user;
  std::string password;
  std::string host;
  std::uint16_t port = 3306;
  std::string database;

  // `password_elsewhere` is taken where the URL has none. kInvalid says what is missing, without showing the text.
  static Result<DatabaseUrl> parse(std::string_view text, std::string_view password_elsewhere);
  // For messages: without user and password.
  std::string shown() const;
  friend bool operator==(const DatabaseUrl&, const DatabaseUrl&) = default;
};

}  // namespace pinflow::emulator::internal
