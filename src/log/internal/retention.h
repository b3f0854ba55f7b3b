#pragma once

#include <optional>
#include <span>

#include "base/clock.h"
#include "log/internal/segment_facts.h"
#include "log/topic_settings.h"

namespace pinflow::log {

// What retention decides. Pure functions; `segments` are all of one partition, in order.

// Whether records shall go on in a new segment: this one is older than segment.ms allows, older than a compacted topic's
// max.compaction.lag.ms, or holds nothing that retention keeps.
bool due_to_roll(const SegmentFacts& last, std::span<const SegmentFacts> segments, const TopicSettings& settings,
                 WallTime now);

// The log start that retention.ms and retention.bytes ask for, when it lies behind the first segment's base. Only closed segments
// go. A segment is as old as its newest record; a record that claims to be from the future counts from its arrival, or it would keep the
// segment for ever.
std::optional<Offset> retained_start(std::span<const SegmentFacts> segments, const TopicSettings& settings,
                                     WallTime now);

// When the newest record of a segment came: the time it bears, but not later than its arrival.
WallTime newest_record(const SegmentFacts& segment);

}  // namespace pinflow::log
