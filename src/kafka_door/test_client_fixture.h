#pragma once

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "kafka_wire/codec.h"

namespace pinflow::kafka_door {

// A blocking client that sends what it is told, also nonsense. For tests; no wait is longer than ten seconds.
class TestClient final {
 public:
  explicit TestClient(std::uint16_t port, int receive_buffer = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Puts a length before the bytes.
  bool send_frame(std::string_view content) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(content.size() >> shift);
    return send(bytes.append(content));
  }
  template <kafka_wire::Request M>
  std::string encode(const M& request, std::int16_t version) {
    return kafka_wire::encode_request(request, version, ++correlation_, "test").flat();
  }
  template <kafka_wire::Request M>
  bool send_request(const M& request, std::int16_t version) {
    return send(encode(request, version));
  }

  // The next frame without its length; empty: the connection was closed, or nothing came.
  std::string receive_frame() {
    const std::string length = receive(4);
    if (length.size() < 4) return {};
    std::size_t size = 0;
    for (const char byte : length) size = size << 8 | static_cast<std::uint8_t>(byte);
    return receive(size);
  }
  // The next response, which has to be that of the `back`-th last request. Views in it live until the next call.
  template <kafka_wire::Request M>
  typename M::Response receive_response(std::int16_t version, int back = 0) {
    received_ = receive_frame();
    const auto header = kafka_wire::read_response_header(received_, M::kApi, version);
    EXPECT_TRUE(header) << "no response";
    if (!header) return {};
    EXPECT_EQ(header->correlation_id, correlation_ - back);
    auto body = kafka_wire::decode_body<typename M::Response>(header->body, version);
    EXPECT_TRUE(body) << body.error().message;
    return body ? std::move(*body) : typename M::Response{};
  }
  template <kafka_wire::Request M>
  typename M::Response call(const M& request, std::int16_t version) {
    EXPECT_TRUE(send_request(request, version));
    return receive_response<M>(version);
  }

  // Whether the peer ends the connection, after whatever it still sends.
  bool is_closed() {
    char bytes[4096];
    for (;;) {
      const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count == 0) return true;
      if (count < 0) return errno == ECONNRESET;
    }
  }
  // Whether bytes are there, or come within the time.
  bool has_bytes(int milliseconds) {
    pollfd what{socket_, POLLIN, 0};
    return ::poll(&what, 1, milliseconds) == 1;
  }
  std::string receive(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      const ssize_t got = ::recv(socket_, bytes.data() + have, count - have, 0);
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
  }

 private:
  int socket_ = -1;
  bool connected_ = false;
  std::int32_t correlation_ = 0;
  std::string received_;
};

}  // namespace pinflow::kafka_door
