#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace pinflow {

// Hands values from many producers to one consumer thread, at most `capacity` waiting. When full, try_push
// refuses and the producer answers for it (a door with 503, a lane by waiting in push). Safe from any thread.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  // Returns false, leaving `value` unmoved, when the queue is full or closed.
  [[nodiscard]] bool try_push(T& value) {
    {
      const std::scoped_lock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(value));
    }
    readable_.notify_one();
    return true;
  }

  // Waits for room. Returns false when stopped or closed.
  [[nodiscard]] bool push(T value, std::stop_token stop) {
    {
      std::unique_lock lock(mutex_);
      if (!writable_.wait(lock, stop, [&] { return closed_ || items_.size() < capacity_; }) || closed_) return false;
      items_.push_back(std::move(value));
    }
    readable_.notify_one();
    return true;
  }

  // Waits for a value. Empty when stopped, or when closed and drained.
  std::optional<T> pop(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    readable_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
    if (items_.empty() || stop.stop_requested()) return std::nullopt;
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    lock.unlock();
    writable_.notify_one();
    return value;
  }

  // Refuses newcomers; what is queued can still be popped.
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    readable_.notify_all();
    writable_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any readable_;
  std::condition_variable_any writable_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace pinflow
