#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "http/internal/session.h"
#include "http/message.h"
#include "http/server.h"

namespace pinflow::http::internal {

// Names one request of the server.
struct Ticket {
  std::uint64_t connection = 0;
  StreamId stream = 0;
  friend bool operator==(const Ticket&, const Ticket&) = default;
};

// A request's answer, or the next piece of its answer's body.
using Reply = std::variant<Response, BodyStream::Piece>;

struct Delivery {
  Ticket ticket;
  Reply reply;
};

// Carries answers and pieces of them from any thread to the server's loop. Shared by the loop and everybody who owes a reply, because
// they may outlive the server. At most one reply for each request in hand waits here.
class Mailbox {
 public:
  // `wake` makes the loop drain(); called under the lock, from any thread.
  explicit Mailbox(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}

  void deliver(Ticket ticket, Reply reply);
  std::vector<Delivery> drain();
  // Between the two, a reply to `ticket` from this same thread takes no detour through the queue.
  void expect(Ticket ticket);
  std::optional<Reply> collect();
  // Drops what comes from now on: the loop has ended.
  void close();

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  bool closed_ = false;
  std::vector<Delivery> waiting_;
  Ticket expected_;
  std::thread::id expecting_thread_;
  std::optional<Reply> direct_;
};

// Makes the right to answer one request, once; dropped unused it answers 500.
Responder make_responder(std::shared_ptr<Mailbox> mailbox, Ticket ticket);
// Makes what takes the next piece of an answer's body, once; dropped unused it breaks the answer off.
BodyStream::Take make_piece_taker(std::shared_ptr<Mailbox> mailbox, Ticket ticket);

}  // namespace pinflow::http::internal
