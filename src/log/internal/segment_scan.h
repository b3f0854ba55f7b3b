#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "disk/disk.h"
#include "log/internal/segment_index.h"
#include "log/log.h"
#include "log/record_batch.h"

namespace pinflow::log {

inline constexpr Offset kMostOffset{INT64_MAX};

// A stretch of a segment that holds no batches although later bytes do.
struct Damage {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// What a walk over a segment found.
struct SegmentScan {
  SegmentIndex index;
  Offset end;                    // One past the last record.
  std::uint64_t valid_size = 0;  // End of the last valid batch; what lies behind is a torn tail.
  std::uint64_t file_size = 0;
  std::vector<Damage> damage;
  std::vector<BatchHeader> produced;  // Batches of idempotent producers, in order.
};

enum class SegmentKind {
  kClosed,     // Synced before the next one began: walked by its headers alone, no torn tail.
  kChecked,    // The same, and every checksum is looked at.
  kOpen,       // The last one: every checksum is looked at, the tail may be torn.
  kRewritten,  // By compaction: every checksum is looked at, as offsets may be missing between batches. No torn tail.
};

// Walks a segment whose first record has the offset `base`, or, rewritten, a later one, but all before `end`. The rule that tells a
// torn tail from damage is in docs/formats/log.md: bytes are damaged, not torn, when a batch that was begun after a later sync is
// valid. Errors are only those of reading; damage is in the answer.
Result<SegmentScan> scan_segment(const disk::File& file, Offset base, SegmentKind kind, Offset end = kMostOffset);

}  // namespace pinflow::log
