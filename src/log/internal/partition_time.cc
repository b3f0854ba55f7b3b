#include <algorithm>

#include "log/internal/file_window.h"
#include "log/internal/partition_log.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

constexpr std::size_t kWindow = 64 << 10;

}  // namespace

// The first record of the greatest time among those of the place's segment that are at or behind `from` and not before `least`; with
// `any_will_do` the first that is not before `least`. Batches whose header tells that they have none are passed over.
Result<std::optional<TimedOffset>> PartitionLog::find_time_in(Place& place, std::int64_t least, Offset from,
                                                              bool any_will_do) const {
  FileWindow window(*place.reader, place.visible_size, kWindow);
  std::optional<TimedOffset> best;
  RecordView record;
  while (place.position < place.visible_size) {
    TRY_ASSIGN(const std::string_view front, window.look(place.position, kBatchHeaderSize));
    TRY_ASSIGN(const BatchHeader header, read_expected(front, place));
    // Also what is passed over is checked: a damaged time must not hide its record.
    TRY_ASSIGN(const std::string_view batch, window.look(place.position, header.size));
    TRY(check_batch(batch));
    if (header.max_timestamp >= least && header.end_offset() > from) {
      TRY_ASSIGN(BatchRecords records, BatchRecords::open(batch, header));
      while (true) {
        TRY_ASSIGN(const bool more, records.next(record));
        if (!more) break;
        const std::int64_t time = record.timestamp.time_since_epoch().count();
        if (record.offset < from || time < least) continue;
        best = TimedOffset{record.offset, record.timestamp, epoch_at(record.offset)};
        if (any_will_do) return best;
        if (time == INT64_MAX) return best;
        least = time + 1;
      }
    }
    place.position += header.size;
    place.expected = header.end_offset();
  }
  return best;
}

Result<std::optional<TimedOffset>> PartitionLog::find_time_from(const SegmentPtr& segment, std::int64_t least,
                                                                Offset from, bool any_will_do, bool from_front) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (std::ranges::find(segments_, segment) == segments_.end())
      return fail(ErrorCode::kConflict, fmt::format("{} was replaced meanwhile", segment->path.string()));
    // Both say where the first batch of interest stands at the earliest.
    auto entry = from_front ? std::nullopt : segment->index.before_time(least);
    if (const auto floor = segment->index.floor(from); floor && (!entry || floor->position > entry->position))
      entry = floor;
    TRY_ASSIGN(Place place, place_in(segment, entry));
    lock.unlock();
    auto found = find_time_in(place, least, from, any_will_do);
    if (found) return found;
    if (!rebuild_index(place)) return fail(describe_damage(place, place.expected, found.error()));
  }
}

std::vector<PartitionLog::Times> PartitionLog::segments_with_times() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Times> all;
  for (const SegmentPtr& segment : segments_)
    if (segment->end > range_.begin) all.push_back({segment, segment->index.max_timestamp()});
  return all;
}

// Segments may be dropped and replaced while they are looked through: then it begins again.
template <class Search>
Result<std::optional<TimedOffset>> PartitionLog::search_again(const Search& search) {
  constexpr int kMostTries = 100;
  for (int i = 1;; ++i) {
    auto found = search();
    if (found || found.error().code != ErrorCode::kConflict || i == kMostTries) return found;
  }
}

Result<std::optional<TimedOffset>> PartitionLog::find_time(WallTime time) {
  return search_again([&] { return try_find_time(time); });
}

Result<std::optional<TimedOffset>> PartitionLog::find_latest_time() {
  return search_again([&] { return try_find_latest_time(); });
}

Result<std::optional<TimedOffset>> PartitionLog::try_find_time(WallTime time) {
  const std::int64_t least = std::max<std::int64_t>(time.time_since_epoch().count(), kNoTimestamp + 1);
  const Offset from = range().begin;
  for (const auto& [segment, greatest] : segments_with_times()) {
    if (greatest < least) continue;
    TRY_ASSIGN(auto found, find_time_from(segment, least, from, true, false));
    if (found) return found;
  }
  return std::nullopt;
}

Result<std::optional<TimedOffset>> PartitionLog::try_find_latest_time() {
  const Offset from = range().begin;
  auto segments = segments_with_times();
  std::ranges::sort(segments, [](const Times& a, const Times& b) {
    return a.greatest != b.greatest ? a.greatest > b.greatest : a.segment->base < b.segment->base;
  });
  std::optional<TimedOffset> best;
  for (const auto& [segment, greatest] : segments) {
    if (greatest == kNoTimestamp) break;
    const auto least = [&] { return best ? best->timestamp.time_since_epoch().count() : kNoTimestamp + 1; };
    if (best && greatest < least()) break;
    if (best && greatest == least() && segment->base > best->offset) continue;
    // As a rule the header that promises the greatest time tells the truth, and the record is not deleted yet.
    TRY_ASSIGN(auto found, find_time_from(segment, greatest, from, true, false));
    if (!found) {
      TRY_ASSIGN(found, find_time_from(segment, least(), from, false, true));
    }
    if (found && (!best || found->timestamp > best->timestamp ||
                  (found->timestamp == best->timestamp && found->offset < best->offset)))
      best = found;
  }
  return best;
}

}  // namespace pinflow::log
