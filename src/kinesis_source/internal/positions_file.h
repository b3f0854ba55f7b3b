#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "disk/disk.h"
#include "log/log.h"

namespace pinflow::kinesis_source::internal {

struct ShardPosition {
  std::optional<std::string> complete;
  bool finished = false;
  std::optional<WallTime> read_until = {};  // All that arrived in Kinesis before was read.
  friend bool operator==(const ShardPosition&, const ShardPosition&) = default;
};

// How far a stream is copied (docs/formats/kinesis-positions.md).
struct Positions {
  Uuid topic_id;
  std::map<log::PartitionId, log::Offset> seen;
  std::map<std::string, ShardPosition> shards;
  friend bool operator==(const Positions&, const Positions&) = default;
};

// None: there is no file yet. kCorrupt names the file.
Result<std::optional<Positions>> read_positions(disk::Disk& disk, const disk::Path& folder, const std::string& stream);
// Whole and durable in place of the last one, or not at all. Makes the folder.
Result<void> write_positions(disk::Disk& disk, const disk::Path& folder, const std::string& stream,
                             const Positions& positions);

}  // namespace pinflow::kinesis_source::internal
