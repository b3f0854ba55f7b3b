#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"
#include "http/internal/mailbox.h"
#include "http/internal/session.h"
#include "net/transport.h"

namespace pinflow::http::internal {

// The Date header's text, made once a second. No decision rests on it.
class DateText final {
 public:
  std::string_view now();

 private:
  const SystemClock clock_;
  std::string text_;
  std::int64_t second_ = -1;
};

// What the connections of one loop share. Outlives them; used on the loop's thread alone.
struct ConnectionContext {
  const ServerOptions& options;
  const SessionLimits limits;
  Handler& handler;
  const net::TlsServer* tls = nullptr;  // Null: in the clear alone.
  std::shared_ptr<Mailbox> mailbox;
  std::move_only_function<void(std::uint64_t)> wake;  // Makes the loop advance that connection soon.
  std::uint64_t held_bytes = 0;                       // Of all connections together.
  DateText date{};

  bool is_out_of_memory() const { return held_bytes > options.max_bodies.count(); }
};

// One connection of the server: its socket, TLS where it is spoken, and the session that its first bytes ask for. Moves bytes
// between the two as far as goes at once, and knows how long the peer may take. Owned by the loop, which waits for the socket and the time.
class Connection final : public SessionOwner {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `key` is what the limit per address counts by.
  Connection(ConnectionContext& context, std::uint64_t number, std::uint64_t key,
             boost::asio::ip::tcp::socket connected, std::string address);
  ~Connection() override;

  // Takes what the peer sent, one read's worth; `scratch` is where it is read to. False: the connection is over.
  bool receive(std::span<char> scratch);
  // Writes as much as the socket takes. False: the connection is broken.
  bool flush();
  void advance() {
    if (session_ != nullptr) session_->advance();
  }
  void take(StreamId stream, Reply reply);
  // Says no before any request, where words can be read: in the clear.
  void refuse(int status, std::string_view message);
  // Takes no more requests. False: nothing is owed, so it can go at once.
  bool finish();

  bool has_output() const { return session_ != nullptr && !session_->output().empty(); }
  // All is said: what remains is to let the peer read it and close.
  bool is_ending() const;
  // Half-closes. False: there is nothing to wait for.
  bool begin_drain();
  bool wants_read() const;
  // Input is there although the socket will not tell of it.
  bool has_input() const { return input_waiting_ || transport_.has_buffered(); }
  bool wants_write() const { return blocked_on_write_ || has_output(); }

  // Counts what it keeps in the context's sum. False: the sum is past its bound and this one must give way; then it has refused.
  bool account();
  // When the peer will have taken too long; set anew when what it is given time for changes.
  Time update_deadline();
  Time deadline() const { return deadline_; }
  // The deadline has passed. False: the connection is to be closed; true: it goes on, maybe with a refusal to send.
  bool overdue();

  Admission admit(Request& head) override;
  void hand_over(StreamId id, Request request) override;
  void pull(StreamId id, BodyStream& stream) override;
  void wake() override { context_.wake(id); }
  std::string_view date() override { return context_.date.now(); }

  const std::uint64_t id;
  const std::uint64_t address_key;
  boost::asio::ip::tcp::socket socket;
  boost::asio::steady_timer timer;
  // The loop's notes.
  bool counted = false;  // In the limit per address.
  bool refused = false;
  bool waiting_read = false;
  bool waiting_write = false;
  bool timer_armed = false;
  bool touched = false;
  Time timer_at{};

 private:
  using Status = net::Transport::Status;
  enum class Stage {
    kFirstByte,  // TLS or not is open.
    kHandshake,
    kPreface,  // Which HTTP is open.
    kTalking,
    kDraining,
  };

  void begin();
  bool shake_hands();
  void take_bytes(std::string_view bytes);
  void talk(bool http2);
  bool is_in_body() const;
  bool peer_ended();
  bool look();
  std::size_t unsent() const;
  std::uint64_t taken_by_peer() const;

  ConnectionContext& context_;
  net::Transport transport_;
  Peer peer_;
  std::unique_ptr<Session> session_;
  std::string prelude_;   // First bytes that may yet become HTTP/2's preface.
  std::size_t sent_ = 0;  // Of the first piece of the session's output.
  std::uint64_t written_ = 0;
  std::uint64_t taken_at_deadline_ = 0;  // What the peer had taken when the deadline was set.
  std::size_t held_ = 0;                 // What it counts for in the context's sum.
  Stage stage_ = Stage::kPreface;
  bool http2_ = false;
  bool blocked_on_write_ = false;                 // TLS has to write before it can read.
  bool input_waiting_ = false;                    // Left in the socket.
  std::stop_source abandoned_{std::nostopstate};  // Of all its requests in hand; made with the first.
  bool peer_finished_ = false;                    // Sends nothing more, may still read.
  std::pair<int, std::uint64_t> timed_{-1, 0};
  Time deadline_ = Time::max();
};

}  // namespace pinflow::http::internal
