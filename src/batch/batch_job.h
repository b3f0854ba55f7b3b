#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "delta/table.h"
#include "disk/disk.h"
#include "objects/object_store.h"
#include "records/kind.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::batch {

struct BatchOptions {
  std::vector<std::string> topics;  // Empty: every topic below topics/ whose name tells a kind.
  int readers = 2;                  // Threads that read and parse objects.
  // A slice of raw rows goes to the SQL engine once it reaches one of these. At most 2 slices a kind and
  // reader are in memory.
  std::size_t slice_rows = 122'880;
  ByteCount slice_memory{std::uint64_t{32} << 20};
};

// What a job stands on; all of it outlives the job.
struct BatchContext {
  objects::ObjectStore& objects;  // Where the sink puts the records.
  delta::TableContext tables;     // Where the results go; also engine, clock, random numbers and logger of the job.
  disk::Disk& disk;
  disk::Path state;  // Folder of states; the job keeps state/batch (its lock) and state/batch_runs.jsonl.
  const sql::Statements& statements;
};

struct KindCounts {
  std::uint64_t records = 0;       // Lines of objects.
  std::uint64_t rows = 0;          // Of the cleaned table: one a post.
  std::uint64_t repeats = 0;       // Rows dropped for a later one of the same post.
  std::uint64_t dead_letters = 0;  // records = rows + repeats + dead_letters.
};

struct Answer {
  std::string question;
  std::string description;
  sql::ResultTable table;  // The first kAnswerRows rows; the stored table has all.
};

struct CheckResult {
  std::string check;
  std::string description;
  std::uint64_t findings = 0;
  sql::ResultTable sample;  // The first kCheckRows findings.
};

inline constexpr std::size_t kAnswerRows = 10'000;
inline constexpr std::size_t kCheckRows = 10;

struct BatchReport {
  std::string run_id;
  WallTime started;
  std::chrono::milliseconds took{0};
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t skipped_objects = 0;  // Below topics/, but not named as the sink names, or of no kind.
  std::map<records::Kind, KindCounts> kinds;
  std::vector<std::pair<std::string, std::uint64_t>> reasons;            // Of dead letters, the most frequent first.
  std::map<std::string, std::uint64_t> tables;                           // Rows of every table written.
  std::vector<Answer> answers;                                           // Sorted by question.
  std::vector<CheckResult> checks;                                       // Sorted by check.
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
  virtual void step(std::string_view name) = 0;  // A step begins: list, read, model, check, ask, write, commit.
  virtual void reading(const ReadProgress& progress) = 0;
};

// The day's batch: reads all sunk objects, cleans, models, checks, asks the questions and replaces the tables
// batch_pin, batch_geo, batch_user, batch_posts, batch_people, batch_dead_letters and question_<name>. Each
// table goes over in one commit, and all commits come at the end, when every file is written: a failed or
// killed run leaves the tables of the run before. Run it again after any failure; the same objects give the
// same tables. One thread owns it; two runs on one state folder exclude each other. Memory: slices as in
// BatchOptions, the rest is the engine's and spills where the engine may.
class BatchJob final {
 public:
  BatchJob(const BatchContext& context, BatchOptions options);

  // kConflict: another run holds the lock (named), or somebody else wrote one of the tables meanwhile.
  // kCancelled: stopped. kInvalid: an SQL file is wrong (named). The run's line is in state/batch_runs.jsonl,
  // also that of a failed one.
  Result<BatchReport> run(Progress* progress, std::stop_token stop);

 private:
  BatchContext context_;
  BatchOptions options_;
};

}  // namespace pinflow::batch
