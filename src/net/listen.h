#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace pinflow::net {

struct ListenOptions {
  std::vector<std::string>
      addresses;           // IP addresses; "localhost" means both loopbacks. At least one must be this machine's.
  std::uint16_t port = 0;  // 0: one that is free on all of them.
  std::string service;     // For messages: "Kafka".
  std::string section;     // Of the settings, for messages: "kafka" names "kafka.port".
};

struct ListeningSocket {
  Descriptor socket;  // Non-blocking.
  std::string address;
  bool v6 = false;
};

struct Listening {
  std::vector<ListeningSocket> sockets;
  std::uint16_t port = 0;           // The same of all.
  std::vector<std::string> absent;  // Addresses that this machine lacks.
};

// Binds all addresses to one port and listens. An IPv6 "::" takes IPv4 too, unless an IPv4 address is listed beside it. kInvalid: no
// IP address. kUnavailable: the port is taken, or none of the addresses is ours. The message names the setting to change.
Result<Listening> listen_on(const ListenOptions& options);

// Raises this process's limit of open files as far as the system lets it without privileges; gives the limit. For servers of many
// connections: the limit that programs start with is often 1024, for the sake of select(), which nothing here uses.
std::uint64_t raise_open_file_limit();

}  // namespace pinflow::net
