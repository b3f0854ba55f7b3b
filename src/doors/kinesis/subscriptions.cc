#include "doors/kinesis/subscriptions.h"

#include <fmt/format.h>

#include "doors/kinesis/faults.h"
#include "doors/kinesis/live_subscription.h"

namespace pinflow::doors::kinesis {

namespace {
constexpr std::chrono::seconds kNoTakeover{5};
}

// What the protocol layer pulls from: its end is the subscription's.
class Subscriptions::Source final : public EventSource {
 public:
  Source(std::shared_ptr<Subscriptions> all, Key key, std::shared_ptr<LiveSubscription> live)
      : all_(std::move(all)), key_(std::move(key)), live_(std::move(live)) {}
  ~Source() override {
    live_->end();
    all_->forget(key_, live_.get());
  }
  void next(std::move_only_function<void(Event)> take) override { live_->next(std::move(take)); }

 private:
  std::shared_ptr<Subscriptions> all_;  // Shared with the operations, which may end first.
  const Key key_;
  const std::shared_ptr<LiveSubscription> live_;
};

std::expected<std::unique_ptr<EventSource>, Fault> Subscriptions::begin(Wanted wanted) {
  Key key{wanted.stream->id().bytes, wanted.consumer, wanted.from.shard};
  const SteadyTime now = parts_.clock.steady_now();
  std::shared_ptr<LiveSubscription> before;
  std::shared_ptr<LiveSubscription> live;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return std::unexpected(busy());
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      before = found->second.live.lock();
      if (before && !before->has_ended() && now - found->second.since < kNoTakeover)
        return std::unexpected(resource_in_use(
            fmt::format("Another active subscription exists for this consumer: {} {} {} {}", wanted.account,
                        wanted.stream->name(), shard_id(wanted.from.shard), wanted.consumer)));
    } else if (entries_.size() >= parts_.most) {
      return std::unexpected(
          limit_exceeded(fmt::format("This server has {} live subscriptions, which is its limit.", parts_.most)));
    }
    live = std::make_shared<LiveSubscription>(parts_, std::move(wanted));
    entries_[key] = {live, now};
  }
  if (before) before->end();
  return std::make_unique<Source>(shared_from_this(), std::move(key), std::move(live));
}

void Subscriptions::forget(const Key& key, const LiveSubscription* live) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const auto now = found->second.live.lock();
  if (!now || now.get() == live) entries_.erase(found);
}

template <class Pick>
std::vector<std::shared_ptr<LiveSubscription>> Subscriptions::pick(Pick pick) {
  std::vector<std::shared_ptr<LiveSubscription>> picked;
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, entry] : entries_)
    if (pick(key))
      if (auto live = entry.live.lock()) picked.push_back(std::move(live));
  return picked;
}

void Subscriptions::end_consumer(const Uuid& stream, std::string_view consumer) {
  for (const auto& live :
       pick([&](const Key& key) { return std::get<0>(key) == stream.bytes && std::get<1>(key) == consumer; }))
    live->end(Fault{"ResourceNotFoundException", fmt::format("Consumer {} was deregistered.", consumer), 400});
}

void Subscriptions::wake(const Uuid& stream) {
  for (const auto& live : pick([&](const Key& key) { return std::get<0>(key) == stream.bytes; })) live->look();
}

void Subscriptions::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  for (const auto& live : pick([](const Key&) { return true; })) live->end();
}

}  // namespace pinflow::doors::kinesis
