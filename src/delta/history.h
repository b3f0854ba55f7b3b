#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delta/table.h"

namespace pinflow::delta {

// What one commit did, told from its file alone.
struct CommitSummary {
  Version version;
  WallTime time;          // Of the commit's file; never before that of the commit before.
  std::string operation;  // "STREAMING UPDATE", "OPTIMIZE"; empty where its writer did not say.
  std::string engine;     // "pinflow/0.1.0".
  std::map<std::string, std::string> parameters;
  std::int64_t added_files = 0, removed_files = 0;
  std::int64_t added_rows = 0;  // As the statistics of the added files say.
  std::uint64_t added_bytes = 0, removed_bytes = 0;
  bool data_change = false;  // False: rows were only put into other files, or none were touched.
  std::vector<Transaction> transactions;
};

// The newest `limit` commits that are still there, newest first. kNotFound: no such table.
Result<std::vector<CommitSummary>> read_history(objects::ObjectStore& store, sql::Engine& engine,
                                                const std::string& name, std::size_t limit);

}  // namespace pinflow::delta
