#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/strong.h"
#include "objects/object_store.h"
#include "query/table_views.h"
#include "records/kind.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::query {

enum class AnswerFormat { kTable, kCsv, kJson, kDocument, kParquet };

struct QueryLimits {
  std::chrono::milliseconds time{30'000};
  std::uint64_t rows = 10'000;
  ByteCount answer{std::uint64_t{16} << 20};
  ByteCount memory{std::uint64_t{512} << 20};
  ByteCount spill{std::uint64_t{1} << 30};
  ByteCount statement{std::uint64_t{256} << 10};
  int threads = 2;
};

struct RunnerOptions {
  QueryLimits limits;
  std::filesystem::path scratch;               // Absolute; each statement has a folder of its own in it while it runs.
  std::vector<std::filesystem::path> folders;  // Absolute: where the files of the tables lie on this machine.
  // How to start a process that calls run_query_worker().
  std::vector<std::string> worker{"/proc/self/exe", "query-worker"};
};

struct Query {
  std::string sql;
  AnswerFormat format = AnswerFormat::kTable;
  ReadAt read_at = {};
  std::string caller;  // For the log.
};

struct QueryAnswer {
  std::string body;
  std::uint64_t rows = 0;
  std::map<std::string, std::int64_t> versions;  // Of the tables that the statement named.
};

// What a runner stands on; all of it outlives the runner.
struct RunnerContext {
  objects::ObjectStore& tables;
  sql::Engine& engine;  // Reads the tables' logs; no statement of a user comes near it.
  const sql::Statements& statements;
  const records::Names& names;
  const Clock& clock;
  Logger& logger;
};

// Runs statements of users over the tables: read-only, each in a process of its own that has no network, no files but those of the
// tables, and bounds of time, memory, rows and bytes (docs/sql.md). A statement that breaks its process is one failed statement. Each is
// one line of the log, with its caller. Safe from any thread; whoever calls bounds how many run at once.
class QueryRunner final {
 public:
  QueryRunner(RunnerOptions options, const RunnerContext& context);

  // Blocks. kInvalid: a wrong statement, or one that is not allowed. kNotFound: an unknown table. kOverloaded: a limit, named.
  // kCancelled: stopped.
  Result<QueryAnswer> run(const Query& query, const std::stop_token& stop);
  const QueryLimits& limits() const { return options_.limits; }

 private:
  Result<QueryAnswer> run_unlogged(const Query& query, const std::stop_token& stop);

  const RunnerOptions options_;
  const RunnerContext context_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace pinflow::query
