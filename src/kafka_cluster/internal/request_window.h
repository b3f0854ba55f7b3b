#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "kafka_cluster/kafka_log.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

// The requests that this process stored, by their marks, so that one that comes again is stored once. In memory only. Safe from any
// thread.
class RequestWindow final {
 public:
  RequestWindow(const KafkaLogOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

  struct Begun {
    std::vector<std::optional<log::Appended>> stored;  // By record: where it is already.
    std::int32_t placed_among = 0;                     // How many partitions the topic had when it came first.
  };
  // Asks for a request. kConflict: it came with other content. kOverloaded: it is under way at this moment.
  Result<Begun> begin(log::RequestMark mark, std::size_t records, std::int32_t partitions);
  // What became of it; successes are remembered.
  void end(log::RequestMark mark, const std::vector<Result<log::Appended>>& results);

 private:
  struct Entry {
    std::uint32_t content = 0;
    std::int32_t placed_among = 0;
    bool running = true;
    std::vector<std::optional<log::Appended>> stored;
    SteadyTime came{};
    std::list<std::uint64_t>::iterator age{};
  };
  void forget_old(SteadyTime now);

  const KafkaLogOptions& options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::list<std::uint64_t> ages_;  // The oldest first.
  std::size_t records_ = 0;        // Of all entries.
};

}  // namespace pinflow::kafka_cluster
