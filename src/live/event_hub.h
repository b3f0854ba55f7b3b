#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace pinflow::live {

// One moment of one variant, as whole server-sent events. Shared by all who are sent it.
struct EventFrame {
  std::uint64_t id = 0;  // Rises from frame to frame of a variant.
  std::string text;
};
using EventFramePtr = std::shared_ptr<const EventFrame>;

struct EventHubOptions {
  std::size_t variants = 1;  // Kinds of frames that can be followed.
  std::size_t max_subscribers = 2'048;
  std::chrono::milliseconds retry{2'000};  // How long a client that lost its connection waits before the next.
};

// What happened since the start, and who follows now.
struct EventCounts {
  std::size_t subscribers = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t refused = 0;  // Over the bound.
  std::uint64_t sent = 0;     // Frames given to subscribers.
  std::uint64_t skipped = 0;  // Frames that a subscriber never got, as it was still reading one before.
};

// Hands the newest frame of a variant to all who follow it (https://html.spec.whatwg.org/multipage/server-sent-events.html). A
// subscriber is asked for by its connection whenever that took the last piece, so one who reads slowly is given fewer frames, each the
// newest there is: nothing queues here but one pointer. Safe from any thread; calls are short and wait for nobody. It is shared with the
// bodies of answers, which may end later than whoever made it.
class EventHub final : public std::enable_shared_from_this<EventHub> {
 public:
  explicit EventHub(const EventHubOptions& options);
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // Gives the body of an answer that follows `variant`. It begins with the frame there is, unless its id is `seen`
  // (Last-Event-ID), and ends when `abandoned` is requested. Destroying it frees all of it.
  // kOverloaded: as many follow as may; kCancelled: closed.
  Result<std::unique_ptr<http::BodyStream>> subscribe(std::size_t variant, std::uint64_t seen, SteadyTime now,
                                                      std::stop_token abandoned);

  // Variants that somebody follows; with `missing`, those of them that have no frame yet.
  std::vector<std::size_t> followed(bool missing) const;
  // Sets the frame of each variant given that is followed, and sends it to who is ready. It is kept while somebody follows.
  void publish(std::span<const std::pair<std::size_t, EventFramePtr>> frames);
  // Sends a comment to who is ready and has the newest frame: it keeps connections alive, and finds those that are not.
  void send_comment(const std::string& comment);
  // Ends subscriptions that began before `time`: clients come again by themselves, and show their credentials anew.
  void end_before(SteadyTime time);
  // Ends all; new ones are refused.
  void close();

  EventCounts counts() const;

 private:
  class Subscription;
  // What is given once the lock is released.
  struct Due {
    http::BodyStream::Take take;
    EventFramePtr frame{};  // Null: the end.
  };

  void end(Subscription& subscription);
  void forget(Subscription& subscription);
  static void give(std::vector<Due>& all);

  const EventHubOptions options_;
  mutable std::mutex mutex_;  // Guards all that follows, and the subscriptions' fields.
  std::vector<EventFramePtr> frames_;
  std::vector<std::size_t> followers_;        // Of each variant.
  std::vector<Subscription*> subscriptions_;  // Each removes itself when it is destroyed.
  EventCounts counts_;
  bool closed_ = false;
};

}  // namespace pinflow::live
