#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "disk/disk.h"
#include "log/internal/segment_facts.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// What a compaction works on: the first segments of a partition, all closed and old enough.
struct CompactionPlan {
  std::vector<SegmentFacts> segments;
  Offset dirty_start;  // Before it, no key has two records and all tombstones have a delete horizon.
};

// Whether a partition is worth compacting, and how far: records younger than min.compaction.lag.ms stay as they are; it is when the part
// of it that is new since `compacted_to` reaches min.cleanable.dirty.ratio, or one of these records is older than
// max.compaction.lag.ms. A pure function; `segments` are all of the partition, in order.
std::optional<CompactionPlan> plan_compaction(std::span<const SegmentFacts> segments, Offset compacted_to,
                                              const TopicSettings& settings, WallTime now);

struct CompactionOptions {
  disk::Disk& disk;
  Random& random;
  const TopicSettings& settings;
  WallTime now;
  std::size_t most_keys = 1 << 20;  // That are looked at in one pass: up to 64 bytes of memory each.
  std::function<bool()> stopped;    // Asked between batches; true ends the work.
  // Where to write what shall stand in place of the segments that make up [base, end).
  std::function<disk::Path(Offset base, Offset end)> path;
  // Makes that file durable and puts it in their place, all or nothing whatever happens.
  std::function<Result<void>(Offset base, Offset end)> replace;
};

struct CompactionOutcome {
  Offset compacted_to;  // Less than the end of the plan where there were too many keys: go on with a new plan.
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

// Compacts what the plan names: of each key the newest record stays, its older ones go, and so do records without key and tombstones
// whose delete horizon has passed. Segments go from the oldest on, so that no tombstone goes before what it deletes. Reads each
// segment twice and writes those that change into new files, neighbours together as long as they stay below segment.bytes.
// kCorrupt: a batch cannot be read; it and what lies behind stay as they are. kCancelled: stopped. Either may leave some segments
// compacted, which is no harm.
Result<CompactionOutcome> compact_segments(const CompactionPlan& plan, const CompactionOptions& options);

// The file compaction.state of a partition's folder (docs/formats/log.md): how far it is compacted. Missing or damaged: not at all, which
// costs time alone.
Offset load_compacted_to(disk::Disk& disk, const disk::Path& folder);
Result<void> store_compacted_to(disk::Disk& disk, const disk::Path& folder, Offset offset);

}  // namespace pinflow::log
