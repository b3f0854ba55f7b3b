#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/wakeup.h"
#include "log/log.h"
#include "log/share.h"
#include "log/share_watch.h"
#include "objects/object_store.h"
#include "sink/object_name.h"
#include "sink/partitioner.h"
#include "sink/topic_filter.h"

namespace pinflow::sink {

struct SinkOptions {
  std::vector<std::string> topics = {};  // Names or patterns with '*'; topics that appear later are picked up.
  std::string topics_regex = {};         // Of whole names; besides `topics`. Empty: none.
  std::string group = "pinflow-sink";    // Whose offsets in the log are the hint where to go on.
  std::int64_t flush_size = 1'000;       // Records of an object, at most. 1 is one object for each record.
  std::chrono::milliseconds rotate_interval{
      5'000};  // An object is put at the latest so long after its first record came.
  // An object holds records of so long a time at most, as the partitioner sees their times (rotate.interval.ms).
  std::optional<std::chrono::milliseconds> rotate_record_interval = {};
  // All objects are put at each whole multiple of it since midnight in the partitioner's zone (rotate.schedule.interval.ms).
  std::optional<std::chrono::milliseconds> rotate_schedule_interval = {};
  NameForm names = {};
  Format format = Format::kJson;
  Compression compression = Compression::kNone;
  PartitionerOptions partitioner = {};
  ByteCount max_object{std::uint64_t{16} << 20};  // An object is put once it holds so many bytes.
  ByteCount max_memory{std::uint64_t{64} << 20};  // Of all open objects together; past it the largest are put early.
  std::size_t max_open_objects = 1'000;           // Of one partition; past it all of them are put.
  int parallel_puts = 8;                          // Of the objects of one plan.
  std::chrono::milliseconds discovery_interval{1'000};  // The log tells nobody of new topics: how often to look.
  std::chrono::milliseconds least_backoff{100};
  std::chrono::milliseconds most_backoff{30'000};
};

// kInvalid: settings that cannot be obeyed; says which and what is allowed. Sink takes only settings that pass.
Result<void> check(const SinkOptions& options);

struct PartitionStatus {
  log::TopicPartition partition;
  log::Offset next;      // All records below are in objects.
  std::int64_t lag = 0;  // Records in the log that are not yet in objects.
  std::string error;     // Why it does not go on now; empty when it does.
};

struct SinkStatus {
  std::vector<PartitionStatus> partitions;            // Those that it works on, sorted.
  std::uint64_t objects = 0, records = 0, bytes = 0;  // Put since the start.
  std::string last_error;                             // The latest, also if mended since.
};

// Copies log records to objects of the S3 sink connector's layout (docs/formats/objects.md), one worker
// thread from construction to destruction. Exactly once: the objects themselves say how far a partition is,
// each is put whole or not at all and never over another, so a crash at any step, or a second sink on the
// same store, gives each record in one object. While the store refuses, it retries with back-off and holds at
// most max_memory plus one fetch (4 MiB). `log`, `store`, `clock`, `logger` and `share` must outlive it. Public calls
// are safe from any thread.
class Sink {
 public:
  // With a share the sink subscribes it to the matching topics and works on the partitions that it has; without one, on all.
  Sink(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger,
       log::Share* share = nullptr);
  ~Sink();  // What is fetched and not yet put is fetched again by the next sink.
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Puts all records that are in its partitions at the time of the call without waiting for flush_size or
  // rotate_interval, and waits until they are in objects. kUnavailable: not within `timeout`; the message
  // names what hinders. kCancelled: stopped.
  Result<void> flush(std::chrono::milliseconds timeout, std::stop_token stop);

  SinkStatus status() const;              // Asks the log for the lag.
  SinkStatus status_without_lag() const;  // From memory.

 private:
  struct State;
  void work(std::stop_token stop);

  log::Log& log_;
  const TopicFilter filter_;
  Wakeup wakeup_;
  std::unique_ptr<State> state_;  // Shared with the worker, under its own mutex.
  std::jthread thread_;
  std::optional<log::ShareWatch> watch_;  // Last: stops first.
};

}  // namespace pinflow::sink
