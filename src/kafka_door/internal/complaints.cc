#include "kafka_door/internal/complaints.h"

#include <chrono>
#include <vector>

namespace pinflow::kafka_door::internal {

void Complaints::warn(std::string_view message, std::initializer_list<LogField> fields) {
  static constexpr std::chrono::seconds kQuiet{1};
  const SteadyTime now = clock_.steady_now();
  std::uint64_t left_out = 0;
  {
    const std::scoped_lock lock(mutex_);
    auto found = kinds_.find(message);
    const bool first = found == kinds_.end();
    if (first) found = kinds_.emplace(message, Kind{}).first;
    if (!first && now < found->second.quiet_until) {
      ++found->second.left_out;
      return;
    }
    left_out = std::exchange(found->second.left_out, 0);
    found->second.quiet_until = now + kQuiet;
  }
  std::vector<LogField> all(fields);
  if (left_out > 0) all.emplace_back("more_like_this", left_out);
  logger_.write(Severity::kWarning, message, all);
}

}  // namespace pinflow::kafka_door::internal
