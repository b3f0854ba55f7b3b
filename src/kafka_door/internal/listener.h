#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kafka_door/internal/loop.h"

namespace pinflow::kafka_door::internal {

// The listening sockets. They live on the first loop and hand new connections to all loops in turn. open() before the loops start,
// close() on the first loop's thread or after it has ended.
class Listener final {
 public:
  Listener(LoopShared& shared, std::span<const std::unique_ptr<Loop>> loops);

  // Binds all addresses to one port. kInvalid: no IP address. kUnavailable: the port is taken, or none of the addresses is ours.
  Result<void> open();
  void start();
  void close();
  std::uint16_t port() const { return port_; }
  std::vector<std::string> bound() const;

 private:
  struct Acceptor {
    explicit Acceptor(boost::asio::io_context& io) : socket(io), pause(io) {}
    boost::asio::ip::tcp::acceptor socket;
    boost::asio::steady_timer pause;
    std::string address;
  };
  void accept(Acceptor& acceptor);
  void accepted(Acceptor& acceptor, Loop& loop, const boost::system::error_code& error,
                boost::asio::ip::tcp::socket socket);

  LoopShared& shared_;
  const KafkaServerOptions& options_;
  const std::span<const std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::size_t turn_ = 0;
  std::uint16_t port_ = 0;
  bool closed_ = false;
};

}  // namespace pinflow::kafka_door::internal
