#pragma once

#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/logger.h"

namespace pinflow::kafka_door::internal {

// Lines of the log that clients can cause: of each kind (the constant message) one a second, then the count of those left out. Safe
// from any thread.
class Complaints final {
 public:
  Complaints(const Clock& clock, Logger& logger) : clock_(clock), logger_(logger) {}
  void warn(std::string_view message, std::initializer_list<LogField> fields);

 private:
  struct Kind {
    SteadyTime quiet_until{};
    std::uint64_t left_out = 0;
  };
  const Clock& clock_;
  Logger& logger_;
  std::mutex mutex_;
  std::map<std::string, Kind, std::less<>> kinds_;  // As many as there are messages in our source.
};

}  // namespace pinflow::kafka_door::internal
