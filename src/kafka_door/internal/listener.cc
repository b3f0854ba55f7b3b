#include "kafka_door/internal/listener.h"

#include "net/listen.h"

namespace pinflow::kafka_door::internal {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr std::chrono::milliseconds kAcceptPause{200};

// A client of an IPv4 address may reach us through an IPv6 socket: it shall hear of the address that it knows.
std::string readable_host(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  if (!address.is_v6()) return address.to_string();
  auto plain = address.to_v6();
  plain.scope_id(0);  // Means nothing on another machine.
  return plain.to_string();
}
}  // namespace

Listener::Listener(LoopShared& shared, std::span<const std::unique_ptr<Loop>> loops)
    : shared_(shared), options_(shared.context.options), loops_(loops) {}

Result<void> Listener::open() {
  TRY_ASSIGN(auto listening, net::listen_on({options_.addresses, options_.port, "Kafka", "kafka"}));
  port_ = listening.port;
  for (auto& one : listening.sockets) {
    auto acceptor = std::make_unique<Acceptor>(loops_.front()->io());
    error_code error;
    acceptor->socket.assign(one.v6 ? tcp::v6() : tcp::v4(), one.socket.get(), error);
    if (error) return fail(ErrorCode::kUnavailable, "cannot wait for Kafka connections: " + error.message());
    one.socket.release();
    acceptor->address = one.address;
    acceptors_.push_back(std::move(acceptor));
  }
  for (const std::string& address : listening.absent)
    shared_.context.logger.info("an address that this machine lacks is left out", {{"kafka", address}});
  return {};
}

std::vector<std::string> Listener::bound() const {
  std::vector<std::string> all;
  for (const auto& acceptor : acceptors_) all.push_back(acceptor->address);
  return all;
}

void Listener::start() {
  for (const auto& acceptor : acceptors_) accept(*acceptor);
}

void Listener::close() {
  closed_ = true;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
    acceptor->pause.cancel();
  }
}

void Listener::accept(Acceptor& acceptor) {
  Loop& loop = *loops_[turn_++ % loops_.size()];
  acceptor.socket.async_accept(loop.io(), [this, &acceptor, &loop](const error_code& error, tcp::socket socket) {
    accepted(acceptor, loop, error, std::move(socket));
  });
}

void Listener::accepted(Acceptor& acceptor, Loop& loop, const error_code& error, tcp::socket socket) {
  if (closed_) return;
  if (error && error != asio::error::connection_aborted) {
    // Out of descriptors or memory: what is open goes on, newcomers wait in the kernel's queue.
    shared_.dispatcher.complaints().warn(
        "cannot accept a Kafka connection for now; is the limit of open files too low?",
        {{"error", error.message()}, {"connections", shared_.connections.load()}});
    acceptor.pause.expires_after(kAcceptPause);
    acceptor.pause.async_wait([this, &acceptor](const error_code& cancelled) {
      if (!cancelled) accept(acceptor);
    });
    return;
  }
  error_code failed = error;
  if (!failed) socket.non_blocking(true, failed);
  if (!failed) socket.set_option(tcp::no_delay(true), failed);
  tcp::endpoint peer;
  tcp::endpoint ours;
  if (!failed) peer = socket.remote_endpoint(failed);
  if (!failed) ours = socket.local_endpoint(failed);
  if (!failed && shared_.connections >= options_.limits.max_connections) {
    shared_.dispatcher.complaints().warn(
        "a Kafka connection over the limit is closed; see kafka.max_connections",
        {{"client", readable_host(peer.address())}, {"limit", options_.limits.max_connections}});
  } else if (!failed) {
    auto facts = std::make_shared<ConnectionFacts>();
    facts->client_host = readable_host(peer.address());
    facts->client_port = peer.port();
    facts->dialled_host = readable_host(ours.address());
    facts->dialled_port = ours.port();
    loop.adopt(std::move(socket), std::move(facts));
  }
  accept(acceptor);
}

}  // namespace pinflow::kafka_door::internal
