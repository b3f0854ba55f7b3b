#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "disk/disk.h"
#include "log/broker_log.h"
#include "log/embedded_log.h"
#include "log/internal/live_settings.h"
#include "log/internal/segment_scan.h"
#include "log/internal/waiters.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace pinflow::log {

// What a partition needs to know of its surroundings. `disk` and `logger` must outlive it.
struct PartitionOptions {
  disk::Disk& disk;
  Logger& logger;
  disk::Path folder;
  TopicPartition name;
  std::shared_ptr<const LiveSettings> settings;  // Shared with the topic, which changes them.
  Durability durability = Durability::kPower;
  bool read_only = false;
};

// What is left of a fetch's bounds. A record beyond `bytes` is given only as the very first of the answer.
struct ReadBudget {
  std::size_t bytes = 0;
  std::size_t records = 0;
  bool nothing_yet = true;
};

// One partition on disk: its segments, their index in memory, its end. Writing (append, sync, publish)
// belongs to the committer's thread; reading, range and close to any. A successful append is durable after a
// successful sync and visible to readers after publish. A failed sync, or an append that cannot be taken
// back, fences it: no write is tried again until the next opening, reads go on.
class PartitionLog final {
 public:
  // Reads the folder and recovers: cuts a torn tail, notes damage and fences. Counts into `report`. Errors of
  // single files fence this partition and are damage; only what stops the work on any partition is an error.
  static Result<std::unique_ptr<PartitionLog>> open(PartitionOptions options, RecoveryReport& report);
  // Makes an empty one; the folder is there.
  static std::unique_ptr<PartitionLog> make_new(PartitionOptions options);

  // The offset of the next record, and what to stamp as leader epoch on its batch: the batches since the last
  // sync.
  Offset next_offset() const { return next_offset_; }
  std::int32_t unsynced_batches() const { return unsynced_batches_; }

  // Writes whole batches, which `marks` names with positions relative to `batches`, and which end before the
  // offset `end`. kUnavailable: nothing was stored (fenced, no space). kUnknownOutcome: it may be there after
  // a restart. kNotFound: closed.
  Result<void> append(std::string_view batches, std::span<const IndexEntry> marks, Offset end);
  // Makes what was appended durable as the log's level says. kUnknownOutcome, and the fence, where that
  // fails.
  Result<void> sync();
  // Shows what was appended and synced to readers, and wakes who waits for it.
  void publish();
  // Refuses all writing from now on, as the topic is deleted, and wakes all who wait.
  void close();

  // The epoch of what is written now, and where an older one ended (docs/formats/log.md).
  std::int32_t leader_epoch() const;
  EpochEnd epoch_end(std::int32_t epoch) const;

  OffsetRange range() const;
  // Bytes that readers could see so far; only grows.
  std::uint64_t published_bytes() const;
  // Adds records from `offset` on to out.records, or sets out.error, and lowers the budget.
  void read(Offset offset, ReadBudget& budget, FetchedPartition& out);
  // As BrokerLog::read_batches.
  Result<BatchRead> read_batches(Offset offset, std::size_t max_bytes, bool first_whole);

  // Asks `source` to stop as soon as a record at or behind `offset` can be read or the partition is closed. None: that is so
  // already, and the source was not asked.
  std::optional<Waiters::Id> wait_for(Offset offset, std::stop_source source);
  void stop_waiting(Waiters::Id id);

 private:
  struct Segment {
    Offset base;
    disk::Path path;
    SparseIndex index;
    std::uint64_t visible_size = 0;
    // Shared with readers at work, so that it can be dropped here while they go on.
    std::shared_ptr<const disk::File> reader;
  };
  struct Epoch {
    std::int32_t number = 0;
    Offset start;
  };
  // Where a read goes on.
  struct Place {
    const Segment* segment = nullptr;
    std::shared_ptr<const disk::File> reader;
    std::uint64_t position = 0;
    std::uint64_t visible_size = 0;
    Offset expected;  // Base offset of the batch at `position`.
  };

  explicit PartitionLog(PartitionOptions options) : options_(std::move(options)) {}

  Result<void> recover(RecoveryReport& report);
  Result<void> recover_segment(Offset base, const disk::Entry& entry, bool last, RecoveryReport& report);
  Result<void> settle_tail(const SegmentScan& scan, RecoveryReport& report);
  void note_damage(RecoveryReport& report, const disk::Path& path, std::uint64_t position, std::string_view cause);
  void fence(std::string cause);

  Result<void> prepare_writer(std::size_t bytes);
  Result<void> begin_segment();
  Result<void> take_back(Error error);

  disk::Path segment_path(Offset base) const;
  Result<std::optional<Place>> find(Offset offset);
  static Result<BatchHeader> read_expected(std::string_view front, const Place& place);
  void read_records(Offset& offset, const OffsetRange& range, ReadBudget& budget, FetchedPartition& out);
  std::int32_t epoch_at(Offset offset) const;
  // Reads within one segment; true when the next one may have more.
  Result<bool> read_segment(Place& place, Offset& offset, ReadBudget& budget, FetchedPartition& out);
  Result<bool> take_records(std::string_view batch, Offset& offset, ReadBudget& budget, FetchedPartition& out);
  Error out_of_range(Offset offset, const OffsetRange& range) const;
  Result<void> skip_to(Place& place, Offset offset) const;
  Result<void> read_whole(Place& place, std::size_t max_bytes, bool first_whole, std::string& out) const;
  Error describe_damage(const Place& place, Offset offset, const Error& cause) const;

  const PartitionOptions options_;

  // Writing. The mutex is free but for close().
  std::mutex write_mutex_;
  std::unique_ptr<disk::File> writer_;  // Of the last segment; opened by the first append.
  std::uint64_t write_size_ = 0;
  Offset next_offset_;
  std::int32_t unsynced_batches_ = 0;
  std::vector<IndexEntry> unpublished_;
  std::optional<std::string> fence_;
  bool closed_ = false;

  // Reading. Guards the segments and all in them; a segment's address is stable and its base and path never
  // change.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Segment>> segments_;
  OffsetRange range_;
  std::uint64_t published_bytes_ = 0;
  std::vector<Epoch> epochs_ = {{}};  // Ascending in both; at least one.
  Waiters waiters_;
  bool gone_ = false;  // Closed: nothing comes any more.
};

}  // namespace pinflow::log
