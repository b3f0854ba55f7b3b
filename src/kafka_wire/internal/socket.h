#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

// Blocking TCP with a deadline, over POSIX sockets. An error is kUnavailable and says what the system said.
namespace pinflow::kafka_wire {

// A point in time until which a whole step may take.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds timeout) : at_(std::chrono::steady_clock::now() + timeout) {}
  // What is left in milliseconds for poll(2), at least 0.
  int left() const;

 private:
  std::chrono::steady_clock::time_point at_;
};

// Tries the addresses of a host in their order. The caller closes the socket.
Result<int> connect_socket(const std::string& host, std::uint16_t port, const Deadline& deadline);
void close_socket(int socket);
Result<void> send_all(int socket, std::string_view bytes, const Deadline& deadline);
// Fills `bytes`.
Result<void> receive_all(int socket, std::span<char> bytes, const Deadline& deadline);

}  // namespace pinflow::kafka_wire
