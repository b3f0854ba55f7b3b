#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/log.h"

namespace pinflow::log {

// Before every time that a batch can have, in milliseconds since 1970.
inline constexpr std::int64_t kNoTimestamp = std::numeric_limits<std::int64_t>::min();

// A batch as it is noted: where it begins and the greatest timestamp that its header names.
struct BatchMark {
  Offset offset;
  std::uint64_t position = 0;
  std::int64_t max_timestamp = kNoTimestamp;
};

// One entry of a segment's sparse index.
struct IndexEntry {
  Offset offset;
  std::uint64_t position = 0;
  std::int64_t max_before = kNoTimestamp;  // Of all batches of the segment before this one.
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

// Where batches of one segment begin: the first, and then one in so many bytes; and how far their timestamps go. A value type.
class SegmentIndex final {
 public:
  // Batches in order. `forced` makes an entry in any case.
  void note(const BatchMark& batch, bool forced = false);
  // The last entry at or before `offset`; none where damage took the first batches.
  std::optional<IndexEntry> floor(Offset offset) const;
  // The first entry behind a place in the file, if there is one.
  const IndexEntry* after(std::uint64_t position) const;
  // The last entry with no timestamp of `time` or later before it: the first such batch stands at or behind it.
  std::optional<IndexEntry> before_time(std::int64_t time) const;
  std::int64_t max_timestamp() const { return max_timestamp_; }

  // The file <segment>.index (docs/formats/log.md) of a closed segment: [base, end), `size` bytes.
  std::string encode(Offset base, Offset end, std::uint64_t size) const;
  struct Closed;
  // kCorrupt: the bytes are not what encode writes. kInvalid: a newer version.
  static Result<Closed> decode(std::string_view bytes);

 private:
  std::vector<IndexEntry> entries_;  // Ascending in all.
  std::int64_t max_timestamp_ = kNoTimestamp;
};

struct SegmentIndex::Closed {
  Offset base;
  Offset end;
  std::uint64_t size = 0;
  SegmentIndex index;
};

}  // namespace pinflow::log
