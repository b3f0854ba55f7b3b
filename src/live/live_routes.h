#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "http/router.h"
#include "live/live_metrics.h"

namespace pinflow::live {

// Answers GET /live/profiles?k=10&by=popularity|activity|followers and GET /live/profiles/{name}
// (docs/live-metrics.md). A thread of its own asks the metrics, so the network loop never waits; questions
// that came in meanwhile are answered together, up to kMaxTogether from one state at one moment. At most
// kMaxWaiting wait; further ones get 503 with Retry-After. `metrics` must outlive it; it must outlive the
// router's use.
class LiveRoutes final {
 public:
  static constexpr std::size_t kMaxWaiting = 1024;
  static constexpr std::size_t kMaxTogether = 32;  // Bounds the memory of answers: about 200 KB each at most.

  explicit LiveRoutes(LiveMetrics& metrics);
  ~LiveRoutes();  // Answers what waits with 503.
  LiveRoutes(const LiveRoutes&) = delete;
  LiveRoutes& operator=(const LiveRoutes&) = delete;

  void add_to(http::Router& router);

  // The handlers: from any thread, never blocking.
  void top(http::Request request, http::Responder respond);
  void one(http::Request request, http::Responder respond);

 private:
  struct Question {
    Query query;
    http::Responder respond;
  };

  void ask(Query query, http::Responder respond);
  void run(const std::stop_token& stop);
  void answer(std::vector<Question> questions);

  LiveMetrics& metrics_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::deque<Question> waiting_;
  std::jthread thread_;
};

// The query string of GET /live/profiles as a question. kInvalid names what is wrong and what is allowed.
Result<Query> parse_query(const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace pinflow::live
