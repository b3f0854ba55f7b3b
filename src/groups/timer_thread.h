#pragma once

#include <memory>
#include <thread>

#include "base/wakeup.h"
#include "groups/coordinator.h"

namespace pinflow::groups {

// Drives a coordinator by the clock: a thread that sleeps until the next deadline. The coordinator must outlive it; nobody else may
// set its on_earlier_deadline meanwhile.
class TimerThread final {
 public:
  TimerThread(GroupCoordinator& coordinator, const Clock& clock);
  ~TimerThread();

 private:
  void run(const std::stop_token& stop);

  GroupCoordinator& coordinator_;
  const Clock& clock_;
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();  // Shared with notices that are on their way.
  std::jthread thread_;                                          // Last: it uses all of the above.
};

}  // namespace pinflow::groups
