#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/result.h"
#include "base/strong.h"
#include "delta/table.h"
#include "disk/disk.h"
#include "log/log.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::batch {

class RemoteEngine;

struct BatchOptions {
  std::vector<std::string> topics = {};  // Empty: every topic below topics/ whose name tells a kind.
  int readers = 2;                       // Threads that read and parse objects.
  // A slice of raw rows goes to the SQL engine once it reaches one of these. At most 2 slices a kind and
  // reader are in memory.
  std::size_t slice_rows = 122'880;
  ByteCount slice_memory{std::uint64_t{32} << 20};
  bool rebuild = false;  // Reads all objects again and makes every table anew.
};

// What a job stands on; all of it outlives the job.
struct BatchContext {
  objects::ObjectStore& objects;  // Where the sink puts the records.
  delta::TableContext tables;     // Where the results go; also engine, clock, random numbers and logger of the job.
  disk::Disk& disk;
  disk::Path state;  // Folder of states; the job keeps state/batch (its lock).
  const sql::Statements& statements;
  log::Log* log =
      nullptr;  // The log that the objects are sunk from, where it is open in this process: counts are held against it.
  RemoteEngine* remote = nullptr;  // Where cleaning, model, checks and questions run; none: in the engine of `tables`.
};

struct KindCounts {
  std::uint64_t records = 0;  // Lines of objects that this run read and no run before had.
  std::uint64_t rows = 0;     // Of the cleaned table afterwards: one a post.
  std::uint64_t added = 0;    // Posts that it did not have.
  std::uint64_t repeats =
      0;  // Records of a post that another record stands for, or that took the place of an earlier one.
  std::uint64_t replaced = 0;      // Those of the repeats that took the place of a row of an earlier run.
  std::uint64_t dead_letters = 0;  // records = added + repeats + dead_letters.
  std::uint64_t files_rewritten = 0;
  std::string reloaded = {};  // Why all objects were read again; empty: only new ones were.
};

// The log's offsets beside those of the objects that are taken in, of all partitions together; offsets = taken + waiting + gone.
struct LogCounts {
  std::uint64_t offsets = 0;  // That the log ever gave.
  std::uint64_t taken = 0;    // In objects that the tables have.
  std::uint64_t waiting = 0;  // Not in such an object yet.
  std::uint64_t gone = 0;     // Left the log before they were in an object.
  friend bool operator==(const LogCounts&, const LogCounts&) = default;
};

struct Answer {
  std::string question;
  std::string description;
  sql::ResultTable table;  // The first kAnswerRows rows; the stored table has all.
};

struct CheckResult {
  std::string check;
  std::string description;
  bool stops = false;  // Its findings keep the run from being published.
  std::uint64_t findings = 0;
  sql::ResultTable sample;  // The first kStoredFindings findings.
};

// A question or check of a user's that could not be understood or run. The others are not touched by it.
struct StatementFailure {
  std::string statement;  // "questions/mine".
  Error error;            // Names file, line and column.
};

inline constexpr std::size_t kAnswerRows = 10'000;
inline constexpr std::size_t kStoredFindings = 1'000;

struct BatchReport {
  std::string run_id;
  WallTime started;
  std::chrono::milliseconds took{0};
  std::uint64_t objects = 0;  // Read by this run.
  std::uint64_t bytes = 0;
  std::uint64_t skipped_objects = 0;  // Met, but none of the sink's, or of no kind.
  std::vector<std::pair<std::string, std::uint64_t>> skip_reasons;
  std::optional<LogCounts> log;  // None: no log was given to compare with.
  std::map<records::Kind, KindCounts> kinds;
  std::vector<std::pair<std::string, std::uint64_t>> reasons;  // Of this run's dead letters, the most frequent first.
  std::string posts_rebuilt;                                   // Why all posts were made anew; empty where not.
  std::uint64_t posts_touched = 0;                             // Else: how many were.
  std::map<std::string, std::uint64_t> tables;                 // Rows of every table, after the run.
  std::vector<Answer> answers;                                 // Sorted by question.
  std::vector<CheckResult> checks;                             // Sorted by check.
  std::vector<StatementFailure> failures;
  bool published = false;  // False: a check stopped it, and readers still see the run before.
  std::vector<std::pair<std::string, std::chrono::milliseconds>> steps;  // In the order they ran.
};

struct ReadProgress {
  std::uint64_t objects = 0, objects_total = 0;
  std::uint64_t bytes = 0, bytes_total = 0;
  std::uint64_t records = 0;
};

// Told how a run goes, on the thread of run().
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void step(std::string_view name) = 0;  // A step begins: list, read, merge, model, check, ask, publish.
  virtual void reading(const ReadProgress& progress) = 0;
};

// The day's batch: reads the objects that are new since the last run, cleans them and merges them into batch_pin, batch_geo and batch_user
// (one row a post, the latest record wins), adds what cannot be a row to batch_dead_letters, brings batch_posts and batch_people up to
// date, checks, asks the questions (question_<name>) and publishes all of it at once (batch/published.h).
//
// How far the objects are taken in is in the commits of the tables themselves, so a run that failed or was killed anywhere is simply run
// again: nothing is lost or doubled, and readers of the publication see the results of the run before until then. One thread owns it; two
// runs on one state folder exclude each other. Memory: slices as in BatchOptions, the rest is the engine's and spills where it may.
class BatchJob final {
 public:
  BatchJob(const BatchContext& context, BatchOptions options);

  // kConflict: another run holds the lock (named), or somebody else wrote one of the tables meanwhile. kCancelled: stopped. kInvalid: a
  // file of the cleaning or the model is wrong (named); one of a question or check is told in the report.
  Result<BatchReport> run(Progress* progress, std::stop_token stop);
  // Of the last run; of one that failed, what the steps that it reached told. Without a run_id: it never began.
  const BatchReport& report() const { return report_; }

 private:
  BatchContext context_;
  BatchOptions options_;
  BatchReport report_;
};

}  // namespace pinflow::batch
