#pragma once

#include <functional>
#include <mutex>

namespace pinflow::app {

// What SIGHUP asks for: whoever serves says here what to read anew. Safe from any thread.
class Hangups final {
 public:
  // Sets what is done from now on; empty: nothing. When it returns, what was set before runs no more.
  void set(std::move_only_function<void()> action);
  // Does it, on this thread. False: nothing is set.
  bool fire();

 private:
  std::mutex mutex_;
  std::move_only_function<void()> action_;
};

}  // namespace pinflow::app
