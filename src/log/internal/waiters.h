#pragma once

#include <cstdint>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "log/log.h"

namespace pinflow::log {

// Who waits for records of one partition. A waiter is a stop source, which its watch listens to: asking it twice to stop is
// harmless. Guarded by the partition's mutex; the sources that take() gives are asked without it.
class Waiters final {
 public:
  using Id = std::uint64_t;

  // Waits for the first record at or behind `offset`.
  Id add(Offset offset, std::stop_source source);
  // An id that was taken is unknown here, which is no error.
  void remove(Id id) { waiters_.erase(id); }
  // Takes out those whose record is there, now that the last one stands before `end`.
  std::vector<std::stop_source> take(Offset end);
  std::vector<std::stop_source> take_all();

 private:
  struct Waiter {
    Offset offset;
    std::stop_source source;
  };
  std::unordered_map<Id, Waiter> waiters_;
  Id next_ = 0;
};

}  // namespace pinflow::log
