#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "delta/table.h"

namespace pinflow::delta {

struct OptimizeOptions {
  ByteCount target{std::uint64_t{128} << 20};  // What a file should come to; files of half of it are left alone.
  // How many files of about one size must be there before they become one. Sizes go by steps of four, so each row is rewritten
  // once a step, however long the table grows. 2 makes as few files as possible at once.
  std::size_t least_files = 8;
};

struct OptimizeReport {
  std::size_t commits = 0;
  std::size_t removed_files = 0, added_files = 0;
  std::uint64_t removed_bytes = 0, added_bytes = 0;
  std::size_t conflicts = 0;  // Rewrites given up because another writer removed the same files first.
};

// Puts small files of one partition together while others append: each rewrite is one commit of its own, so what is done stays done when
// it is stopped. The rows of a file stay together and files follow each other by age. Uses the table's thread.
Result<OptimizeReport> optimize(Table& table, const TableContext& context, const std::string& name,
                                const OptimizeOptions& options, const std::stop_token& stop = {});

struct VacuumOptions {
  // Files go that were no part of the table for so long; none: what the table says (delta.deletedFileRetentionDuration), or 7 days.
  std::optional<std::chrono::milliseconds> retention = {};
  bool allow_short = false;  // A retention below 7 days takes files from under readers and writers that still use them.
  bool dry_run = false;
};

struct VacuumReport {
  std::vector<std::string> files;  // Removed, or to be removed by a dry run; relative to the table's folder.
  std::uint64_t bytes = 0;
  std::size_t kept = 0;  // Not part of the newest version, but younger than the retention.
};

// Removes data files that no version within the retention needs: not live, not removed within the retention, and last written
// before it (what a writer is about to commit is young). Names that begin with '_' or '.' are not touched. kInvalid: a
// retention below 7 days without allow_short. What fails to go is an error; a second run goes on.
Result<VacuumReport> vacuum(const TableContext& context, const std::string& name, const VacuumOptions& options);

}  // namespace pinflow::delta
