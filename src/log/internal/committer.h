#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "log/batch_validation.h"
#include "log/broker_log.h"
#include "log/embedded_log.h"
#include "log/internal/group_journal.h"
#include "log/internal/request_table.h"
#include "log/internal/sync_team.h"
#include "log/internal/topic_table.h"
#include "log/record_batch.h"

namespace pinflow::log {

// Asks the disk now and then whether enough is free. Owned by the committer's thread.
class SpaceGuard final {
 public:
  SpaceGuard(const EmbeddedLogOptions& options, disk::Disk& disk, const Clock& clock)
      : options_(options), disk_(disk), clock_(clock) {}
  // kUnavailable while less than the reserve would be left. `bytes` are about to be written.
  Result<void> check(std::uint64_t bytes);

 private:
  const EmbeddedLogOptions& options_;
  disk::Disk& disk_;
  const Clock& clock_;
  std::uint64_t unchecked_bytes_ = 0;
  SteadyTime checked_at_{};
  bool enough_ = false;
};

// Of a request that is to be stored once.
struct OnceRequest {
  std::int64_t id = 0;  // With kRequestBit.
  std::int32_t content = 0;
  std::vector<PartitionId> partitions{};  // One per record, or none.
  std::int16_t placed_among = 0;  // Set by the commit: so many partitions the keys of its records are spread over.
};

struct ProduceRequest {
  OpenTopicPtr topic;
  PartitionId partition = kAnyPartition;
  std::vector<Record> records;
  ProduceDone done;
  std::vector<Result<Appended>> results;  // One per record; an error here before the commit keeps the record out.
  std::size_t bytes = 0;                  // What it counts against the bound.
  std::optional<OnceRequest> once{};
};

// A producer's batch, checked but for what the partition knows of its producer.
struct BatchRequest {
  OpenTopicPtr topic;
  PartitionId partition;
  ValidBatch batch;
  std::shared_ptr<const void> keep_alive;
  BatchDone done;
  BatchResult result;
  std::size_t bytes = 0;  // What it counts against the bound.
};

struct PositionsRequest {
  GroupChange change;
  Done done;
  std::size_t bytes = 0;
};

// Something to do between two commits, when nothing is half written.
struct Task {
  std::move_only_function<Result<void>()> work;
  Done done;
};

// The one writer of a log: a thread that takes all that waits, writes it partition by partition, syncs each
// file once, publishes and answers; meanwhile the next requests gather (group commit). submit is safe from
// any thread. All references must outlive it. Waiting and unanswered requests together take at most
// options.max_pending bytes. stop() finishes the commit at work and answers the rest with kCancelled.
class Committer final {
 public:
  Committer(const EmbeddedLogOptions& options, disk::Disk& disk, const Clock& clock, GroupJournal& journal,
            RequestTable& requests);
  ~Committer() { stop(); }

  // Takes the request, or returns kOverloaded and leaves it with the caller.
  Result<void> submit(ProduceRequest& request);
  Result<void> submit(BatchRequest& request);
  Result<void> submit(PositionsRequest& request);
  // Runs `work` on the committer's thread and waits for it. kCancelled when the log is closing. Not from a callback of the log's.
  Result<void> between_commits(std::move_only_function<Result<void>()> work);
  // Whatever was written is synced at the end, at every level.
  void stop();
  // After stop(): whether all that was answered is durable.
  bool all_durable() const { return all_durable_; }

 private:
  struct Pending {
    std::vector<ProduceRequest> produces;
    std::vector<BatchRequest> batches;
    std::vector<PositionsRequest> positions;
    std::vector<Task> tasks;
    std::size_t bytes = 0;
    bool empty() const { return produces.empty() && batches.empty() && positions.empty() && tasks.empty(); }
    void clear() { *this = {}; }
  };
  // Neighbouring records of one request that go to one partition.
  struct Slice {
    ProduceRequest* request;
    std::size_t begin;
    std::size_t end;
  };
  // What one partition gets in one commit.
  struct Work {
    OpenTopicPtr topic;  // Keeps the partition alive.
    PartitionLog* partition;
    PartitionId id;
    std::vector<Slice> slices;
    std::vector<BatchRequest*> batches;
    std::optional<Error> error;
    bool appended = false;
  };

  template <class Request>
  Result<void> submit_to(std::vector<Request> Pending::* queue, Request& request);
  Result<void> admit(std::size_t bytes);
  void run(std::stop_token stop);
  void commit(Pending& taken);
  void release(Pending& taken);
  void refuse(Pending& taken, const Error& error);
  void answer(Pending& taken);
  Work& work_for(const OpenTopicPtr& topic, PartitionId partition);
  void route(ProduceRequest& request);
  void route_once(ProduceRequest& request, WallTime now);
  void add_slice(ProduceRequest& request, PartitionId partition, std::size_t begin, std::size_t end);
  void append(Work& work, WallTime now);
  void encode_records(const Work& work, Offset& offset, WallTime now);
  void encode_once(const Work& work, std::span<const Slice> slices, Offset& offset, WallTime now);
  void copy_batches(const Work& work, Offset& offset, WallTime now);
  bool is_next(BatchRequest& request, PartitionLog& partition, WallTime now);
  bool wait_for_work(Pending& taken, const std::stop_token& stop);
  void flush_dirty();
  void sync_appended(bool changed);
  bool append_changes(std::vector<PositionsRequest>& requests);
  void fail_all(Work& work, const Error& error);

  const EmbeddedLogOptions& options_;
  const Clock& clock_;
  GroupJournal& journal_;
  RequestTable& requests_;
  SpaceGuard space_;
  SyncTeam syncs_;

  // The commit at work; the thread's own. Kept to use their storage again.
  std::vector<Work> works_;
  std::vector<Work*> to_sync_;
  Result<void> changes_stored_;  // Of groups.
  std::unordered_map<PartitionLog*, std::size_t> work_of_;
  std::unordered_map<std::int64_t, const OnceRequest*>
      begun_;  // The first of each id, which requests_ may not know yet.
  std::string buffer_;
  std::vector<BatchMark> marks_;
  // Weaker levels: written and not yet synced, and when the first of it was written.
  std::unordered_map<PartitionLog*, OpenTopicPtr> dirty_;
  std::chrono::steady_clock::time_point dirty_since_;
  std::atomic<bool> all_durable_ = true;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  Pending pending_;
  std::size_t admitted_bytes_ = 0;  // Waiting and being written.
  bool stopped_ = false;
  std::jthread thread_;  // Last: it uses all of the above.
};

}  // namespace pinflow::log
