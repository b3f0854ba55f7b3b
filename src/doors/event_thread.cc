#include "doors/event_thread.h"

#include <algorithm>

namespace pinflow::doors {

namespace {
constexpr std::chrono::hours kLongest{1};  // What waits until "never" would overflow.
}

EventThread::EventThread(const Clock& clock, std::size_t capacity, std::function<SteadyTime()> look)
    : clock_(clock), capacity_(capacity), look_(std::move(look)), thread_([this] { run(); }) {}

EventThread::~EventThread() {
  std::deque<Event> dropped;
  {
    const std::scoped_lock lock(inbox_->mutex);
    inbox_->closed = true;
    dropped.swap(inbox_->events);
  }
  inbox_->wake.notify_one();
  thread_.join();
}

void EventThread::Inbox::push(Event event) {
  {
    const std::scoped_lock lock(mutex);
    if (closed) return;
    events.push_back(std::move(event));
  }
  wake.notify_one();
}

bool EventThread::try_post(Event& event) {
  {
    const std::scoped_lock lock(inbox_->mutex);
    if (inbox_->closed || inbox_->events.size() >= capacity_) return false;
    inbox_->events.push_back(std::move(event));
  }
  inbox_->wake.notify_one();
  return true;
}

std::function<void(EventThread::Event)> EventThread::poster() const {
  return [inbox = inbox_](Event event) { inbox->push(std::move(event)); };
}

void EventThread::run() {
  SteadyTime due{};
  while (true) {
    std::unique_lock lock(inbox_->mutex);
    const auto left = std::clamp<SteadyTime::duration>(due - clock_.steady_now(), SteadyTime::duration(0), kLongest);
    inbox_->wake.wait_for(lock, left, [&] { return inbox_->closed || !inbox_->events.empty(); });
    if (inbox_->closed) return;
    // What events post goes behind them, so nobody is passed over.
    for (std::size_t count = inbox_->events.size(); count > 0 && !inbox_->closed; --count) {
      Event event = std::move(inbox_->events.front());
      inbox_->events.pop_front();
      lock.unlock();
      event();
      event = nullptr;  // What it held goes before the lock is taken.
      lock.lock();
    }
    if (inbox_->closed) return;
    lock.unlock();
    due = std::min(look_(), clock_.steady_now() + kLongest);
  }
}

}  // namespace pinflow::doors
