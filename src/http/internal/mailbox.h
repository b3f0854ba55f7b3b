#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "http/message.h"
#include "http/server.h"

namespace pinflow::http::internal {

struct Delivery {
  std::uint64_t connection;
  Response response;
};

// Carries answers from any thread to the server's loop. Shared by the loop and every responder, because a
// responder may outlive the server. Each connection has one request in hand, so at most one answer per
// connection waits here.
class Mailbox {
 public:
  // `wake` makes the loop drain(); called under the lock, from any thread.
  explicit Mailbox(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}

  void deliver(std::uint64_t connection, Response response);
  std::vector<Delivery> drain();
  // Between the two, an answer to `connection` from this same thread takes no detour through the queue.
  void expect(std::uint64_t connection);
  std::optional<Response> collect();
  // Drops what comes from now on: the loop has ended.
  void close();

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  bool closed_ = false;
  std::vector<Delivery> waiting_;
  std::uint64_t expected_ = 0;
  std::thread::id expecting_thread_;
  std::optional<Response> direct_;
};

// Makes the right to answer one request, once; dropped unused it answers 500.
Responder make_responder(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection);

}  // namespace pinflow::http::internal
