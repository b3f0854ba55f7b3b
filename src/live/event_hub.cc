#include "live/event_hub.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "base/check.h"

namespace pinflow::live {

using http::BodyStream;

// The body of one subscriber's answer. All but the constants is guarded by the hub's mutex.
class EventHub::Subscription final : public BodyStream {
 public:
  Subscription(std::shared_ptr<EventHub> hub, std::size_t variant, std::uint64_t seen, SteadyTime since)
      : variant(variant), since(since), seen(seen), hub_(std::move(hub)) {}
  ~Subscription() override {
    abandoned_.reset();  // Its callback uses the rest.
    hub_->forget(*this);
  }

  void end_when(std::stop_token abandoned) {
    abandoned_.emplace(std::move(abandoned), [this] { hub_->end(*this); });
  }

  void next(Take taker) override {
    std::string text;
    {
      const std::scoped_lock lock(hub_->mutex_);
      if (!ended) {
        if (!greeted_) text = fmt::format("retry: {}\n\n", hub_->options_.retry.count());
        if (const EventFramePtr frame = news()) {
          text += frame->text;
          seen = frame->id;
          ++hub_->counts_.sent;
        }
        if (text.empty()) {
          take = std::move(taker);
          return;
        }
        greeted_ = true;
      }
    }
    if (text.empty()) return taker(std::nullopt);
    taker(std::optional(std::move(text)));
  }

  // The frame that this subscriber has not seen yet. An id above it is of another clock, and hides nothing.
  EventFramePtr news() const {
    const EventFramePtr& frame = hub_->frames_[variant];
    return frame != nullptr && frame->id != seen ? frame : nullptr;
  }

  const std::size_t variant;
  const SteadyTime since;
  std::size_t place = 0;  // In subscriptions_.
  std::uint64_t seen;     // Id of the last frame it was given.
  bool ended = false;
  Take take;  // The connection waits for news.

 private:
  const std::shared_ptr<EventHub> hub_;  // Shared: the hub's maker may end first.
  bool greeted_ = false;
  std::optional<std::stop_callback<std::function<void()>>> abandoned_;
};

EventHub::EventHub(const EventHubOptions& options)
    : options_(options), frames_(options.variants), followers_(options.variants) {}

Result<std::unique_ptr<BodyStream>> EventHub::subscribe(std::size_t variant, std::uint64_t seen, SteadyTime now,
                                                        std::stop_token abandoned) {
  CHECK(variant < options_.variants, "the hub has this variant");
  std::unique_ptr<Subscription> made;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return fail(ErrorCode::kCancelled, "the server stops; ask again when it is back");
    if (subscriptions_.size() >= options_.max_subscribers) {
      ++counts_.refused;
      return fail(ErrorCode::kOverloaded,
                  fmt::format("{} clients follow the live events already, which is the limit; try again later",
                              options_.max_subscribers));
    }
    made = std::make_unique<Subscription>(shared_from_this(), variant, seen, now);
    made->place = subscriptions_.size();
    subscriptions_.push_back(made.get());
    ++followers_[variant];
    ++counts_.subscriptions;
  }
  made->end_when(std::move(abandoned));
  return std::unique_ptr<BodyStream>(std::move(made));
}

std::vector<std::size_t> EventHub::followed(bool missing) const {
  std::vector<std::size_t> variants;
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    if (followers_[i] > 0 && (!missing || frames_[i] == nullptr)) variants.push_back(i);
  }
  return variants;
}

void EventHub::publish(std::span<const std::pair<std::size_t, EventFramePtr>> frames) {
  std::vector<Due> due;
  {
    const std::scoped_lock lock(mutex_);
    std::vector<bool> fresh(frames_.size());
    std::vector<std::uint64_t> before(frames_.size());
    for (const auto& [variant, frame] : frames) {
      if (followers_[variant] == 0) continue;
      CHECK(frames_[variant] == nullptr || frames_[variant]->id < frame->id, "ids of frames rise");
      before[variant] = frames_[variant] == nullptr ? 0 : frames_[variant]->id;
      frames_[variant] = frame;
      fresh[variant] = true;
    }
    due.reserve(subscriptions_.size());
    for (Subscription* const each : subscriptions_) {
      if (!fresh[each->variant]) continue;
      if (each->take) {
        if (EventFramePtr frame = each->news()) {
          each->seen = frame->id;
          ++counts_.sent;
          due.push_back({std::exchange(each->take, nullptr), std::move(frame)});
        }
      } else if (each->seen < before[each->variant]) {
        ++counts_.skipped;
      }
    }
  }
  give(due);
}

void EventHub::send_comment(const std::string& comment) {
  const auto frame = std::make_shared<const EventFrame>(EventFrame{0, fmt::format(": {}\n\n", comment)});
  std::vector<Due> due;
  {
    const std::scoped_lock lock(mutex_);
    due.reserve(subscriptions_.size());
    for (Subscription* const each : subscriptions_) {
      if (each->take) due.push_back({std::exchange(each->take, nullptr), frame});
    }
  }
  give(due);
}

void EventHub::end_before(SteadyTime time) {
  std::vector<Due> due;
  {
    const std::scoped_lock lock(mutex_);
    for (Subscription* const each : subscriptions_) {
      if (each->since >= time) continue;
      each->ended = true;
      if (each->take) due.push_back({std::exchange(each->take, nullptr)});
    }
  }
  give(due);
}

void EventHub::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  end_before(SteadyTime::max());
}

EventCounts EventHub::counts() const {
  const std::scoped_lock lock(mutex_);
  EventCounts counts = counts_;
  counts.subscribers = subscriptions_.size();
  return counts;
}

void EventHub::end(Subscription& subscription) {
  BodyStream::Take take;
  {
    const std::scoped_lock lock(mutex_);
    subscription.ended = true;
    take = std::exchange(subscription.take, nullptr);
  }
  if (take) take(std::nullopt);
}

void EventHub::forget(Subscription& subscription) {
  BodyStream::Take unused;  // Goes without the lock: it answers when it is dropped.
  const std::scoped_lock lock(mutex_);
  unused = std::exchange(subscription.take, nullptr);
  subscriptions_[subscription.place] = subscriptions_.back();
  subscriptions_[subscription.place]->place = subscription.place;
  subscriptions_.pop_back();
  // Who comes next shall not be given what nobody has kept new.
  if (--followers_[subscription.variant] == 0) frames_[subscription.variant] = nullptr;
}

void EventHub::give(std::vector<Due>& all) {
  for (Due& due : all) {
    if (due.frame == nullptr) {
      due.take(std::nullopt);
    } else {
      due.take(std::optional(due.frame->text));
    }
  }
}

}  // namespace pinflow::live
