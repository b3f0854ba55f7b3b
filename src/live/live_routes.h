#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "http/router.h"
#include "live/live_answers.h"

namespace pinflow::live {

// Answers the questions below /live (docs/live-metrics.md): profiles, profiles/{name}, categories, countries, age-groups, minutes and
// recommendations. A thread of its own asks, so the network loop never waits; questions that came in meanwhile are answered together,
// up to kMaxTogether from one state at one moment. At most kMaxWaiting wait; further ones get 503 with Retry-After. `metrics` must
// outlive it; it must outlive the router's use.
class LiveRoutes final {
 public:
  static constexpr std::size_t kMaxWaiting = 1024;
  static constexpr std::size_t kMaxTogether = 32;  // Bounds the memory of answers: about 500 KB each at most.

  explicit LiveRoutes(LiveAnswers& metrics);
  ~LiveRoutes();  // Answers what waits with 503.
  LiveRoutes(const LiveRoutes&) = delete;
  LiveRoutes& operator=(const LiveRoutes&) = delete;

  // The handlers are called from any thread, and never block.
  void add_to(http::Router& router);

 private:
  struct Question {
    Query query;
    http::Responder respond;
  };

  void ask(Result<Query> query, http::Responder respond);
  void run(const std::stop_token& stop);
  void answer(std::vector<Question> questions);

  LiveAnswers& metrics_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::deque<Question> waiting_;
  std::jthread thread_;
};

}  // namespace pinflow::live
