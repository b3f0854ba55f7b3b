#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "kafka_door/internal/block.h"
#include "kafka_door/internal/conversation.h"
#include "kafka_door/internal/dispatch.h"
#include "kafka_door/internal/mailbox.h"
#include "kafka_door/internal/memory_budget.h"
#include "net/transport.h"

namespace pinflow::kafka_door::internal {

// What the loops of one server share. Outlives them.
struct LoopShared {
  Context& context;
  Dispatcher& dispatcher;
  const Credentials& credentials;
  MemoryBudget& budget;
  const net::TlsServer* tls = nullptr;  // Null: in the clear alone.
  std::atomic<std::size_t> connections = 0;
};

struct Connection {
  using Time = std::chrono::steady_clock::time_point;

  Connection(std::uint64_t number, boost::asio::ip::tcp::socket connected, std::shared_ptr<ConnectionFacts> facts,
             const LoopShared& shared)
      : id(number),
        socket(std::move(connected)),
        timer(socket.get_executor()),
        transport(socket.native_handle()),
        talk(shared.context.options.limits.max_request.count(), shared.context.options.limits.max_in_flight),
        session(std::move(facts), shared.credentials) {}

  const std::uint64_t id;
  boost::asio::ip::tcp::socket socket;
  boost::asio::steady_timer timer;
  net::Transport transport;
  Conversation talk;
  Session session;

  // The long poll of the one request in hand.
  std::unique_ptr<LongPoll> poll;
  std::unique_ptr<log::Watch> watch;
  std::uint64_t poll_request = 0;

  std::size_t held = 0;  // What it counts for in the budget.
  bool begun = false;    // TLS or not is decided.
  bool waiting_read = false;
  bool waiting_write = false;
  bool paused = false;  // Waits for memory.
  bool timer_armed = false;
  Time timer_at{};
  Time opened_at{};
  Time active_at{};  // Its last byte in or out, or the last answer.
};

// One network thread with the connections that it owns. Everything but adopt(), stop() and relieve() runs on that thread.
class Loop final {
 public:
  explicit Loop(LoopShared& shared);
  ~Loop();

  boost::asio::io_context& io() { return io_; }
  void start();
  // Takes a connected socket of io(). From any thread.
  void adopt(boost::asio::ip::tcp::socket socket, std::shared_ptr<ConnectionFacts> facts);
  // There is memory again. From any thread.
  void relieve();
  void stop(std::chrono::milliseconds grace);
  void join();

 private:
  using Time = Connection::Time;
  using Status = net::Transport::Status;

  void run();
  void open(boost::asio::ip::tcp::socket socket, std::shared_ptr<ConnectionFacts> facts);
  void readable(std::uint64_t id, const boost::system::error_code& error);
  void writable(std::uint64_t id, const boost::system::error_code& error);
  void expired(std::uint64_t id, const boost::system::error_code& error);
  void begin(Connection& connection);
  bool read(Connection& connection);
  void advance(Connection& connection);
  bool start_requests(Connection& connection);
  bool flush(Connection& connection);
  void deliver_all();
  void take(Connection& connection, Delivery delivery);
  void look(Connection& connection, bool last);
  void watch(Connection& connection);
  void account(Connection& connection);
  void resume();
  void wait_read(Connection& connection);
  void wait_write(Connection& connection);
  void set_deadline(Connection& connection);
  void arm_timer(Connection& connection, Time at);
  Time deadline(const Connection& connection) const;
  void transport_ended(Connection& connection);
  void complain(const Connection& connection, std::string_view message, std::string_view reason);
  void drop(Connection& connection);
  void begin_stop(std::chrono::milliseconds grace);
  Connection* find(std::uint64_t id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }

  LoopShared& shared_;
  const KafkaServerLimits& limits_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer grace_timer_;
  const std::shared_ptr<BlockPool> pool_;  // Shared with the blocks it has lent.
  BlockPtr scratch_;                       // All connections are read into it, one after the other.
  const std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_id_ = 1;
  std::deque<std::uint64_t> paused_;  // Connections that wait for memory, longest first.
  std::uint64_t overdraft_ = 0;       // The one that may read on without, so that not all wait for each other.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pinflow::kafka_door::internal
