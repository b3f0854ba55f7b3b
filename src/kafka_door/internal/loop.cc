#include "kafka_door/internal/loop.h"

#include <array>
#include <utility>

#include <boost/asio/post.hpp>

namespace pinflow::kafka_door::internal {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {
constexpr std::size_t kScratch = 256 << 10;
constexpr std::size_t kSpareBlocks = 16;
constexpr std::size_t kMaxGather = 64;  // Pieces of one write.

std::size_t gather(const std::deque<Conversation::Output>& output, std::span<std::string_view> pieces) {
  std::size_t count = 0;
  for (const auto& item : output) {
    for (const std::string_view piece : item.pieces) {
      if (count == pieces.size()) return count;
      pieces[count++] = piece;
    }
  }
  return count;
}
}  // namespace

Loop::Loop(LoopShared& shared)
    : shared_(shared),
      limits_(shared.context.options.limits),
      work_(asio::make_work_guard(io_)),
      grace_timer_(io_),
      pool_(std::make_shared<BlockPool>(kScratch, kSpareBlocks)),
      scratch_(pool_->take()),
      mailbox_(std::make_shared<Mailbox>([this] { asio::post(io_, [this] { deliver_all(); }); })) {}

Loop::~Loop() {
  stop(std::chrono::milliseconds(0));
  join();
}

void Loop::start() {
  thread_ = std::thread([this] { run(); });
}

void Loop::join() {
  if (thread_.joinable()) thread_.join();
  mailbox_->close();
}

void Loop::run() {
  io_.run();
  mailbox_->close();
  for (const auto& [id, connection] : connections_) shared_.budget.change(connection->held, 0);
  shared_.connections -= connections_.size();
  connections_.clear();
}

void Loop::adopt(tcp::socket socket, std::shared_ptr<ConnectionFacts> facts) {
  ++shared_.connections;
  asio::post(io_, [this, taken = std::move(socket), known = std::move(facts)]() mutable {
    open(std::move(taken), std::move(known));
  });
}

void Loop::open(tcp::socket socket, std::shared_ptr<ConnectionFacts> facts) {
  if (stopping_) {
    --shared_.connections;
    return;
  }
  const auto id = next_id_++;
  auto& connection =
      *(connections_[id] = std::make_unique<Connection>(id, std::move(socket), std::move(facts), shared_));
  connection.opened_at = connection.active_at = steady_clock::now();
  if (shared_.tls == nullptr) {
    connection.begun = true;
  } else if (!shared_.context.options.tls.allow_plaintext) {
    connection.transport.begin_tls(shared_.tls->session());
    connection.begun = true;
  }
  advance(connection);
}

// Decides on the first byte whether this connection speaks TLS.
void Loop::begin(Connection& connection) {
  const auto tls = connection.transport.begins_with_tls();
  if (!tls) return;  // Nothing there: the read that follows tells why.
  if (*tls) connection.transport.begin_tls(shared_.tls->session());
  connection.begun = true;
}

void Loop::readable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_read = false;
  if (error) return drop(*connection);
  if (!connection->begun) begin(*connection);
  if (read(*connection)) advance(*connection);
}

// Reads once. False: the connection was dropped.
bool Loop::read(Connection& connection) {
  FrameReader& reader = connection.talk.reader();
  if (!connection.talk.wants_bytes()) return true;
  const std::span<char> own = reader.room();
  const std::span<char> room = own.empty() ? std::span(scratch_->bytes.get(), scratch_->capacity) : own;
  const auto [status, count] = connection.transport.read(room);
  switch (status) {
    case Status::kDone:
      connection.active_at = steady_clock::now();
      if (own.empty()) {
        reader.receive(scratch_, count);
      } else {
        reader.received(count);
      }
      return true;
    case Status::kWantRead:
      return true;
    case Status::kWantWrite:
      wait_write(connection);
      return true;
    case Status::kClosed:
    case Status::kFailed:
      transport_ended(connection);
      return false;
  }
  return true;
}

void Loop::transport_ended(Connection& connection) {
  if (!connection.transport.failure().empty()) {
    complain(connection, "a Kafka connection failed", connection.transport.failure());
  }
  drop(connection);
}

void Loop::writable(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  connection->waiting_write = false;
  if (error) return drop(*connection);
  // TLS may have wanted to write before it could read.
  if (connection->talk.output().empty() && !read(*connection)) return;
  advance(*connection);
}

// All answers first, so that those of one connection leave in one write.
void Loop::deliver_all() {
  std::vector<std::uint64_t> touched;
  for (Delivery& delivery : mailbox_->drain()) {
    Connection* const connection = find(delivery.ticket.connection);
    if (connection == nullptr) continue;
    take(*connection, std::move(delivery));
    if (touched.empty() || touched.back() != connection->id) touched.push_back(connection->id);
  }
  for (const std::uint64_t id : touched) {
    Connection* const connection = find(id);
    if (connection != nullptr) advance(*connection);
  }
}

void Loop::take(Connection& connection, Delivery delivery) {
  connection.active_at = steady_clock::now();
  if (!delivery.answer) {
    if (connection.poll != nullptr && connection.poll_request == delivery.ticket.request) look(connection, false);
  } else if (delivery.answer->kind == Answer::Kind::kWait) {
    connection.poll = std::move(delivery.answer->poll);
    connection.poll_request = delivery.ticket.request;
    if (stopping_) {
      look(connection, true);
    } else {
      watch(connection);
    }
  } else {
    connection.talk.answer(delivery.ticket.request, std::move(*delivery.answer));
  }
}

void Loop::look(Connection& connection, bool last) {
  connection.watch.reset();
  std::optional<Answer> answer = connection.poll->look(last);
  if (!answer) return watch(connection);
  connection.poll.reset();
  connection.talk.answer(connection.poll_request, std::move(*answer));
}

void Loop::watch(Connection& connection) {
  const auto positions = connection.poll->positions();
  if (positions.empty()) return;
  connection.watch = shared_.context.log.watch(
      positions, [mailbox = mailbox_, ticket = Ticket{connection.id, connection.poll_request}] {
        mailbox->deliver(ticket, std::nullopt);
      });
}

// Starts what may start. False: nothing did.
bool Loop::start_requests(Connection& connection) {
  bool started = false;
  while (auto next = connection.talk.next()) {
    started = true;
    mailbox_->begin_direct(connection.id);
    shared_.dispatcher.dispatch(connection.session, std::move(next->frame), mailbox_, {connection.id, next->request});
    for (Delivery& delivery : mailbox_->end_direct()) {
      if (delivery.ticket.connection == connection.id) {
        take(connection, std::move(delivery));
      } else {  // One member of a group may bring the answers of the others.
        mailbox_->deliver(delivery.ticket, std::move(delivery.answer));
      }
    }
  }
  return started;
}

// Moves a connection on as far as it goes without waiting, then waits for what it needs next. May drop it.
void Loop::advance(Connection& connection) {
  Conversation& talk = connection.talk;
  do {
    if (!flush(connection)) return transport_ended(connection);
  } while (talk.output().empty() && start_requests(connection));
  talk.reader().settle();
  if (scratch_.use_count() > 1) scratch_ = pool_->take();
  account(connection);
  if (stopping_ && !talk.working() && talk.output().empty()) return drop(connection);
  if (talk.over()) {
    if (!talk.reason().empty()) complain(connection, "a Kafka connection is closed", talk.reason());
    connection.transport.say_goodbye();
    return drop(connection);
  }
  set_deadline(connection);
  if (!talk.output().empty()) return wait_write(connection);
  if (!talk.wants_bytes()) return;
  if (connection.transport.has_buffered()) {
    return asio::post(io_, [this, id = connection.id] { readable(id, {}); });
  }
  wait_read(connection);
}

// Writes as much as the socket takes. False: the connection is broken.
bool Loop::flush(Connection& connection) {
  const auto& output = connection.talk.output();
  while (!output.empty()) {
    std::array<std::string_view, kMaxGather> pieces;
    const std::size_t used = gather(output, pieces);
    const auto [status, count] = connection.transport.write(std::span(pieces).first(used));
    switch (status) {
      case Status::kDone:
        connection.active_at = steady_clock::now();
        connection.talk.sent(count);
        break;
      case Status::kWantRead:
      case Status::kWantWrite:
        return true;
      case Status::kClosed:
      case Status::kFailed:
        return false;
    }
  }
  return true;
}

void Loop::account(Connection& connection) {
  const std::size_t now = connection.talk.held_bytes();
  if (now == connection.held) return;
  shared_.budget.change(std::exchange(connection.held, now), now);
}

void Loop::relieve() {
  asio::post(io_, [this] { resume(); });
}

void Loop::resume() {
  if (!shared_.budget.exhausted()) overdraft_ = 0;
  while (!paused_.empty() && !shared_.budget.exhausted()) {
    Connection* const connection = find(paused_.front());
    paused_.pop_front();
    if (connection == nullptr) continue;
    connection->paused = false;
    connection->active_at = steady_clock::now();
    advance(*connection);
  }
  // Without this, connections that each hold part of a request could fill the memory and wait for each other.
  if (!paused_.empty() && overdraft_ == 0) {
    Connection* const connection = find(paused_.front());
    paused_.pop_front();
    if (connection == nullptr) return resume();
    overdraft_ = connection->id;
    connection->paused = false;
    advance(*connection);
  }
}

void Loop::wait_read(Connection& connection) {
  if (connection.waiting_read || connection.paused) return;
  if (shared_.budget.exhausted() && connection.id != overdraft_) {
    connection.paused = true;
    paused_.push_back(connection.id);
    if (overdraft_ == 0) asio::post(io_, [this] { resume(); });
    return;
  }
  connection.waiting_read = true;
  connection.socket.async_wait(tcp::socket::wait_read,
                               [this, id = connection.id](const error_code& error) { readable(id, error); });
}

void Loop::wait_write(Connection& connection) {
  if (std::exchange(connection.waiting_write, true)) return;
  connection.socket.async_wait(tcp::socket::wait_write,
                               [this, id = connection.id](const error_code& error) { writable(id, error); });
}

Loop::Time Loop::deadline(const Connection& connection) const {
  const Conversation& talk = connection.talk;
  if (!connection.talk.output().empty()) return connection.active_at + limits_.transfer_timeout;
  if (connection.poll != nullptr) return connection.poll->deadline();
  if (talk.working() || connection.paused) return Time::max();
  if (!connection.session.authentication.done()) return connection.opened_at + limits_.authentication_timeout;
  return connection.active_at + (talk.idle() ? limits_.idle_timeout : limits_.transfer_timeout);
}

void Loop::set_deadline(Connection& connection) {
  const Time at = deadline(connection);
  // A timer that is due before the deadline is left alone and looks again when it fires: most requests then set none.
  if (at != Time::max() && (!connection.timer_armed || connection.timer_at > at)) arm_timer(connection, at);
}

void Loop::arm_timer(Connection& connection, Time at) {
  connection.timer_armed = true;
  connection.timer_at = at;
  connection.timer.expires_at(at);
  connection.timer.async_wait([this, id = connection.id](const error_code& error) { expired(id, error); });
}

void Loop::expired(std::uint64_t id, const error_code& error) {
  Connection* const connection = find(id);
  if (connection == nullptr || error) return;
  connection->timer_armed = false;
  const Time at = deadline(*connection);
  if (at == Time::max()) return;
  if (steady_clock::now() < at) return arm_timer(*connection, at);
  if (connection->poll != nullptr && connection->talk.output().empty()) {
    look(*connection, true);
    return advance(*connection);
  }
  if (!connection->session.authentication.done()) {
    complain(*connection, "a Kafka connection is closed", "the client did not authenticate in time");
  } else if (!connection->talk.idle()) {
    complain(*connection, "a Kafka connection is closed", "no byte of a request or response went through for too long");
  }
  drop(*connection);
}

void Loop::complain(const Connection& connection, std::string_view message, std::string_view reason) {
  shared_.dispatcher.complaints().warn(message, {{"client", connection.session.client()}, {"reason", reason}});
}

void Loop::drop(Connection& connection) {
  const std::uint64_t id = connection.id;
  shared_.budget.change(connection.held, 0);
  connections_.erase(id);
  --shared_.connections;
  if (id == overdraft_) {
    overdraft_ = 0;
    relieve();
  }
  if (stopping_ && connections_.empty()) io_.stop();
}

void Loop::stop(std::chrono::milliseconds grace) {
  asio::post(io_, [this, grace] { begin_stop(grace); });
}

void Loop::begin_stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopping_, true)) return;
  std::vector<std::uint64_t> open;
  for (const auto& [id, connection] : connections_) open.push_back(id);
  for (const std::uint64_t id : open) {
    Connection* const connection = find(id);
    if (connection == nullptr) continue;
    connection->talk.finish();
    if (connection->poll != nullptr) look(*connection, true);
    advance(*connection);
  }
  if (connections_.empty()) return io_.stop();
  grace_timer_.expires_after(grace);
  grace_timer_.async_wait([this](const error_code& error) {
    if (error) return;
    shared_.context.logger.warning("Kafka connections are closed before their answers were sent",
                                   {{"connections", connections_.size()}});
    io_.stop();
  });
}

}  // namespace pinflow::kafka_door::internal
