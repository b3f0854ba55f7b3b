#include "app/hangups.h"

#include <utility>

namespace pinflow::app {

void Hangups::set(std::move_only_function<void()> action) {
  const std::scoped_lock lock(mutex_);
  action_ = std::move(action);
}

bool Hangups::fire() {
  const std::scoped_lock lock(mutex_);
  if (!action_) return false;
  action_();
  return true;
}

}  // namespace pinflow::app
