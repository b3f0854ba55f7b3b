#pragma once

#include <functional>
#include <thread>

#include "base/queue.h"
#include "http/server.h"

namespace pinflow::doors {

// One thread for what doors may not do on the network loop: making and deleting topics, reading the log. Jobs run in order.
// At most `capacity` wait; beyond that the request is answered as busy. Destroying it ends the running job's waits through the
// stop token, drops the waiting jobs (their responders then answer 500) and joins.
class Worker {
 public:
  using Job = std::move_only_function<void(const std::stop_token&, http::Responder)>;

  explicit Worker(std::size_t capacity);
  // Runs `job`, which answers; or answers `busy` at once when too many wait. From any thread.
  void run(http::Responder respond, Job job, http::Response busy);

 private:
  struct Item {
    http::Responder respond;
    Job job;
  };
  BoundedQueue<Item> items_;
  std::jthread thread_;  // Last, so that it ends before the queue.
};

}  // namespace pinflow::doors
