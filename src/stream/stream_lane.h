#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "base/strong.h"
#include "log/log.h"
#include "log/position_keeper.h"
#include "log/share.h"
#include "log/share_watch.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "records/unknown_members.h"
#include "sql/engine.h"
#include "sql/statements.h"
#include "stream/position.h"

namespace pinflow::stream {

namespace internal {
class BatchBudget;
}

struct StreamOptions {
  std::string pipeline_id = {};  // Kept for the life of the tables: their positions are stored under it.
  records::Names names = {};     // Streams are read and tables written by these names.
  std::string dead_letters = "dead_letters";
  std::string group = "pinflow-stream";  // Its positions in the log show the lag; they decide nothing.
  Position start = Earliest{};           // Where a partition begins that the table has no position of.
  // The time between two commits of a table: the first while the stream is quiet, toward the second while it is busy, but never so
  // long that a record is not in its table within `freshness`, as far as this machine can (internal/commit_pace.h).
  std::chrono::milliseconds commit_interval{200};
  std::chrono::milliseconds max_commit_interval{600};
  std::chrono::milliseconds freshness{1'000};
  std::int64_t max_batch_records = 50'000;
  ByteCount max_batch_bytes{std::uint64_t{16} << 20};
  ByteCount batch_memory{std::uint64_t{64}
                         << 20};    // Records as fetched in all batches under way, of all kinds together.
  std::size_t batches_at_once = 2;  // Of one kind, while it is behind; 1: one after the other.
  // Adds the column arrival_date (the UTC date of arrived_at) and keeps rows of one date in files of their own. Of tables that
  // are made; one that is there stays as it is, and is refused where it is otherwise.
  bool partition_by_date = false;
  // Adds the column unknown_members at the end of the tables, text: a JSON object of the members that no column takes.
  bool keep_unknown_members = false;
  std::int64_t checkpoint_interval = 100;               // Commits between the checkpoints of a table.
  std::chrono::milliseconds optimize_interval{60'000};  // Between two rounds that put small files together; 0: never.
  std::chrono::milliseconds discovery_interval{1'000};  // The log tells nobody of new topics: how often to look.
  std::chrono::milliseconds least_backoff{100};
  std::chrono::milliseconds most_backoff{30'000};
};

// What a lane has just done. The process may die after each of them, and before the next.
enum class Step {
  kPositionSet,           // The start of a partition that does not begin at its first record.
  kFetched,               // A micro-batch from the log.
  kParsed,                // Its records are columns or dead letters.
  kRowsWritten,           // Its data file is durable, in no table yet.
  kDeadLettersWritten,    // The same of its dead letters.
  kDeadLettersCommitted,  // They are in their table.
  kRowsCommitted,         // The rows are in theirs.
  kLookedAfter,           // A table's small files were put together, or its old ones removed.
};
inline constexpr std::array kSteps = {
    Step::kPositionSet,          Step::kFetched,       Step::kParsed,     Step::kRowsWritten, Step::kDeadLettersWritten,
    Step::kDeadLettersCommitted, Step::kRowsCommitted, Step::kLookedAfter};
std::string_view to_string(Step step);

// What the lane stands on; all of it outlives the lane.
struct StreamContext {
  log::Log& log;
  objects::ObjectStore& tables;
  sql::Engine& engine;
  const sql::Statements& statements;
  const Clock& clock;
  Logger& logger;
  std::function<void(Step)> after_step = {};  // Called from any of the lane's threads.
  // Of the thread that keeps the tables compact; none: `engine`. One of its own holds a round, which reads files of any size, to a memory
  // limit and to threads that take nothing from the batches.
  sql::Engine* keeper_engine = nullptr;
  // Which partitions of the streams this process works on; none: all. It is joined with the names of the streams.
  log::Share* share = nullptr;
  void done(Step step) const {
    if (after_step) after_step(step);
  }
};

struct PartitionStatus {
  log::TopicPartition partition;
  log::Offset next;      // All records below are in the table or among the dead letters.
  std::int64_t lag = 0;  // Records in the log that are not yet.
  std::string error;     // Why it does not go on now; empty when it does.
};

// One kind's stream on its way into its table.
struct TableStatus {
  records::Kind kind = records::Kind::kPin;
  std::string table;
  std::int64_t version = -1;  // Of the Delta table; -1: not opened yet.
  std::int64_t rows = 0;
  std::uint64_t files = 0;
  std::uint64_t records = 0, dead_letters = 0, commits = 0;  // Since the start.
  std::optional<WallTime> last_commit;                       // Since the start.
  // Members of the records of its rows that no column takes, since the start, and how many came under further names.
  std::vector<records::UnknownMember> unknown_members;
  std::uint64_t other_unknown_members = 0;
  std::vector<PartitionStatus> partitions;
  std::string error;       // Of the whole lane, now; empty when it goes on.
  std::string last_error;  // The latest, also if mended since.
};

// Takes the records of the streams into Delta tables in micro-batches: fetch, parse, clean (sql/clean/<kind>.sql), dead letters,
// commit. One thread a kind, from construction to destruction, so that one slow table holds up no other.
// Exactly once: each commit carries, per source partition, the last offset that it contains or rejects, and fails where somebody
// else moved that position; so neither a crash at any step nor a second lane on the same streams doubles or loses a record in any
// table. What cannot be a row lies in the dead-letter table before the commit that passes it. Errors of log, engine and store are
// retried with back-off from the last commit; nothing is skipped.
// One more thread puts the small files of the tables together meanwhile, and removes old ones (internal/table_keeper.h).
// A record is in its table within commit_interval and the time of one batch. Memory: batch_memory as bytes, the same as columns,
// and what the engine takes.
// `random` is used in the constructor only. Public calls are safe from any thread.
class StreamLane {
 public:
  StreamLane(StreamOptions options, const StreamContext& context, Random& random);
  ~StreamLane();
  StreamLane(const StreamLane&) = delete;
  StreamLane& operator=(const StreamLane&) = delete;

  // Waits until all that is in its partitions of the streams at the time of the call is committed. kUnavailable: not within `timeout`; the message
  // names what hinders. kCancelled: stopped.
  Result<void> wait_until_caught_up(std::chrono::milliseconds timeout, std::stop_token stop);

  std::vector<TableStatus> status() const;              // In order of kind. Asks the log for the lag.
  std::vector<TableStatus> status_without_lag() const;  // From memory.

 private:
  struct Lane;
  struct Maintenance;
  struct Settling;
  log::Log& log_;
  const Clock& clock_;
  log::PositionKeeper positions_;
  std::unique_ptr<internal::BatchBudget> budget_;
  std::unique_ptr<Settling> settling_;        // None without a share.
  std::unique_ptr<Maintenance> maintenance_;  // None where it is switched off.
  std::vector<std::unique_ptr<Lane>> lanes_;  // They tell the above.
  std::optional<log::ShareWatch> watch_;      // Last: it wakes the lanes.
};

}  // namespace pinflow::stream
