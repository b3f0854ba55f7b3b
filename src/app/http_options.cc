#include "app/http_options.h"

#include <fmt/format.h>

#include "app/kafka_options.h"

namespace pinflow::app {

http::ServerOptions http_options(const config::Config& config) {
  const auto& http = config.http;
  http::ServerOptions options;
  options.addresses = split_addresses(http.addresses);
  options.port = http.port;
  options.tls.certificate = http.tls_certificate.string();
  options.tls.key = http.tls_key.string();
  options.tls.client_ca = http.tls_client_ca.string();
  options.tls.require_client_certificate = http.tls_require_client_certificate;
  options.max_header = http.max_header;
  options.max_target = std::min(options.max_target, http.max_header);
  options.max_body = http.max_body;
  options.header_timeout = http.header_timeout;
  options.body_timeout = http.body_timeout;
  options.idle_timeout = http.idle_timeout;
  options.max_connections = static_cast<std::size_t>(http.max_connections);
  options.max_connections_per_address = static_cast<std::size_t>(http.max_connections_per_address);
  return options;
}

std::string http_url(const config::Config& config, std::uint16_t port) {
  return fmt::format("{}://{}:{}", config.http.tls_certificate.empty() ? "http" : "https",
                     bracketed(split_addresses(config.http.addresses).front()), port);
}

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : fmt::format("[{}]", address);
}

}  // namespace pinflow::app
