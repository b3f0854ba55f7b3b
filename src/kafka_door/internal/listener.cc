#include "kafka_door/internal/listener.h"

#include <algorithm>

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

namespace pinflow::kafka_door::internal {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr std::chrono::milliseconds kAcceptPause{200};
constexpr int kBacklog = 4096;
constexpr int kFreePortTries = 10;

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

bool is_absent(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == error_code(EADDRNOTAVAIL, boost::system::system_category());
}
}  // namespace

Listener::Listener(LoopShared& shared, std::span<const std::unique_ptr<Loop>> loops)
    : shared_(shared), options_(shared.context.options), loops_(loops) {}

Result<std::vector<asio::ip::address>> Listener::addresses() const {
  std::vector<asio::ip::address> all;
  for (const std::string& name : options_.addresses) {
    if (name == "localhost") {
      all.emplace_back(asio::ip::address_v4::loopback());
      all.emplace_back(asio::ip::address_v6::loopback());
      continue;
    }
    error_code error;
    all.push_back(asio::ip::make_address(name, error));
    if (error) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("kafka.addresses: '{}' is not an IP address, such as 127.0.0.1 or 0.0.0.0", name));
    }
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  if (all.empty()) return fail(ErrorCode::kInvalid, "kafka.addresses: at least one address is needed");
  return all;
}

Result<void> Listener::bind_all(const std::vector<asio::ip::address>& addresses) {
  acceptors_.clear();
  port_ = options_.port;
  std::string absent;
  const bool has_v4 = std::ranges::any_of(addresses, [](const auto& address) { return address.is_v4(); });
  for (const auto& address : addresses) {
    auto acceptor = std::make_unique<Acceptor>(loops_.front()->io());
    tcp::acceptor& socket = acceptor->socket;
    const tcp::endpoint endpoint(address, port_);
    error_code error;
    socket.open(endpoint.protocol(), error);
    if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.is_v6()) socket.set_option(asio::ip::v6_only(has_v4), error);
    if (!error) socket.bind(endpoint, error);
    if (!error) socket.listen(kBacklog, error);
    if (is_absent(error)) {
      absent += (absent.empty() ? "" : ", ") + address.to_string();
      continue;
    }
    if (error) {
      const bool taken = error == asio::error::address_in_use;
      return fail(
          taken ? ErrorCode::kConflict : ErrorCode::kUnavailable,
          fmt::format("cannot listen for Kafka on {} port {}: {}. {}", address.to_string(), port_, error.message(),
                      taken ? "Another program (a Kafka, another pinflow?) has this port; see `ss -ltnp`, or set "
                              "kafka.port"
                            : "Set kafka.addresses to addresses of this machine, and kafka.port to one that this "
                              "user may open"));
    }
    port_ = socket.local_endpoint(error).port();
    acceptors_.push_back(std::move(acceptor));
  }
  if (acceptors_.empty()) {
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("cannot listen for Kafka: this machine has none of the addresses {}; set kafka.addresses", absent));
  }
  if (!absent.empty())
    shared_.context.logger.info("addresses that this machine lacks are left out", {{"kafka", absent}});
  return {};
}

Result<void> Listener::open() {
  TRY_ASSIGN(const auto wanted, addresses());
  auto bound = bind_all(wanted);
  // A port that is free on one address may be taken on the next.
  for (int i = 1; !bound && bound.error().code == ErrorCode::kConflict && options_.port == 0 && i < kFreePortTries;
       ++i) {
    bound = bind_all(wanted);
  }
  if (!bound && bound.error().code == ErrorCode::kConflict) return fail(ErrorCode::kUnavailable, bound.error().message);
  return bound;
}

std::vector<std::string> Listener::bound() const {
  std::vector<std::string> all;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    all.push_back(acceptor->socket.local_endpoint(ignored).address().to_string());
  }
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
