#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace pinflow {

// Lets one thread sleep in any call that takes a stop_token until another thread has something for it. The
// sleeper calls arm(), then looks at what others may have left for it, then blocks with the token: a notify()
// at any moment after arm() ends the block. notify() is safe from any thread; arm() is the sleeper's alone.
class Wakeup {
 public:
  std::stop_token arm() {
    const std::scoped_lock lock(mutex_);
    if (source_.stop_requested()) source_ = std::stop_source();
    return source_.get_token();
  }

  void notify() {
    std::unique_lock lock(mutex_);
    std::stop_source source = source_;
    lock.unlock();
    source.request_stop();  // Runs the callbacks of whoever blocks: not under our lock.
  }

  // Sleeps until the token is notified or `longest` has passed.
  static void wait(std::chrono::milliseconds longest, const std::stop_token& armed) {
    std::mutex mutex;
    std::condition_variable_any sleep;
    std::unique_lock lock(mutex);
    sleep.wait_for(lock, armed, longest, [] { return false; });
  }

 private:
  std::mutex mutex_;
  std::stop_source source_;
};

}  // namespace pinflow
