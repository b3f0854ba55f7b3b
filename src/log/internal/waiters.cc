#include "log/internal/waiters.h"

#include <utility>

namespace pinflow::log {

Waiters::Id Waiters::add(Offset offset, std::stop_source source) {
  waiters_.emplace(next_, Waiter{offset, std::move(source)});
  return next_++;
}

std::vector<std::stop_source> Waiters::take(Offset end) {
  std::vector<std::stop_source> taken;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    if (at->second.offset < end) {
      taken.push_back(std::move(at->second.source));
      at = waiters_.erase(at);
    } else {
      ++at;
    }
  }
  return taken;
}

std::vector<std::stop_source> Waiters::take_all() {
  std::vector<std::stop_source> taken;
  for (auto& [id, waiter] : waiters_) taken.push_back(std::move(waiter.source));
  waiters_.clear();
  return taken;
}

}  // namespace pinflow::log
