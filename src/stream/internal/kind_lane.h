#pragma once

#include <array>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "delta/table.h"
#include "log/reader_progress.h"
#include "stream/internal/batch_budget.h"
#include "stream/internal/commit_pace.h"
#include "stream/internal/micro_batch.h"
#include "stream/stream_lane.h"

namespace pinflow::stream::internal {

// The lane of one kind, all but its thread: one thread calls prepare(), fetch() and commit() in turns, tests too.
// While the lane is behind, batches are made on threads of their own, up to `batches_at_once`, and fetched meanwhile; they are
// committed in the order of their records by the lane's own thread, which alone touches tables and positions.
class KindLane {
 public:
  // Into the kind's table, or the one named. `budget` outlives the lane.
  KindLane(records::Kind kind, StreamOptions options, const StreamContext& context, Random random, BatchBudget& budget,
           const std::optional<std::string>& table = {});
  ~KindLane();

  // Opens what is not open, looks for partitions, learns where they go on.
  void prepare();

  // Gathers a micro-batch, blocking until there is one, something else is to be done, or `wake` is requested. Does not block while
  // batches wait to be committed.
  void fetch(const std::stop_token& wake);

  // Makes rows and dead letters of what fetch() gathered, and commits the batches that are made: all, or, while more is waiting in
  // the log, as many as make room for another.
  void commit();

  // Lets the next prepare() look for topics and try again what waits for its back-off.
  void hurry();

  // Takes in nothing at or above this place, which is looked up with the start of each partition: for a lane over a past range.
  void stop_at(Position until) { until_ = until; }
  // Whether all partitions have come to that place.
  bool is_through() const;

  // The version of the share's assignment of which it has let go of all that is no longer in it.
  std::uint64_t assigned() const { return assigned_.version; }

  // As of now; lag is left to the caller.
  TableStatus status() const;
  std::map<log::TopicPartition, log::ReaderPlace> places() const;

 private:
  struct Partition {
    log::TopicPartition name;
    Uuid topic_id;
    std::optional<log::Offset> next;   // All below is committed. Empty: not known yet, or no longer.
    log::Offset ahead;                 // All below is in a batch.
    std::optional<log::Offset> until;  // Where a past range ends.
    log::Offset dead_next;             // Dead letters below are stored.
    Backoff backoff;
    std::string error;
  };
  // Positions of a table as this lane last read or wrote them, by transaction; empty: the table had none.
  using Seen = std::map<std::string, std::optional<std::int64_t>>;
  // A batch that is made, perhaps yet, on a thread of its own.
  struct Flight {
    MicroBatch* batch;
    BatchBudget::Grant grant;
    SteadyTime begun;
    std::future<Result<void>> made;
  };

  Result<void> open();
  Result<delta::TableSpec> spec_of(const std::string& name, const std::string& select, const std::string& description);
  void close();
  void discover();
  void look_at_share();
  Result<void> locate(Partition& partition);
  Result<log::Offset> first_offset(const Partition& partition, log::OffsetRange range);
  void forget_places();
  std::string app_id(const log::TopicPartition& name, const Uuid& topic_id, const std::string& table) const;
  bool fetchable(const Partition& partition) const;
  std::chrono::milliseconds patience() const;
  Result<std::vector<log::FetchedPartition>> read(std::size_t min_bytes, std::chrono::milliseconds wait,
                                                  const std::stop_token& wake);
  void accept(std::vector<log::FetchedPartition> fetched);
  bool make_room(bool behind);
  bool are_of_known_topic() const;

  void begin_batch();
  void commit_oldest();
  void drop_flights();
  Result<void> store(MicroBatch& batch);
  Result<void> store_dead_letters(MicroBatch& batch);
  Result<void> append(delta::Table& table, Seen& seen, const std::vector<delta::DataFile>& files,
                      const std::vector<delta::Transaction>& transactions);
  static std::optional<std::int64_t> note_seen(const delta::Table& table, Seen& seen, const std::string& app);
  void advance(const MicroBatch& batch);
  void note_unknown_members(const records::UnknownMembers& members);
  void retreat(const Error& error);
  Result<void> read_tables();
  void failed(const Error& error);
  void failed(Partition& partition, Error error);
  void warn(const std::string& subject, const std::string& cause);

  const records::Kind kind_;
  const StreamOptions options_;
  const std::string stream_;
  const std::string table_;
  StreamContext context_;
  Random random_;
  BatchBudget& budget_;
  std::optional<Position> until_;

  std::vector<std::unique_ptr<MicroBatch>> batches_;  // As many as may be in flight, reused.
  std::unique_ptr<delta::Table> clean_;
  std::unique_ptr<delta::Table> dead_;
  std::string select_;
  delta::TableSpec spec_;
  log::Assignment assigned_;  // As of the last look at the share; nothing without one.
  std::map<log::TopicPartition, Partition> partitions_;
  Seen seen_clean_;
  Seen seen_dead_;
  SteadyTime discover_at_ = SteadyTime::min();
  SteadyTime commit_at_ = SteadyTime::min();  // Not before.
  CommitPace pace_;
  bool busy_ = false;           // The last batch was full: more is waiting.
  std::int64_t batch_records_;  // Shrinks while the engine has too little memory.

  std::vector<log::FetchedPartition> fetched_;
  BatchBudget::Grant grant_;    // What it may hold, or what is fetched next.
  std::deque<Flight> flights_;  // In the order of their records.

  Backoff backoff_;
  SteadyTime warn_at_ = SteadyTime::min();
  std::uint64_t unwarned_ = 0;
  records::UnknownMembers unknown_members_;
  TableStatus totals_;
};

}  // namespace pinflow::stream::internal
