#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "doors/kinesis/subscriptions.h"

namespace pinflow::doors::kinesis {

// One subscription. Shared by its event source, its job, its watch and its alarm, of which the source alone keeps it alive for long.
// After end() it touches none of the parts.
class LiveSubscription final : public std::enable_shared_from_this<LiveSubscription> {
 public:
  using Take = std::move_only_function<void(EventSource::Event)>;

  LiveSubscription(Subscriptions::Parts parts, Subscriptions::Wanted wanted);
  void next(Take take);
  // Looks for something to tell, unless that is under way.
  void look();
  // Tells the end to a client that waits; the next one to ask is told then.
  void end(std::optional<Fault> fault = {});
  bool has_ended();

 private:
  struct Event {
    std::expected<std::string, Fault> json;
    bool is_last = false;
  };
  void look_locked();
  void read();
  // What there is to tell; nothing where it is worth waiting.
  std::optional<Event> make_event();
  std::string write_event(const Stream& stream, const ShardRead& read, WallTime now);
  void wait();
  void ring_at(SteadyTime due);

  const Subscriptions::Parts parts_;
  const Subscriptions::Wanted wanted_;
  const SteadyTime last_call_;  // When it ends.
  log::Offset next_;            // Of the job.
  WallTime last_arrival_;       // Of the job.

  std::mutex mutex_;
  Take take_;  // The client waits for an event.
  bool looking_ = false;
  bool look_again_ = false;
  bool ended_ = false;
  bool rings_ = false;  // An alarm is set.
  std::optional<Fault> fault_;
  SteadyTime told_;  // When the last event was.
  std::unique_ptr<log::Watch> watch_;
};

}  // namespace pinflow::doors::kinesis
