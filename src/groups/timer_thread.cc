#include "groups/timer_thread.h"

#include <algorithm>

namespace pinflow::groups {

TimerThread::TimerThread(GroupCoordinator& coordinator, const Clock& clock) : coordinator_(coordinator), clock_(clock) {
  coordinator_.on_earlier_deadline([wakeup = wakeup_] { wakeup->notify(); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

TimerThread::~TimerThread() {
  coordinator_.on_earlier_deadline(nullptr);
  thread_.request_stop();
  wakeup_->notify();
  thread_.join();
}

void TimerThread::run(const std::stop_token& stop) {
  while (true) {
    const std::stop_token armed = wakeup_->arm();
    if (stop.stop_requested()) return;
    coordinator_.advance();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(coordinator_.next_deadline() - clock_.steady_now());
    if (left.count() > 0) Wakeup::wait(left, armed);
  }
}

}  // namespace pinflow::groups
