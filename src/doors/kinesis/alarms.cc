#include "doors/kinesis/alarms.h"

#include <utility>
#include <vector>

namespace pinflow::doors::kinesis {

Alarms::Alarms(const Clock& clock) : clock_(clock), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

Alarms::~Alarms() {
  stop();
}

void Alarms::stop() {
  std::multimap<SteadyTime, Call> dropped;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    dropped.swap(calls_);
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Alarms::at(SteadyTime due, Call call) {
  bool is_first = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    is_first = calls_.emplace(due, std::move(call)) == calls_.begin();
  }
  if (is_first) changed_.notify_one();
}

void Alarms::run_due() {
  std::vector<Call> due;
  {
    const std::scoped_lock lock(mutex_);
    const auto end = calls_.upper_bound(clock_.steady_now());
    for (auto at = calls_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    calls_.erase(calls_.begin(), end);
  }
  for (Call& call : due) call();
}

void Alarms::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (calls_.empty()) {
        (void)changed_.wait(lock, stop, [this] { return !calls_.empty(); });
        continue;
      }
      const SteadyTime first = calls_.begin()->first;
      const auto left = first - clock_.steady_now();
      if (left > SteadyTime::duration::zero()) {
        (void)changed_.wait_for(lock, stop, left, [&] { return calls_.empty() || calls_.begin()->first < first; });
        continue;
      }
    }
    run_due();
  }
}

}  // namespace pinflow::doors::kinesis
