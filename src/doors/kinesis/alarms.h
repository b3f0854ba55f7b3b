#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace pinflow::doors::kinesis {

// Calls functions when their time has come, by the steady clock. The functions run on its one thread (or that of run_due) and must
// not block. Those that wait when it is destroyed are dropped. Its users bound how many wait: one for each pending change and each
// live subscription. Safe from any thread.
class Alarms final {
 public:
  using Call = std::move_only_function<void()>;

  explicit Alarms(const Clock& clock);
  ~Alarms();
  // Drops what waits and takes nothing more; afterwards no function runs.
  void stop();
  void at(SteadyTime due, Call call);
  // Runs what is due by now, on the caller's thread. The thread does so by itself; tests whose clock stands still call it.
  void run_due();

 private:
  void watch(const std::stop_token& stop);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<SteadyTime, Call> calls_;
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::doors::kinesis
