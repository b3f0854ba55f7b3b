#include "emulator/internal/database_url.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace pinflow::emulator::internal {

namespace {

constexpr std::string_view kForm =
    "write it as mysql://user[:password]@host[:port]/database[?ssl-mode=verify-identity&ssl-ca=FILE]";

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 3 > text.size()) return std::nullopt;
    const char* const end = text.data() + i + 3;
    if (std::from_chars(text.data() + i + 1, end, value, 16).ptr != end) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  if (out.find('\0') != std::string::npos) return std::nullopt;  // The client library ends texts there.
  return out;
}

// Takes the options behind '?'. Gives what is wrong; empty: nothing.
std::string read_options(std::string_view text, DatabaseUrl& url) {
  bool has_mode = false;
  while (!text.empty()) {
    const std::string_view option = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(option.size() + 1, text.size()));
    const std::size_t equals = std::min(option.find('='), option.size());
    const std::string_view name = option.substr(0, equals);
    const auto value = decode(option.substr(std::min(equals + 1, option.size())));
    if (!value) return "has a bad percent sign";
    if (name == "ssl-ca" && !value->empty()) {
      url.ssl_ca = *value;
    } else if (name == "ssl-mode" && (*value == "disabled" || *value == "required" || *value == "verify-identity")) {
      has_mode = true;
      url.ssl_mode = *value == "disabled"   ? SslMode::kDisabled
                     : *value == "required" ? SslMode::kRequired
                                            : SslMode::kVerifyIdentity;
    } else {
      return "has an option other than ssl-mode (disabled, required or verify-identity) and ssl-ca (a file)";
    }
  }
  if (!url.ssl_ca.empty() && !has_mode) url.ssl_mode = SslMode::kVerifyIdentity;
  if (!url.ssl_ca.empty() && url.ssl_mode != SslMode::kVerifyIdentity)
    return "names an authority (ssl-ca), which only ssl-mode=verify-identity asks";
  return {};
}

}  // namespace

Result<DatabaseUrl> DatabaseUrl::parse(std::string_view text, std::string_view password_elsewhere) {
  const auto wrong = [](std::string_view what) {
    return fail(ErrorCode::kInvalid, fmt::format("the address of the source {}; {}", what, kForm));
  };
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return wrong("has no scheme");
  text.remove_prefix(scheme + 3);
  // A password is encoded, and so is a '?' in it.
  const std::size_t question = std::min(text.find('?'), text.size());
  const std::string_view options = text.substr(std::min(question + 1, text.size()));
  text = text.substr(0, question);
  const std::size_t slash = text.rfind('/');
  const std::size_t at = text.substr(0, slash).rfind('@');
  if (slash == std::string_view::npos || slash + 1 == text.size()) return wrong("names no database");
  if (at == std::string_view::npos || at == 0) return wrong("names no user");

  const std::string_view login = text.substr(0, at);
  std::string_view host = text.substr(at + 1, slash - at - 1);
  const std::size_t colon = login.find(':');
  DatabaseUrl url;
  if (const std::size_t mark = host.rfind(':'); mark != std::string_view::npos && host.back() != ']') {
    const std::string_view port = host.substr(mark + 1);
    const auto read = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || url.port == 0)
      return wrong("has a bad port");
    host = host.substr(0, mark);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return wrong("names no host");
  const auto user = decode(login.substr(0, colon));
  const auto password = colon == std::string_view::npos ? std::optional(std::string(password_elsewhere))
                                                        : decode(login.substr(colon + 1));
  const auto database = decode(text.substr(slash + 1));
  if (!user || !password || !database) return wrong("has a bad percent sign");
  url.user = *user;
  url.password = *password;
  url.host = host;
  url.database = *database;
  if (const std::string problem = read_options(options, url); !problem.empty()) return wrong(problem);
  return url;
}

std::string DatabaseUrl::shown() const {
  return fmt::format("mysql://{}:{}/{}", host, port, database);
}

}  // namespace pinflow::emulator::internal
