#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "delta/table.h"

namespace pinflow::delta {

struct CheckFinding {
  std::string file;  // Below the table's folder.
  std::string what;  // What is wrong, in a sentence.
};

struct CheckReport {
  Version first{-1}, last{-1};  // Commits that were read.
  std::size_t checkpoints = 0;
  std::size_t files = 0;  // Live data files, each read whole.
  std::int64_t rows = 0;
  std::vector<CheckFinding> findings;  // Empty: the table is what the specification asks for.
};

// Holds a whole table against the specification of Delta: the names in its log, every commit and its actions, every checkpoint
// against the commits before it, and every live file: that it is there, its size, its columns and partition values, and that its
// statistics are true of its rows. Reads all of it and changes nothing. An error: the table could not be looked at, not that it is wrong.
Result<CheckReport> check_table(objects::ObjectStore& store, sql::Engine& engine, const std::string& name);

}  // namespace pinflow::delta
