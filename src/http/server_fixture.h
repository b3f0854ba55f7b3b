#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/server.h"

// What tests of the server stand on.
namespace pinflow::http {

using namespace std::chrono_literals;

// A TCP connection that sends what no client would.
class RawPeer {
 public:
  // `receive_buffer`: of the kernel, in bytes; 0: what it likes.
  explicit RawPeer(std::uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval limit{20, 0};  // A test that would hang fails instead.
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  RawPeer(const RawPeer&) = delete;
  ~RawPeer() { ::close(socket_); }

  RawPeer& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return *this;
  }
  // Sends more than the kernel keeps for a peer that does not read. False: the connection is reset.
  bool keeps_taking() {
    const std::string bytes(8 << 20, 'x');
    for (std::size_t sent = 0; sent < bytes.size();) {
      const auto count = ::send(socket_, bytes.data(), bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }
  // Reads once; 0 at the end.
  std::size_t read_some_bytes() {
    received_.clear();
    read_some();
    return std::exchange(received_, {}).size();
  }
  // Reads once; empty at the end.
  std::string read_piece() {
    read_some();
    return std::exchange(received_, {});
  }
  int descriptor() const { return socket_; }
  std::string read_until(std::string_view end) {
    while (!received_.contains(end) && read_some()) {
    }
    const auto found = received_.find(end);
    const auto size = found == std::string::npos ? received_.size() : found + end.size();
    auto out = received_.substr(0, size);
    received_.erase(0, size);
    return out;
  }
  // Sends nothing more; the other direction stays open.
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(received_, {});
  }

 private:
  bool read_some() {
    char buffer[65536];
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    EXPECT_FALSE(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) << "the server says nothing";
    if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }
  int socket_;
  std::string received_;
};

// Echoes; /later is answered by release() from another thread, /drop never, /big with 3 MB.
class Echo final : public Handler {
 public:
  void handle(Request request, Responder respond) override {
    ++requests;
    if (answer) return respond(answer(request));
    if (request.target == "/drop") return;
    if (request.target == "/big") return respond(Response::json(200, std::string(3'000'000, 'b')));
    Response response = Response::json(200, request.method + " " + request.target + " " + request.body);
    response.headers.add("X-Echo", "a\r\nInjected: yes");
    if (request.target != "/later") return respond(std::move(response));
    const std::scoped_lock lock(mutex);
    held.emplace_back(std::move(respond), std::move(response));
    arrived.notify_all();
  }
  void release(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      std::unique_lock lock(mutex);
      arrived.wait(lock, [&] { return !held.empty(); });
      auto [respond, response] = std::move(held.front());
      held.erase(held.begin());
      lock.unlock();
      respond(std::move(response));
    }
  }
  std::function<Response(Request&)> answer;  // Instead of the echo.
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::pair<Responder, Response>> held;
  std::atomic<int> requests{0};
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() { options_.port = 0; }
  void start() { server_ = std::move(start_server(options_, handler_, logger_)).value(); }
  void start_again() {
    server_.reset();
    start();
  }
  // Waits until the server has so many connections.
  void wait_for_connections(std::size_t count) const {
    while (server_->connections() != count) std::this_thread::yield();
  }
  RawPeer peer() const { return RawPeer(server_->port()); }
  std::unique_ptr<Client> client(std::chrono::milliseconds timeout = 20s) const {
    return make_client(Url{"127.0.0.1", server_->port(), ""}, timeout);
  }
  static Request request(std::string method, std::string target, std::string body = "") {
    Request out;
    out.method = std::move(method);
    out.target = std::move(target);
    out.body = std::move(body);
    return out;
  }

  NullLogger logger_;
  Echo handler_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

}  // namespace pinflow::http
