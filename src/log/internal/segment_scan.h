#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "disk/disk.h"
#include "log/log.h"

namespace pinflow::log {

// Where a batch begins: one entry of a segment's sparse index.
struct IndexEntry {
  Offset offset;
  std::uint64_t position = 0;
};

// Decides which batches get an entry: the first, and then one in so many bytes. A value type.
class SparseIndex final {
 public:
  // `forced` makes an entry in any case.
  void note(Offset offset, std::uint64_t position, bool forced = false);
  // The last entry at or before `offset`; none where damage took the first batches.
  std::optional<IndexEntry> floor(Offset offset) const;
  // The first entry behind a place in the file, if there is one.
  const IndexEntry* after(std::uint64_t position) const;
  std::size_t size() const { return entries_.size(); }
  void shrink_to(std::size_t entries) { entries_.resize(entries); }

 private:
  std::vector<IndexEntry> entries_;  // Sorted by both.
};

// A stretch of a segment that holds no batches although later bytes do.
struct Damage {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// What a walk over a segment found.
struct SegmentScan {
  SparseIndex index;
  Offset end;                    // One past the last record.
  std::uint64_t valid_size = 0;  // End of the last valid batch; what lies behind is a torn tail.
  std::uint64_t file_size = 0;
  std::vector<Damage> damage;
};

enum class ScanDepth {
  kHeaders,    // For a closed segment, which was synced before the next one began. Ends at the end of the file.
  kChecksums,  // For the last one, whose tail may be torn.
};

// Walks a segment whose first record has the offset `base`. The rule that tells a torn tail from damage is in
// docs/formats/log.md: bytes are damaged, not torn, when a batch that was begun after a later sync is valid.
// Errors are only those of reading; damage is in the answer.
Result<SegmentScan> scan_segment(const disk::File& file, Offset base, ScanDepth depth);

}  // namespace pinflow::log
