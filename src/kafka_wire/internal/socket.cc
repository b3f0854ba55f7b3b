#include "kafka_wire/internal/socket.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace pinflow::kafka_wire {

namespace {

std::unexpected<Error> unavailable(std::string message) {
  return fail(ErrorCode::kUnavailable, std::move(message));
}

std::string system_text(int error) {
  return std::generic_category().message(error);
}

// Waits until the socket can do `events`, or has failed.
Result<void> wait_for(int socket, short events, const Deadline& deadline) {
  pollfd waiting{socket, events, 0};
  while (true) {
    const int ready = ::poll(&waiting, 1, deadline.left());
    if (ready > 0) return {};
    if (ready == 0) return unavailable("no answer in time");
    if (errno != EINTR) return unavailable(system_text(errno));
  }
}

Result<int> connect_to(const addrinfo& address, const Deadline& deadline) {
  const int made = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (made < 0) return unavailable(system_text(errno));
  const auto refuse = [&](Error error) {
    close_socket(made);
    return fail(std::move(error));
  };
  if (::connect(made, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return refuse({ErrorCode::kUnavailable, system_text(errno)});
    if (auto ready = wait_for(made, POLLOUT, deadline); !ready) return refuse(std::move(ready).error());
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return refuse({ErrorCode::kUnavailable, system_text(error)});
  }
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // Without it a call may wait for the other side's ACK.
  return made;
}

}  // namespace

int Deadline::left() const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

Result<int> connect_socket(const std::string& host, std::uint16_t port, const Deadline& deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return unavailable(fmt::format("the host '{}' is not known: {}", host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string reason = "no address";
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    auto connected = connect_to(*address, deadline);
    if (connected) return connected;
    reason = std::move(connected).error().message;
  }
  return unavailable(fmt::format("nothing answers at {} port {}: {}", host, port, reason));
}

void close_socket(int socket) {
  ::close(socket);
}

Result<void> send_all(int socket, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      TRY(wait_for(socket, POLLOUT, deadline));
    } else if (errno != EINTR) {
      return unavailable(system_text(errno));
    }
  }
  return {};
}

Result<void> receive_all(int socket, std::span<char> bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      return unavailable("it closed the connection instead of answering");
    } else if (errno == EAGAIN) {
      TRY(wait_for(socket, POLLIN, deadline));
    } else if (errno != EINTR) {
      return unavailable(system_text(errno));
    }
  }
  return {};
}

}  // namespace pinflow::kafka_wire
