#include "net/listen.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pinflow::net {

namespace {
constexpr int kBacklog = 4096;
constexpr int kFreePortTries = 10;

struct Address {
  std::string text;
  sockaddr_storage bytes{};
  socklen_t size = 0;
  bool is_v6() const { return bytes.ss_family == AF_INET6; }
  void set_port(std::uint16_t port) {
    if (is_v6()) {
      reinterpret_cast<sockaddr_in6&>(bytes).sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in&>(bytes).sin_port = htons(port);
    }
  }
};

Result<Address> parse(const std::string& text, const ListenOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (text.empty() || ::getaddrinfo(text.c_str(), nullptr, &hints, &found) != 0) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("{}.addresses: '{}' is not an IP address, such as 127.0.0.1 or 0.0.0.0", options.section, text));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Address address;
  address.text = text;
  address.size = found->ai_addrlen;
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&address.bytes));
  return address;
}

Result<std::vector<Address>> parse_all(const ListenOptions& options) {
  std::vector<std::string> texts;
  for (const std::string& text : options.addresses) {
    if (text == "localhost") {
      texts.insert(texts.end(), {"127.0.0.1", "::1"});
    } else {
      texts.push_back(text);
    }
  }
  std::vector<Address> all;
  for (const std::string& text : texts) {
    if (std::ranges::find(all, text, &Address::text) != all.end()) continue;
    TRY_ASSIGN(Address address, parse(text, options));
    all.push_back(std::move(address));
  }
  if (all.empty()) {
    return fail(ErrorCode::kInvalid, fmt::format("{}.addresses: at least one address is needed", options.section));
  }
  return all;
}

// Zero, or the number of the error.
int bind_one(const Address& address, bool v6_only, Descriptor& out) {
  Descriptor socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket) return errno;
  const int on = 1;
  const int only = v6_only ? 1 : 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.is_v6() && ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) return errno;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0) return errno;
  if (::listen(socket.get(), kBacklog) != 0) return errno;
  out = std::move(socket);
  return 0;
}

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_storage bytes{};
  socklen_t size = sizeof bytes;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bytes), &size) != 0) return 0;
  return ntohs(bytes.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bytes).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bytes).sin_port);
}

std::unexpected<Error> refuse(const ListenOptions& options, const std::string& address, std::uint16_t port, int error) {
  const bool taken = error == EADDRINUSE;
  return fail(
      taken ? ErrorCode::kConflict : ErrorCode::kUnavailable,
      fmt::format("cannot listen for {} on {} port {}: {}. {}", options.service, address, port,
                  std::generic_category().message(error),
                  taken
                      ? fmt::format("Another program (another pinflow?) has this port; see `ss -ltnp`, or set {}.port",
                                    options.section)
                      : fmt::format("Set {0}.addresses to addresses of this machine, and {0}.port to one that this "
                                    "user may open",
                                    options.section)));
}

// kConflict: the port is taken.
Result<Listening> bind_all(std::vector<Address> addresses, const ListenOptions& options) {
  Listening listening;
  listening.port = options.port;
  const bool has_v4 = !std::ranges::all_of(addresses, &Address::is_v6);
  for (Address& address : addresses) {
    address.set_port(listening.port);
    Descriptor socket;
    const int error = bind_one(address, has_v4, socket);
    if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL) {
      listening.absent.push_back(address.text);
      continue;
    }
    if (error != 0) return refuse(options, address.text, listening.port, error);
    listening.port = port_of(socket);
    listening.sockets.push_back({std::move(socket), address.text, address.is_v6()});
  }
  if (!listening.sockets.empty()) return listening;
  return fail(ErrorCode::kUnavailable,
              fmt::format("cannot listen for {}: this machine has none of the addresses {}; set {}.addresses",
                          options.service, fmt::join(listening.absent, ", "), options.section));
}
}  // namespace

Result<Listening> listen_on(const ListenOptions& options) {
  TRY_ASSIGN(const std::vector<Address> addresses, parse_all(options));
  auto bound = bind_all(addresses, options);
  // A port that is free on one address may be taken on the next.
  for (int i = 1; !bound && bound.error().code == ErrorCode::kConflict && options.port == 0 && i < kFreePortTries;
       ++i) {
    bound = bind_all(addresses, options);
  }
  if (!bound && bound.error().code == ErrorCode::kConflict) return fail(ErrorCode::kUnavailable, bound.error().message);
  return bound;
}

std::uint64_t raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur >= limit.rlim_max || ::setrlimit(RLIMIT_NOFILE, &raised) != 0) return limit.rlim_cur;
  return raised.rlim_cur;
}

}  // namespace pinflow::net
