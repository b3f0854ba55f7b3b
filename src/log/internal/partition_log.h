#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "disk/disk.h"
#include "log/broker_log.h"
#include "log/embedded_log.h"
#include "log/internal/live_settings.h"
#include "log/internal/partition_state.h"
#include "log/internal/producer_table.h"
#include "log/internal/request_table.h"
#include "log/internal/segment_scan.h"
#include "log/internal/waiters.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace pinflow::log {

struct SegmentFile;

// What a partition needs to know of its surroundings. `disk`, `logger` and `clock` must outlive it.
struct PartitionOptions {
  disk::Disk& disk;
  Logger& logger;
  const Clock& clock;
  disk::Path folder;
  TopicPartition name;
  std::shared_ptr<const LiveSettings> settings;  // Shared with the topic, which changes them.
  Durability durability = Durability::kPower;
  bool read_only = false;
  RequestTable* requests = nullptr;  // Used by the thread that opens or writes; none: nothing is known of requests.
};

// What is left of a fetch's bounds. A record beyond `bytes` is given only as the very first of the answer.
struct ReadBudget {
  std::size_t bytes = 0;
  std::size_t records = 0;
  bool nothing_yet = true;
};

// A segment as those see it who clean up. `path` is good until the segment is dropped or replaced.
struct SegmentInfo {
  Offset base;
  Offset end;
  std::uint64_t size = 0;
  std::int64_t max_timestamp = kNoTimestamp;  // Milliseconds; of the batches' headers.
  bool rewritten = false;                     // Holds what a cleaning left of [base, end).
  disk::Path path;
};

// One partition on disk: its segments, their indexes, its producers, its end. Four sides:
//  - writing (append, sync, publish, roll, producers) belongs to the committer's thread. A successful append is durable after a
//    successful sync and visible to readers after publish. A failed sync, or an append that cannot be taken back, fences it: no
//    write is tried again until the next opening, reads go on;
//  - reading, range, waiting, times, epochs: any thread;
//  - upkeep (closed_segments, advance_log_start, drop_old_segments, replace_segments): any thread, one call at a time waits for
//    the other. They touch closed segments alone, and wait for no more than a sync that is under way;
//  - opening: one thread, before all others.
class PartitionLog final {
 public:
  // Reads the folder and recovers: cuts a torn tail, notes damage and fences. Counts into `report`. Errors of
  // single files fence this partition and are damage; only what stops the work on any partition is an error. `new_epoch`: records that
  // readers had seen may be lost, so what comes now belongs to the next leader epoch.
  static Result<std::unique_ptr<PartitionLog>> open(PartitionOptions options, bool new_epoch, RecoveryReport& report);
  // Makes an empty one; the folder is there.
  static std::unique_ptr<PartitionLog> make_new(PartitionOptions options);

  // The offset of the next record, and what to stamp as leader epoch on its batch: the batches since the last
  // sync.
  Offset next_offset() const { return next_offset_; }
  std::int32_t unsynced_batches() const { return unsynced_batches_; }
  // kUnavailable, with the reason, when it is fenced.
  Result<void> check_writable() const;
  ProducerTable& producers() { return producers_; }
  RequestTable::Slot slot() const { return slot_; }  // What RequestTable calls it.

  // Writes whole batches, which `marks` names with positions relative to `batches`, and which end before the
  // offset `end`. kUnavailable: nothing was stored (fenced, no space). kUnknownOutcome: it may be there after
  // a restart. kNotFound: closed.
  Result<void> append(std::string_view batches, std::span<const BatchMark> marks, Offset end);
  // Makes what was appended as durable as an answer at the log's level needs. kUnknownOutcome, and the fence, where that
  // fails.
  Result<void> sync();
  // Makes all that was written durable at any level; nothing to do is no error. The same failures.
  Result<void> flush();
  // Shows what was appended and synced to readers, and wakes who waits for it.
  void publish();
  // Closes the open segment, unless it is empty, and begins the next one. Between two commits only. The same errors as append.
  Result<void> roll();
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
  // As BrokerLog::find_time and find_latest_time.
  Result<std::optional<TimedOffset>> find_time(WallTime time);
  Result<std::optional<TimedOffset>> find_latest_time();

  // Asks `source` to stop as soon as a record at or behind `offset` can be read or the partition is closed. None: that is so
  // already, and the source was not asked.
  std::optional<Waiters::Id> wait_for(Offset offset, std::stop_source source);
  void stop_waiting(Waiters::Id id);

  // Segments that are complete, in order of offset. The open one follows them.
  std::vector<SegmentInfo> closed_segments() const;
  // The open segment as readers see it, and when its file began or was opened; none before the first record.
  struct OpenSegment {
    SegmentInfo segment;
    WallTime since;
  };
  std::optional<OpenSegment> open_segment() const;
  // Moves the log start up to `to`, durably; an older place changes nothing. Readers cannot see what lies before it from then on; the
  // files stay until drop_old_segments. Gives the log start. kInvalid: beyond the high watermark.
  Result<Offset> advance_log_start(Offset to);
  // Removes the closed segments that lie wholly before the log start. Gives the bytes that became free. Interrupted, the next
  // opening goes on with it.
  Result<std::uint64_t> drop_old_segments();
  // Where to write what shall stand in place of [base, end): whole batches in order of offset, as they were but for records left out.
  disk::Path rewrite_path(Offset base, Offset end) const;
  // Puts the file at rewrite_path in place of the closed segments that make up [base, end) exactly, after looking at every checksum
  // in it. One rename decides: before it the old files count, after it the new one; the next opening removes what is left
  // over. kInvalid: no such run of closed segments. kCorrupt: the file is not sound; it is removed.
  Result<void> replace_segments(Offset base, Offset end);

 private:
  struct Segment {
    Offset base;
    std::optional<Offset> rewritten_end;  // In the name of a rewritten one.
    disk::Path path;
    SegmentIndex index;
    Offset end;  // One past its last record, gaps included; of the open one: of what is visible.
    std::uint64_t visible_size = 0;
    bool index_checked = false;  // Built from the segment itself, not read from a file.
    // Shared with readers at work, so that it can be dropped here while they go on.
    std::shared_ptr<const disk::File> reader;
  };
  // Shared with readers at work, so that a segment can be replaced while they go on. Its base, path and end of name never change.
  using SegmentPtr = std::shared_ptr<Segment>;
  // Where a read goes on.
  struct Place {
    SegmentPtr segment;
    std::shared_ptr<const disk::File> reader;
    std::uint64_t position = 0;
    std::uint64_t visible_size = 0;
    Offset expected;  // Base offset of the batch at `position`, or, with gaps, the least that it can have.
    Offset end;       // Of the segment.
    bool gaps = false;
  };

  explicit PartitionLog(PartitionOptions options)
      : options_(std::move(options)), slot_(options_.requests != nullptr ? options_.requests->new_slot() : 0) {}

  // Opening.
  Result<void> recover(bool new_epoch, RecoveryReport& report);
  void read_state(RecoveryReport& report);
  SegmentPtr add_segment(const SegmentFile& file, RecoveryReport& report);
  void recover_closed(const SegmentFile& file, std::optional<Offset> next, RecoveryReport& report);
  std::vector<BatchHeader> recover_open(const SegmentFile& file, RecoveryReport& report);
  bool take_index(Segment& segment, std::uint64_t size, std::optional<Offset> next);
  std::optional<SegmentScan> scan(Segment& segment, SegmentKind kind, RecoveryReport& report);
  void settle_tail(const SegmentScan& scan, RecoveryReport& report);
  void settle_range(bool new_epoch, RecoveryReport& report);
  void recover_producers(const std::vector<BatchHeader>& open_batches);
  bool restore_producers(const Segment& segment, WallTime now, std::vector<StoredRequest>& requests);
  void restore_producers(const std::vector<BatchHeader>& batches, WallTime now, std::vector<StoredRequest>& requests);
  std::string encode_producers(WallTime now) const;
  void note_damage(RecoveryReport& report, const disk::Path& path, std::uint64_t position, std::string_view cause);
  void fence(std::string cause);

  // Writing.
  Result<void> writable() const;
  Result<void> prepare_writer(std::size_t bytes);
  Result<void> open_writer();
  Result<void> close_segment();
  Result<void> begin_segment();
  Result<void> take_back(Error error);
  Result<void> sync_writer();
  void write_index(const Segment& segment);
  void write_beside(const disk::Path& path, std::string_view bytes);
  std::uint64_t segment_size() const { return static_cast<std::uint64_t>(options_.settings->get()->segment_bytes); }

  disk::Path segment_path(Offset base, std::optional<Offset> end) const;
  disk::Path state_path() const { return options_.folder / "partition.state"; }

  // Reading.
  Result<std::optional<Place>> find(Offset offset);
  Result<Place> place_in(const SegmentPtr& segment, const std::optional<IndexEntry>& entry);
  bool rebuild_index(const Place& place);
  static Result<BatchHeader> read_expected(std::string_view front, const Place& place);
  void read_records(Offset& offset, const OffsetRange& range, ReadBudget& budget, FetchedPartition& out);
  // Reads within one segment; true when the next one may have more.
  Result<bool> read_segment(Place& place, Offset& offset, ReadBudget& budget, FetchedPartition& out);
  Result<bool> take_records(std::string_view batch, Offset& offset, ReadBudget& budget, FetchedPartition& out);
  Error out_of_range(Offset offset, const OffsetRange& range) const;
  Result<void> skip_to(Place& place, Offset offset) const;
  Result<void> read_whole(Place& place, std::size_t max_bytes, bool first_whole, std::string& out) const;
  std::int32_t epoch_at(Offset offset) const;
  Error describe_damage(const Place& place, Offset offset, const Error& cause) const;
  // A segment and the greatest time that its index knows.
  struct Times {
    SegmentPtr segment;
    std::int64_t greatest;
  };
  std::vector<Times> segments_with_times() const;
  template <class Search>
  Result<std::optional<TimedOffset>> search_again(const Search& search);
  Result<std::optional<TimedOffset>> try_find_time(WallTime time);
  Result<std::optional<TimedOffset>> try_find_latest_time();
  Result<std::optional<TimedOffset>> find_time_in(Place& place, std::int64_t least, Offset from,
                                                  bool any_will_do) const;
  Result<std::optional<TimedOffset>> find_time_from(const SegmentPtr& segment, std::int64_t least, Offset from,
                                                    bool any_will_do, bool from_front);

  // Upkeep.
  static SegmentInfo info_of(const Segment& segment);
  std::span<SegmentPtr> run_of(Offset base, Offset end);

  const PartitionOptions options_;
  const RequestTable::Slot slot_;

  // Writing. The mutex is free but for close().
  mutable std::mutex write_mutex_;
  SegmentPtr open_;                     // The last segment; none before the first append begins one.
  std::unique_ptr<disk::File> writer_;  // Of the open segment; opened by the first append.
  std::uint64_t write_size_ = 0;
  Offset next_offset_;
  std::int32_t unsynced_batches_ = 0;
  bool dirty_ = false;  // Something was written since the last sync.
  std::vector<BatchMark> unpublished_;
  std::optional<std::string> fence_;
  bool closed_ = false;
  ProducerTable producers_;

  std::mutex upkeep_mutex_;  // One call of upkeep at a time; taken before mutex_.

  // Reading. Guards the segments and all in them.
  mutable std::mutex mutex_;
  std::vector<SegmentPtr> segments_;  // By base; the last one is open.
  WallTime open_since_;               // Of the last segment.
  PartitionState state_;              // Changed with upkeep_mutex_ held, too.
  bool state_known_ = true;           // False: its file is damaged.
  OffsetRange range_;
  std::uint64_t published_bytes_ = 0;
  Waiters waiters_;
  bool gone_ = false;  // Closed: nothing comes any more.
};

}  // namespace pinflow::log
