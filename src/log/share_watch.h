#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

#include "log/share.h"

namespace pinflow::log {

// Wakes a lane that sleeps elsewhere when its share changes, and once at the beginning: a thread of its own waits for that and calls
// `changed`, which must not block. Ends with its destruction. The share and what `changed` uses must outlive it.
class ShareWatch final {
 public:
  ShareWatch(Share& share, std::function<void()> changed)
      : thread_([&share, changed = std::move(changed)](const std::stop_token& stop) {
          std::uint64_t known = share.wait(0, stop).version;
          for (; !stop.stop_requested(); known = share.wait(known, stop).version) changed();
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace pinflow::log
