#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/result.h"
#include "batch/batch_job.h"
#include "disk/disk.h"

namespace pinflow::batch {

// The line of one run (docs/formats/batch-runs.md), with its newline. `error`: why it failed.
std::string ledger_line(const BatchReport& report, const std::optional<Error>& error);

// Appends the line to state/batch_runs.jsonl, durable. A torn line that a crash left is closed first, so that
// it spoils no other.
Result<void> append_to_ledger(disk::Disk& disk, const disk::Path& state, std::string_view line);

}  // namespace pinflow::batch
