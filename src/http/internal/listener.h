#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/logger.h"
#include "base/result.h"
#include "http/server.h"

namespace pinflow::http::internal {

// The listening sockets of the server. Lives on its loop's thread once started.
class Listener final {
 public:
  using Open = std::move_only_function<void(boost::asio::ip::tcp::socket)>;
  // `open` takes each connected socket, which is non-blocking.
  Listener(boost::asio::io_context& io, Logger& logger, Open open) : io_(io), logger_(logger), open_(std::move(open)) {}

  // Binds all addresses to one port. Errors as start_server().
  Result<void> listen(const ServerOptions& options);
  void start();
  void close();
  std::uint16_t port() const { return port_; }
  // "127.0.0.1, ::1".
  std::string addresses() const;

 private:
  struct Acceptor {
    Acceptor(boost::asio::io_context& io, std::string bound) : socket(io), pause(io), address(std::move(bound)) {}
    boost::asio::ip::tcp::acceptor socket;
    boost::asio::steady_timer pause;
    std::string address;
  };
  void accept(Acceptor& acceptor);
  void accepted(Acceptor& acceptor, const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  Logger& logger_;
  Open open_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::uint16_t port_ = 0;
  bool closed_ = false;
};

}  // namespace pinflow::http::internal
