#pragma once

#include <memory>

#include "base/clock.h"
#include "base/logger.h"
#include "base/strong.h"
#include "disk/disk.h"
#include "log/broker_log.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// When a produce is answered. Each weaker level is shown at start and in the metrics.
enum class Durability {
  kPower,     // After fsync: survives power loss. The default.
  kInterval,  // After write, with an fsync at least every sync_interval: a power loss takes no more than what came since.
  kOs,        // After write: survives a crash of the process, not of the machine.
};

struct EmbeddedLogOptions {
  disk::Path folder;
  Durability durability = Durability::kPower;
  std::chrono::milliseconds sync_interval{200};  // Of Durability::kInterval.
  TopicDefaults topic_defaults{};  // Segments, retention and batch size of topics that do not set their own.
  ByteCount max_record_size{std::uint64_t{1} << 20};  // Key, value and headers of one record.
  ByteCount max_pending{std::uint64_t{64} << 20};     // Waiting for the committer; past it produce answers kOverloaded.
  ByteCount reserved_space{std::uint64_t{256} << 20};  // With less free on the disk, produce is refused (kUnavailable).
  std::chrono::milliseconds cleaning_period{
      10'000};  // Between looks at what retention and compaction may remove; 0: none.
  // Requests that produce_once knows again: as long ago as this, and of all partitions together so many (about 120 bytes each),
  // counting a request once for each partition that it wrote to. The oldest is forgotten first.
  std::chrono::milliseconds request_window{std::chrono::hours(24)};
  std::size_t request_capacity = 500'000;
  std::size_t sync_threads = 4;  // Files of one commit that are synced at the same time; 1: one after the other.
  bool read_only = false;        // Takes no lock and changes nothing; for looking at a log that another process writes.
};

// What opening found and did.
struct RecoveryReport {
  std::uint64_t segments_scanned = 0;
  std::uint64_t bytes_scanned = 0;
  std::uint64_t torn_bytes_cut = 0;  // Unacknowledged tails, in bytes.
  std::vector<std::string> damage;   // Partitions fenced for writing, each with place and cause.
};

// The log on one machine: segment files of Kafka record batches v2 (docs/formats/log.md), one committer
// thread doing group commit. `disk`, `clock` and `logger` must outlive it. The destructor answers what is
// pending with kCancelled.
class EmbeddedLog : public BrokerLog {
 public:
  virtual const RecoveryReport& recovery() const = 0;
  // Does now, on the caller's thread, what else is done every cleaning_period: closes segments by age, ends what retention
  // does not keep, compacts. Nothing for a read-only log.
  virtual void clean_now() = 0;
};

// Opens or makes the log in a folder: takes its lock, recovers torn tails. kConflict: another process holds
// it.
Result<std::unique_ptr<EmbeddedLog>> open_embedded_log(EmbeddedLogOptions options, disk::Disk& disk, const Clock& clock,
                                                       Logger& logger);

}  // namespace pinflow::log
