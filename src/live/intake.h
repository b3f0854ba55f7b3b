#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "live/live_query.h"
#include "live/live_state.h"
#include "log/log.h"

namespace pinflow::live {

// How one partition that is read stands. The pointers are good as long as the intake.
struct ReadingPlace {
  log::Offset* next = nullptr;                      // Where to read on.
  const std::optional<WallTime>* newest = nullptr;  // The latest time read.
};

// What of a partition is shown.
struct ShownPartition {
  PartitionProgress progress{};
  SteadyTime last_news{};   // When it last went on.
  SteadyTime last_heard{};  // When it was last known to be looked after.
};

// From fetched records to the state of the live metrics, for the one thread that reads. What changes the state is called with the lock of
// LiveMetrics held, and says so.
class Intake {
 public:
  virtual ~Intake() = default;

  virtual const std::vector<std::string>& topics() const = 0;
  // With the lock. Fails where the topic cannot be what is read; it is then looked at again.
  virtual Result<ReadingPlace> follow(const log::TopicPartition& partition, const log::Topic& topic) = 0;
  // Reads records; without the lock. Times later than `now` count as now. Fails where what came may not be passed over.
  virtual Result<void> read(const log::FetchedPartition& fetched, WallTime now) = 0;
  // Gives what was read last to the state; with the lock.
  virtual void apply(SteadyTime now) = 0;
  virtual std::size_t records() const = 0;  // Of what was read last.
  // Where to go on when the place of a partition is not in the log.
  virtual log::Offset go_on(log::Offset next, const log::OffsetRange& range) const = 0;
  // What is shown, from that of the partitions that are read.
  virtual std::vector<ShownPartition> shown(std::vector<ShownPartition> read) const = 0;

  virtual const LiveState& state() const = 0;
  virtual LiveParts& parts() = 0;  // Of the state, for answers; with the lock.
  virtual std::string save() const = 0;
  // Into an intake that is new. kCorrupt, kInvalid: it is then of no use.
  virtual Result<void> load(std::string_view bytes) = 0;
  // The same for what an intake of the streams themselves saved.
  virtual Result<void> load_streams(std::string_view bytes) = 0;
};

// Of the streams themselves, each topic named after its kind.
std::unique_ptr<Intake> read_streams(const StateOptions& options, std::vector<std::string> topics);

}  // namespace pinflow::live
