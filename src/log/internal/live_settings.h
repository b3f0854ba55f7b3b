#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "log/topic_settings.h"

namespace pinflow::log {

// The settings of one topic as they are now. Safe from any thread: who works with them takes the present ones and is not disturbed when
// they change.
class LiveSettings final {
 public:
  explicit LiveSettings(TopicSettings settings) { set(settings); }

  std::shared_ptr<const TopicSettings> get() const {
    const std::scoped_lock lock(mutex_);
    return settings_;
  }
  void set(TopicSettings settings) {
    auto next = std::make_shared<const TopicSettings>(settings);
    const std::scoped_lock lock(mutex_);
    settings_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TopicSettings> settings_;  // Shared with those at work while it is replaced.
};

}  // namespace pinflow::log
