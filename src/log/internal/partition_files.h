#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "disk/disk.h"
#include "log/log.h"

namespace pinflow::log {

// A segment file by its name: 20 digits of the base offset; a rewritten one also names its end.
struct SegmentFile {
  Offset base;
  std::optional<Offset> end;
  disk::Entry entry;
};

// The files in a partition's folder, sorted by what they are for. Names that are none of ours are left out.
struct PartitionFiles {
  std::vector<SegmentFile> segments;   // By base; those that count.
  std::vector<std::string> leftovers;  // Of interrupted work: nothing of them is needed.
};

// Decides from the names which files count: rewritten segments stand in place of what lies in their range, and segments before the
// log start are gone. A pure function.
PartitionFiles sort_files(std::vector<disk::Entry> entries, Offset log_start);

}  // namespace pinflow::log
