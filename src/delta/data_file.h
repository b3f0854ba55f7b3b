#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"

namespace pinflow::delta {

// The value of each partition column as text, as the log spells it ("2026-11-22", "-7", "true"); empty stands for null.
using PartitionValues = std::map<std::string, std::string>;

// A live or new data file of a table; `path` is relative to the table's folder.
struct DataFile {
  std::string path;
  std::uint64_t size = 0;  // Bytes.
  std::int64_t rows = 0;
  WallTime modified;
  std::string statistics;                 // The stats JSON of the specification; empty where unknown.
  PartitionValues partition_values = {};  // Of every partition column of the table.
};

}  // namespace pinflow::delta
