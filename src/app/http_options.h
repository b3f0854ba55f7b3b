#pragma once

#include <string>

#include "config/config.h"
#include "http/server.h"

namespace pinflow::app {

// The HTTP door's options out of the section `http`.
http::ServerOptions http_options(const config::Config& config);

// Where a client of this machine finds the door: "http://127.0.0.1:8082", "https://[::1]:8082".
std::string http_url(const config::Config& config, std::uint16_t port);

// An address as it stands before a port: IPv6 in brackets.
std::string bracketed(const std::string& address);

}  // namespace pinflow::app
