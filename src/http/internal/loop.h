#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/internal/connection.h"
#include "http/internal/listener.h"

namespace pinflow::http::internal {

// The server's thread with all that lives on it: waits for sockets, answers and time, and moves the connections on. listen() before
// run(); port(), connections() and stop() from any thread.
class Loop final {
 public:
  // `tls` may be null. All must outlive the loop.
  Loop(const ServerOptions& options, const net::TlsServer* tls, Handler& handler, Logger& logger);

  Result<void> listen() { return listener_.listen(options_); }
  std::uint16_t port() const { return listener_.port(); }
  std::string addresses() const { return listener_.addresses(); }
  std::size_t connections() const { return open_; }
  void run();
  void stop(std::chrono::milliseconds grace);

 private:
  using Time = Connection::Time;

  void open(boost::asio::ip::tcp::socket socket);
  std::string excess(std::uint64_t address_key);
  void readable(std::uint64_t id, const boost::system::error_code& error);
  void writable(std::uint64_t id, const boost::system::error_code& error);
  void expired(std::uint64_t id, const boost::system::error_code& error);
  void deliver_all();
  void advance(Connection& connection);
  void wait(Connection& connection);
  bool wait_for_end(Connection& connection);
  void arm_timer(Connection& connection);
  void resume(std::uint64_t id);
  void drop(Connection& connection);
  void begin_stop(std::chrono::milliseconds grace);
  Connection* find(std::uint64_t id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }

  const ServerOptions options_;
  Logger& logger_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer grace_timer_;
  std::vector<char> scratch_;  // One for all connections: they are read one after the other.
  ConnectionContext context_;
  Listener listener_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::uint64_t, std::size_t> per_address_;
  std::atomic<std::size_t> open_ = 0;  // As many as connections_, for other threads.
  std::uint64_t next_id_ = 1;
  std::size_t refused_ = 0;  // Of connections_, those that are over a limit and hear so.
  bool stopping_ = false;
  Time complained_at_{};
  std::atomic<std::thread::id> thread_;
};

}  // namespace pinflow::http::internal
