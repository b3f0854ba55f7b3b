#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace pinflow::doors {

// A thread that owns state: others hand it events, and it looks at the clock. Events run in order. Requests from outside are bounded
// (try_post); what the state itself has asked for elsewhere is bounded by what it asks, and always taken (post).
// Destroying it ends the event at work and joins; events that wait, and later ones, are dropped unrun.
class EventThread final {
 public:
  using Event = std::move_only_function<void()>;

  // `look` runs after events and when the time has come that it last returned: does what is due, tells when it wants to run again.
  EventThread(const Clock& clock, std::size_t capacity, std::function<SteadyTime()> look);
  ~EventThread();
  EventThread(const EventThread&) = delete;
  EventThread& operator=(const EventThread&) = delete;

  // False, and the event stays with the caller, when too many wait. From any thread, as are all calls.
  [[nodiscard]] bool try_post(Event& event);
  // A way in that may be used also when this is gone.
  std::function<void(Event)> poster() const;
  void post(Event event) { inbox_->push(std::move(event)); }

 private:
  struct Inbox {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Event> events;
    bool closed = false;
    void push(Event event);
  };
  void run();

  const Clock& clock_;
  const std::size_t capacity_;
  std::function<SteadyTime()> look_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();  // Shared with posters, which outlive this.
  std::thread thread_;                                        // Last: it uses all of the above.
};

}  // namespace pinflow::doors
