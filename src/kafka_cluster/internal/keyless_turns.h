#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// Where records without key go: those of a topic to one partition for a while, then to the next. Spread over all partitions at once, the records of many
// small calls would fill no batch, and a batch costs brokers and replicas far more than a record. Safe from any thread.
class KeylessTurns final {
 public:
  // What ends a turn, whichever comes first: enough for a good batch, or a time in which a partition without leader holds up few.
  static constexpr std::size_t kTurnBytes = 65'536;
  static constexpr std::chrono::milliseconds kTurnTime{20};

  explicit KeylessTurns(const Clock& clock) : clock_(clock) {}

  // The partition for the records without key of one call, `bytes` in all.
  log::PartitionId place(std::string_view topic, std::int32_t partitions, std::size_t bytes);

 private:
  struct Turn {
    std::uint32_t number = 0;
    std::size_t bytes = 0;
    SteadyTime began;
  };

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Turn, std::less<>> turns_;  // By topic; as many as the cluster ever had.
};

}  // namespace pinflow::kafka_cluster
