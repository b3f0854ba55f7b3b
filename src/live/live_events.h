#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "http/router.h"
#include "live/event_hub.h"
#include "live/live_answers.h"

namespace pinflow::live {

struct LiveEventsOptions {
  std::chrono::milliseconds interval{1'000};  // From frame to frame.
  std::chrono::milliseconds quiet_interval{
      10'000};  // While nothing new comes: windows move on all the same. A comment meanwhile.
  std::chrono::milliseconds longest_life{
      3'600'000};  // Of one subscription; its client comes again, with its credentials.
  std::size_t max_subscribers = 2'048;
};

// Answers GET /live/events?include=...&k=... with server-sent events (docs/live-metrics.md): a frame at once, then one each interval.
// A thread of its own makes the frames and asks the metrics, but only while somebody follows; a frame is made once for all who follow
// its variant. Past the bound on subscribers: 503 with Retry-After. `metrics` and `clock` must outlive it; it must outlive the router's
// use. All methods are safe from any thread, and only close() and the destructor wait for anything.
class LiveEvents final {
 public:
  LiveEvents(LiveAnswers& metrics, const Clock& clock, const LiveEventsOptions& options = {});
  ~LiveEvents();  // Closes.
  LiveEvents(const LiveEvents&) = delete;
  LiveEvents& operator=(const LiveEvents&) = delete;

  void add_to(http::Router& router);
  void events(http::Request request, http::Responder respond);
  // Ends all streams, each as its regular end, and refuses new ones: before the server stops, which would wait for them.
  void close();
  EventCounts counts() const { return hub_->counts(); }

 private:
  // What the thread alone knows.
  struct Progress {
    SteadyTime next_tick{};
    SteadyTime framed{};        // When frames were made last for all.
    std::uint64_t version = 0;  // Of the state that they show.
    std::uint64_t id = 0;
  };

  void run(const std::stop_token& stop);
  bool wait(const std::stop_token& stop, const Progress& progress);
  void make(std::vector<std::size_t> variants, Progress& progress);
  void tick(Progress& progress);

  LiveAnswers& metrics_;
  const Clock& clock_;
  const LiveEventsOptions options_;
  const std::shared_ptr<EventHub> hub_;  // Shared with the streams of answers.
  std::mutex mutex_;
  std::condition_variable_any asked_;
  bool somebody_came_ = false;  // Guarded by mutex_.
  std::jthread thread_;         // Last: it uses all of the above.
};

}  // namespace pinflow::live
