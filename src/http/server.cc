#include "http/server.h"

#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include "base/check.h"
#include "http/internal/conversation.h"
#include "http/internal/mailbox.h"

namespace pinflow::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using internal::Conversation;
using Phase = Conversation::Phase;
using std::chrono::steady_clock;

constexpr std::size_t kReadBuffer = 256 << 10;      // One for all connections: they are read one after the other.
constexpr std::size_t kMaxGather = 16;              // Pieces of one write.
constexpr std::size_t kMaxRefused = 64;             // Connections over the limit that still get their 503.
constexpr std::chrono::milliseconds kDrain{2'000};  // For the peer to read our last words.
constexpr std::chrono::milliseconds kAcceptPause{200};

struct Connection {
  Connection(std::uint64_t number, tcp::socket connected, const internal::RequestLimits& limits, std::uint64_t max_body)
      : id(number), socket(std::move(connected)), timer(socket.get_executor()), talk(limits, max_body) {}

  const std::uint64_t id;
  tcp::socket socket;
  asio::steady_timer timer;
  Conversation talk;
  std::size_t sent = 0;  // Of the first piece of talk's output.
  std::size_t held = 0;  // What it counts for in the loop's sum.
  bool waiting_read = false;
  bool waiting_write = false;
  bool draining = false;
  bool timer_armed = false;
  std::pair<int, std::uint64_t> stage{-1, 0};  // What the deadline is for; a new stage gets a new one.
  steady_clock::time_point deadline = steady_clock::time_point::max();
  steady_clock::time_point timer_at{};
};

// Everything of the server that lives on its thread.
class Loop {
 public:
  Loop(const ServerOptions& options, Handler& handler, Logger& logger)
      : options_(options),
        limits_{static_cast<std::size_t>(options.max_header.count()),
                static_cast<std::size_t>(options.max_target.count())},
        handler_(handler),
        logger_(logger),
        acceptor_(io_),
        accept_timer_(io_),
        grace_timer_(io_),
        scratch_(kReadBuffer),
        mailbox_(std::make_shared<internal::Mailbox>([this] { asio::post(io_, [this] { deliver_all(); }); })) {}

  Result<void> listen();
  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return open_; }
  void run();
  void stop(std::chrono::milliseconds grace);

 private:
  void accept();
  void accepted(const error_code& error, tcp::socket socket);
  void refuse_connection(Connection& connection);
  void readable(std::uint64_t id, const error_code& error);
  void writable(std::uint64_t id, const error_code& error);
  void expired(std::uint64_t id, const error_code& error);
  void deliver_all();
  void advance(Connection& connection);
  void hand_over(Connection& connection);
  bool flush(Connection& connection);
  void wait_read(Connection& connection);
  void wait_write(Connection& connection);
  void set_deadline(Connection& connection);
  void arm_timer(Connection& connection);
  void count_bodies(Connection& connection);
  void drop(Connection& connection);
  void begin_stop(std::chrono::milliseconds grace);
  std::string_view date();
  Connection* find(std::uint64_t id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }

  const ServerOptions options_;
  const internal::RequestLimits limits_;
  Handler& handler_;
  Logger& logger_;
  const SystemClock clock_;  // For the Date header alone, which no decision rests on.
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  asio::steady_timer grace_timer_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> open_ = 0;  // As many as connections_, for other threads.
  std::vector<char> scratch_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_id_ = 1;
  std::uint64_t held_bytes_ = 0;
  bool stopping_ = false;
  bool full_ = false;
  std::atomic<std::thread::id> thread_;
  std::string date_;
  std::int64_t date_second_ = 0;
  const std::shared_ptr<internal::Mailbox> mailbox_;
};

Result<void> Loop::listen() {
  error_code error;
  const auto address = asio::ip::make_address(
      options_.addresses.front() == "localhost" ? "127.0.0.1" : options_.addresses.front(), error);
  if (error) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the HTTP address '{}' is not an IP address, such as 127.0.0.1 or 0.0.0.0",
                            options_.addresses.front()));
  }
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (error) {
    const bool taken = error == asio::error::address_in_use;
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("cannot listen for HTTP on {}:{}: {}. {}", options_.addresses.front(), options_.port,
                    error.message(),
                    taken ? "Another program (or another pinflow) has this port; see `ss -ltnp`, or set another port"
                          : "Set an address of this machine, and a port that this user may open"));
  }
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  accept();
  io_.run();
  mailbox_->close();
  connections_.clear();
}

void Loop::stop(std::chrono::milliseconds grace) {
  CHECK(std::this_thread::get_id() != thread_.load(), "the HTTP server is stopped from its own thread");
  asio::post(io_, [this, grace] { begin_stop(grace); });
}

void Loop::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Loop::accepted(const error_code& error, tcp::socket socket) {
  if (stopping_) return;
  if (error) {
    if (error == asio::error::connection_aborted) return accept();
    // Out of descriptors or memory: what is open goes on, newcomers wait in the kernel's queue.
    logger_.warning("cannot accept an HTTP connection for now; is the limit of open files too low?",
                    {{"error", error.message()}, {"connections", connections_.size()}});
    accept_timer_.expires_after(kAcceptPause);
    accept_timer_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) accept();
    });
    return;
  }
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  const bool over = connections_.size() >= options_.max_connections;
  if (over != full_) {
    full_ = over;
    if (over) logger_.warning("the HTTP server is at its limit of connections", {{"limit", options_.max_connections}});
  }
  if (connections_.size() < options_.max_connections + kMaxRefused) {
    const auto id = next_id_++;
    auto& connection =
        *(connections_[id] = std::make_unique<Connection>(id, std::move(socket), limits_, options_.max_body.count()));
    open_ = connections_.size();
    if (over) refuse_connection(connection);
    advance(connection);
  }
  accept();
}

void Loop::refuse_connection(Connection& connection) {
  connection.talk.refuse(
      503, fmt::format("the server has its limit of {} connections; try again", options_.max_connections), date());
}

void Loop::readable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_read = false;
  if (error) return drop(*connection);
  error_code read_error;
  const auto count = connection->socket.read_some(asio::buffer(scratch_), read_error);
  if (read_error == asio::error::would_block || read_error == asio::error::interrupted) return wait_read(*connection);
  if (read_error) return drop(*connection);
  if (!connection->draining) {
    connection->talk.receive({scratch_.data(), count});
    count_bodies(*connection);
  }
  advance(*connection);
}

void Loop::writable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_write = false;
  if (error) return drop(*connection);
  advance(*connection);
}

void Loop::deliver_all() {
  for (auto& delivery : mailbox_->drain()) {
    Connection* const connection = find(delivery.connection);
    if (connection == nullptr || connection->talk.phase() != Phase::kAnswering) continue;
    connection->talk.answer(std::move(delivery.response), date());
    count_bodies(*connection);
    advance(*connection);
  }
}

// Hands over requests until one has to wait for its answer.
void Loop::hand_over(Connection& connection) {
  while (connection.talk.phase() != Phase::kAnswering && connection.talk.output().size() <= kMaxGather) {
    auto request = connection.talk.next(date());
    if (!request) return;
    mailbox_->expect(connection.id);
    handler_.handle(std::move(*request), internal::make_responder(mailbox_, connection.id));
    auto answer = mailbox_->collect();
    if (!answer) return;
    connection.talk.answer(std::move(*answer), date());
  }
}

// Moves a connection on as far as it goes without waiting, then waits for what it needs next. May drop it.
void Loop::advance(Connection& connection) {
  for (;;) {
    if (connection.talk.output().empty()) hand_over(connection);
    const bool had_output = !connection.talk.output().empty();
    if (!flush(connection)) return drop(connection);
    if (!connection.talk.output().empty()) {
      set_deadline(connection);
      return wait_write(connection);
    }
    if (!had_output) break;
  }
  count_bodies(connection);
  const Phase phase = connection.talk.phase();
  if (phase == Phase::kEnding && !connection.draining) {
    if (stopping_) return drop(connection);
    // Closing with unread input would reset the connection and may take our last answer from the peer's
    // hands.
    connection.draining = true;
    error_code ignored;
    connection.socket.shutdown(tcp::socket::shutdown_send, ignored);
  }
  if (stopping_ && phase != Phase::kAnswering) return drop(connection);
  set_deadline(connection);
  if (phase != Phase::kAnswering) wait_read(connection);
}

// Writes as much as the socket takes. False: the connection is broken.
bool Loop::flush(Connection& connection) {
  auto& output = connection.talk.output();
  while (!output.empty()) {
    std::array<asio::const_buffer, kMaxGather> pieces;
    const std::size_t count = std::min(output.size(), kMaxGather);
    for (std::size_t i = 0; i < count; ++i) pieces[i] = asio::buffer(output[i]);
    pieces[0] += connection.sent;
    error_code error;
    std::size_t written = connection.socket.write_some(std::span(pieces).first(count), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return true;
    if (error) return false;
    while (written > 0) {
      const std::size_t left = output.front().size() - connection.sent;
      if (written < left) {
        connection.sent += written;
        break;
      }
      written -= left;
      connection.sent = 0;
      output.pop_front();
    }
  }
  return true;
}

void Loop::wait_read(Connection& connection) {
  if (std::exchange(connection.waiting_read, true)) return;
  connection.socket.async_wait(tcp::socket::wait_read,
                               [this, id = connection.id](const error_code& error) { readable(id, error); });
}

void Loop::wait_write(Connection& connection) {
  if (std::exchange(connection.waiting_write, true)) return;
  connection.socket.async_wait(tcp::socket::wait_write,
                               [this, id = connection.id](const error_code& error) { writable(id, error); });
}

// Each stage has its time, counted from its first moment, so that a trickle of bytes does not extend it.
void Loop::set_deadline(Connection& connection) {
  enum Stage { kSending = 100, kDraining = 101 };
  const Phase phase = connection.talk.phase();
  const bool sending = !connection.talk.output().empty();
  const int name = sending ? kSending : connection.draining ? kDraining : static_cast<int>(phase);
  const std::pair stage{name, connection.talk.requests()};
  if (connection.stage == stage) return;
  connection.stage = stage;
  auto allowed = options_.idle_timeout;
  if (sending || phase == Phase::kBody) allowed = options_.body_timeout;
  if (!sending && phase == Phase::kHead) allowed = options_.header_timeout;
  if (!sending && connection.draining) allowed = kDrain;
  const bool unlimited = !sending && phase == Phase::kAnswering;
  connection.deadline = unlimited ? steady_clock::time_point::max() : steady_clock::now() + allowed;
  // A timer that is due before the deadline is left alone and looks again when it fires: most requests then
  // set none.
  if (!unlimited && (!connection.timer_armed || connection.timer_at > connection.deadline)) arm_timer(connection);
}

void Loop::arm_timer(Connection& connection) {
  connection.timer_at = connection.deadline;
  connection.timer_armed = true;
  connection.timer.expires_at(connection.deadline);
  connection.timer.async_wait([this, id = connection.id](const error_code& error) { expired(id, error); });
}

void Loop::expired(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr || error == asio::error::operation_aborted) return;
  connection->timer_armed = false;
  if (connection->deadline == steady_clock::time_point::max()) return;
  if (steady_clock::now() < connection->deadline) return arm_timer(*connection);
  const Phase phase = connection->talk.phase();
  const bool mid_request = phase == Phase::kHead || phase == Phase::kBody;
  if (!mid_request || !connection->talk.output().empty()) return drop(*connection);
  connection->talk.refuse(
      408,
      fmt::format("the {} of the request did not arrive within {} ms", phase == Phase::kHead ? "head" : "body",
                  (phase == Phase::kHead ? options_.header_timeout : options_.body_timeout).count()),
      date());
  advance(*connection);
}

// Bodies of all connections share one bound, so that many large uploads cannot take the machine's memory.
void Loop::count_bodies(Connection& connection) {
  const std::size_t held = connection.talk.held_bytes();
  held_bytes_ += held - connection.held;
  connection.held = held;
  if (held_bytes_ <= options_.max_bodies.count() || connection.talk.phase() != Phase::kBody) return;
  connection.talk.refuse(503, "the server holds as many request bodies as its memory bound allows; try again", date());
}

void Loop::drop(Connection& connection) {
  held_bytes_ -= connection.held;
  connections_.erase(connection.id);
  open_ = connections_.size();
  if (stopping_ && connections_.empty()) io_.stop();
}

void Loop::begin_stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopping_, true)) return;
  error_code ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel();
  std::vector<Connection*> open;
  for (const auto& [id, connection] : connections_) open.push_back(connection.get());
  for (Connection* const connection : open) {
    connection->talk.finish();
    const bool owes_answer = connection->talk.phase() == Phase::kAnswering || !connection->talk.output().empty();
    if (!owes_answer) drop(*connection);
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

std::string_view Loop::date() {
  const auto second = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
  if (second != date_second_) {
    date_second_ = second;
    date_ = internal::http_date(second);
  }
  return date_;
}

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, Handler& handler, Logger& logger) : loop_(options, handler, logger) {}
  ~AsioServer() override { stop(std::chrono::milliseconds(0)); }
  Result<void> start() {
    TRY(loop_.listen());
    thread_ = std::thread([this] { loop_.run(); });
    return {};
  }
  std::uint16_t port() const override { return loop_.port(); }
  std::size_t connections() const override { return loop_.connections(); }
  Result<void> reload_certificates() override { return {}; }
  void stop(std::chrono::milliseconds grace) override {
    if (!thread_.joinable()) return;
    loop_.stop(grace);
    thread_.join();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> start_server(const ServerOptions& options, Handler& handler, Logger& logger) {
  auto server = std::make_unique<AsioServer>(options, handler, logger);
  TRY(server->start());
  logger.info("HTTP is served", {{"address", options.addresses.front()}, {"port", server->port()}});
  return server;
}

}  // namespace pinflow::http
