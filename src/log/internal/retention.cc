#include "log/internal/retention.h"

#include <algorithm>
#include <cstdint>

namespace pinflow::log {
namespace {

// Milliseconds from one moment to another, for comparison with a setting. Times are those of records and files: no sum of them overflows.
std::int64_t milliseconds_since(WallTime then, WallTime now) {
  return (now - then).count();
}

// How many of the first segments retention gives up, the last one counted as if it were closed.
std::size_t count_expired(std::span<const SegmentFacts> segments, const TopicSettings& settings, WallTime now) {
  if (!settings.delete_old) return 0;
  std::uint64_t bytes = 0;
  for (const SegmentFacts& segment : segments) bytes += segment.size;
  std::size_t expired = 0;
  for (const SegmentFacts& segment : segments) {
    const bool too_old =
        settings.retention_ms >= 0 && milliseconds_since(newest_record(segment), now) > settings.retention_ms;
    // What stays shall not be less than the limit.
    const bool too_much =
        settings.retention_bytes >= 0 && bytes - segment.size >= static_cast<std::uint64_t>(settings.retention_bytes);
    // Of a closed one without bytes, compaction left nothing.
    const bool empty = segment.size == 0 && !segment.last;
    if (!empty && (segment.size == 0 || (!too_old && !too_much))) break;
    bytes -= segment.size;
    ++expired;
  }
  return expired;
}

}  // namespace

WallTime newest_record(const SegmentFacts& segment) {
  const WallTime claimed{std::chrono::milliseconds(std::max<std::int64_t>(segment.max_timestamp, 0))};
  // Without any time its arrival is all that is known.
  return segment.max_timestamp < 0 ? segment.modified : std::min(claimed, segment.modified);
}

bool due_to_roll(const SegmentFacts& last, std::span<const SegmentFacts> segments, const TopicSettings& settings,
                 WallTime now) {
  if (last.size == 0) return false;
  std::int64_t allowed = settings.segment_ms;
  if (settings.compact) allowed = std::min(allowed, settings.max_compaction_lag_ms);
  return milliseconds_since(last.begun, now) >= allowed || count_expired(segments, settings, now) == segments.size();
}

std::optional<Offset> retained_start(std::span<const SegmentFacts> segments, const TopicSettings& settings,
                                     WallTime now) {
  std::size_t expired = count_expired(segments, settings, now);
  while (expired > 0 && segments[expired - 1].last) --expired;
  if (expired == 0) return std::nullopt;
  return segments[expired - 1].end;
}

}  // namespace pinflow::log
