#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "kafka_door/internal/answer.h"

namespace pinflow::kafka_door::internal {

// Names one request of one connection of one loop.
struct Ticket {
  std::uint64_t connection = 0;
  std::uint64_t request = 0;
};

struct Delivery {
  Ticket ticket;
  std::optional<Answer> answer;  // None: the log has news for the request's long poll.
};

// Carries answers from any thread to one loop. Shared by the loop and every reply, because a reply may outlive the server. What
// waits here is bounded by the requests in hand: each has one answer, and one piece of news at a time.
class Mailbox {
 public:
  // `wake` makes the loop drain(); called under the lock, from any thread.
  explicit Mailbox(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}

  void deliver(Ticket ticket, std::optional<Answer> answer);
  std::vector<Delivery> drain();
  // Between the two, what this same thread delivers to this connection takes no detour through the loop's queue. A request may also
  // complete those of other connections (the last member of a group to join): they get theirs by the detour.
  void begin_direct(std::uint64_t connection);
  std::vector<Delivery> end_direct();
  // Drops what comes from now on: the loop has ended.
  void close();

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  bool closed_ = false;
  std::thread::id direct_thread_;
  std::uint64_t direct_connection_ = 0;
  std::vector<Delivery> direct_;
  std::vector<Delivery> waiting_;
};

}  // namespace pinflow::kafka_door::internal
