#include "http/internal/loop.h"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/check.h"

namespace pinflow::http::internal {

namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t kReadBuffer = 256 << 10;
constexpr std::size_t kMaxRefused = 64;  // Connections over a limit that still get their 503.
constexpr int kMaxTurns = 16;            // Of one connection, before the others have theirs.
constexpr std::chrono::seconds kComplainEvery{10};

// A client of an IPv4 address may reach us through an IPv6 socket.
asio::ip::address plain_address(const asio::ip::address& address) {
  if (!address.is_v6()) return address;
  auto plain = address.to_v6();
  if (plain.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, plain);
  plain.scope_id(0);
  return plain;
}

// One who has an IPv6 address has a whole /64 of them.
std::uint64_t key_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  std::uint64_t key = 0;
  const auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | bytes[i];
  return ~key;
}
}  // namespace

Loop::Loop(const ServerOptions& options, const net::TlsServer* tls, Handler& handler, Logger& logger)
    : options_(options),
      logger_(logger),
      grace_timer_(io_),
      scratch_(kReadBuffer),
      context_{.options = options_,
               .limits = {.max_header = static_cast<std::size_t>(options.max_header.count()),
                          .max_target = static_cast<std::size_t>(options.max_target.count()),
                          .max_body = options.max_body.count(),
                          .max_unpack_ratio = options.max_unpack_ratio,
                          .max_streams = options.max_streams},
               .handler = handler,
               .tls = tls,
               .mailbox = std::make_shared<Mailbox>([this] { asio::post(io_, [this] { deliver_all(); }); }),
               .wake = [this](std::uint64_t id) { asio::post(io_, [this, id] { resume(id); }); }},
      listener_(io_, logger, [this](tcp::socket socket) { open(std::move(socket)); }) {}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  listener_.start();
  io_.run();
  context_.mailbox->close();
  connections_.clear();
  open_ = 0;
}

void Loop::stop(std::chrono::milliseconds grace) {
  CHECK(std::this_thread::get_id() != thread_.load(), "the HTTP server is stopped from its own thread");
  asio::post(io_, [this, grace] { begin_stop(grace); });
}

// Empty: one more connection from there is within the limits.
std::string Loop::excess(std::uint64_t address_key) {
  std::string what;
  if (connections_.size() - refused_ >= options_.max_connections) {
    what = fmt::format("the server has its limit of {} connections", options_.max_connections);
  } else if (const auto found = per_address_.find(address_key);
             found != per_address_.end() && found->second >= options_.max_connections_per_address) {
    what = fmt::format("the server has its limit of {} connections from one address",
                       options_.max_connections_per_address);
  }
  return what;
}

void Loop::open(tcp::socket socket) {
  error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  if (gone) return;
  const auto address = plain_address(endpoint.address());
  const std::uint64_t key = key_of(address);
  const std::string over = excess(key);
  if (!over.empty()) {
    if (steady_clock::now() - complained_at_ >= kComplainEvery) {
      complained_at_ = steady_clock::now();
      logger_.warning("HTTP connections are refused; see http.max_connections and http.max_connections_per_address",
                      {{"client", address.to_string()}, {"why", over}});
    }
    if (refused_ >= kMaxRefused || options_.tls.enabled()) return;
  }
  const std::uint64_t id = next_id_++;
  auto& connection =
      *(connections_[id] = std::make_unique<Connection>(context_, id, key, std::move(socket), address.to_string()));
  open_ = connections_.size();
  if (over.empty()) {
    connection.counted = true;
    ++per_address_[key];
  } else {
    connection.refused = true;
    ++refused_;
    connection.refuse(503, over + "; try again");
  }
  advance(connection);
}

void Loop::readable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_read = false;
  if (error || !connection->receive(scratch_)) return drop(*connection);
  advance(*connection);
}

void Loop::writable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_write = false;
  if (error) return drop(*connection);
  // TLS may have wanted to write before it could read.
  if (!connection->has_output() && !connection->receive(scratch_)) return drop(*connection);
  advance(*connection);
}

// All replies first, so that those of one connection leave in one write.
void Loop::deliver_all() {
  std::vector<std::uint64_t> touched;
  for (Delivery& delivery : context_.mailbox->drain()) {
    Connection* const connection = find(delivery.ticket.connection);
    if (connection == nullptr) continue;
    connection->take(delivery.ticket.stream, std::move(delivery.reply));
    if (!std::exchange(connection->touched, true)) touched.push_back(connection->id);
  }
  for (const std::uint64_t id : touched) {
    Connection* const connection = find(id);
    if (connection == nullptr) continue;
    connection->touched = false;
    advance(*connection);
  }
}

void Loop::resume(std::uint64_t id) {
  Connection* const connection = find(id);
  if (connection != nullptr) advance(*connection);
}

// Moves a connection on as far as it goes without waiting, then waits for what it needs next. May drop it.
void Loop::advance(Connection& connection) {
  for (int turn = 0;; ++turn) {
    connection.advance();
    if (!connection.has_output()) break;
    if (!connection.flush()) return drop(connection);
    if (connection.has_output()) break;  // The socket is full.
    if (turn == kMaxTurns) {
      context_.wake(connection.id);
      break;
    }
  }
  if (!connection.account()) return advance(connection);
  if (connection.is_ending() && !wait_for_end(connection)) return drop(connection);
  wait(connection);
}

// All is said. False: the connection can be closed.
bool Loop::wait_for_end(Connection& connection) {
  if (!connection.begin_drain()) return false;
  if (!stopping_) return true;
  connection.receive(scratch_);  // What lies in the socket would make of our close a reset.
  return false;
}

void Loop::wait(Connection& connection) {
  connection.update_deadline();
  // A timer that is due before the deadline is left alone and looks again when it fires: most requests then set none.
  const Time deadline = connection.deadline();
  if (deadline != Time::max() && (!connection.timer_armed || connection.timer_at > deadline)) arm_timer(connection);
  if (connection.wants_write() && !std::exchange(connection.waiting_write, true)) {
    connection.socket.async_wait(tcp::socket::wait_write,
                                 [this, id = connection.id](const error_code& error) { writable(id, error); });
  }
  if (connection.waiting_read) return;
  if (connection.has_input()) {
    // The socket would tell nothing new.
    if (!connection.wants_read()) return;
    connection.waiting_read = true;
    return asio::post(io_, [this, id = connection.id] { readable(id, {}); });
  }
  connection.waiting_read = true;
  connection.socket.async_wait(tcp::socket::wait_read,
                               [this, id = connection.id](const error_code& error) { readable(id, error); });
}

void Loop::arm_timer(Connection& connection) {
  connection.timer_at = connection.deadline();
  connection.timer_armed = true;
  connection.timer.expires_at(connection.timer_at);
  connection.timer.async_wait([this, id = connection.id](const error_code& error) { expired(id, error); });
}

void Loop::expired(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr || error == asio::error::operation_aborted) return;
  connection->timer_armed = false;
  if (connection->deadline() == Time::max()) return;
  if (steady_clock::now() < connection->deadline()) return arm_timer(*connection);
  if (!connection->overdue()) return drop(*connection);
  advance(*connection);
}

void Loop::drop(Connection& connection) {
  if (connection.refused) --refused_;
  if (connection.counted) {
    const auto found = per_address_.find(connection.address_key);
    if (--found->second == 0) per_address_.erase(found);
  }
  // Out of the map first: its session tells handlers that the peer is gone.
  const auto gone = connections_.extract(connection.id);
  open_ = connections_.size();
  if (stopping_ && connections_.empty()) io_.stop();
}

void Loop::begin_stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopping_, true)) return;
  listener_.close();
  std::vector<std::uint64_t> open;
  for (const auto& [id, connection] : connections_) open.push_back(id);
  for (const std::uint64_t id : open) {
    Connection* const connection = find(id);
    if (connection == nullptr) continue;
    if (connection->finish()) {
      advance(*connection);
    } else {
      drop(*connection);
    }
  }
  if (connections_.empty()) return io_.stop();
  grace_timer_.expires_after(grace);
  grace_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    logger_.warning("HTTP connections are closed before their answers were sent",
                    {{"connections", connections_.size()}});
    io_.stop();
  });
}

}  // namespace pinflow::http::internal
