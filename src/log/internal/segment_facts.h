#pragma once

#include <cstdint>

#include "base/clock.h"
#include "disk/disk.h"
#include "log/log.h"

namespace pinflow::log {

// A segment as those see it who decide on its life. A value: it tells of the moment it was asked for.
struct SegmentFacts {
  Offset base;
  Offset end;                      // One past its last record that readers can see.
  std::uint64_t size = 0;          // Bytes that readers can see.
  std::int64_t max_timestamp = 0;  // Milliseconds since 1970, of all its records; the least there is when it has none.
  bool last = false;               // Records are still added to it.
  disk::Path path;
  WallTime begun;     // About when its first record came.
  WallTime modified;  // When its last record came, or when it was rewritten.
};

}  // namespace pinflow::log
