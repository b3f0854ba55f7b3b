#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace pinflow {

// When to try again what failed: `least` after the first failure, twice as long after each further one, at
// most `most`. A value type; not thread-safe.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds least, std::chrono::milliseconds most)
      : least_(least), most_(most), delay_(least) {}

  void failed(SteadyTime now) {
    retry_at_ = now + delay_;
    delay_ = std::min(delay_ * 2, most_);
  }
  void succeeded() {
    retry_at_ = SteadyTime::min();
    delay_ = least_;
  }
  bool ready(SteadyTime now) const { return now >= retry_at_; }
  SteadyTime retry_at() const { return retry_at_; }

 private:
  std::chrono::milliseconds least_;
  std::chrono::milliseconds most_;
  std::chrono::milliseconds delay_;
  SteadyTime retry_at_ = SteadyTime::min();
};

}  // namespace pinflow
