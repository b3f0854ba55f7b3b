#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "live/condensed_intake.h"
#include "log/log.h"
#include "log/position_keeper.h"
#include "log/share.h"
#include "records/kind.h"

namespace pinflow::live {

struct CondenserOptions {
  records::Names names{};
  CondensedTopic topic{};
  std::string group = "pinflow-live";    // Its positions show the lag; they decide nothing.
  std::size_t max_seen_pages = 166'666;  // Of each partition (PartitionCondenser).
  std::chrono::milliseconds allowed_lateness{60'000};
  std::chrono::milliseconds mark_interval{10'000};  // A mark is written again when there was no other for so long.
  std::chrono::milliseconds max_wait{500};  // How long one fetch may wait; a change of the share is seen within it.
  std::chrono::milliseconds least_retry{100};
  std::chrono::milliseconds most_retry{5'000};
};

struct CondenserStatus {
  std::size_t partitions = 0;          // Condensed now.
  std::size_t loading = 0;             // Taken over, and not yet read in the topic of condensed streams.
  std::uint64_t records = 0;           // Read since the start ...
  std::uint64_t entries = 0;           // ... and what was stored of them.
  std::optional<std::string> error{};  // Why it does not go on, if it does not.
};

// Condenses this process's share of the partitions of the streams into one compacted topic, for the live metrics of all processes: a thread
// of its own reads them and writes entries, and marks once these are stored (docs/live-metrics.md, "Many processes"). It may be killed at
// any moment, and others may work on the same partitions: what they write is the same. The topic may be removed only while none of them runs: a mark that
// comes into the new one would speak of entries of the old. Errors are told and tried again; nothing is passed over.
// Everything passed to the constructor must outlive it. Memory: one fetch, and of each partition what PartitionCondenser says.
class Condenser final {
 public:
  Condenser(CondenserOptions options, log::Log& log, log::Share& share, const Clock& clock, Logger& logger);
  ~Condenser();
  Condenser(const Condenser&) = delete;
  Condenser& operator=(const Condenser&) = delete;

  CondenserStatus status() const;  // From any thread.

 private:
  class Work;

  const CondenserOptions options_;
  log::Log& log_;
  log::Share& share_;
  const Clock& clock_;
  Logger& logger_;
  log::PositionKeeper positions_;
  mutable std::mutex mutex_;
  CondenserStatus status_;  // Protected by mutex_.
  std::jthread thread_;     // Last: it uses all of the above.
};

}  // namespace pinflow::live
