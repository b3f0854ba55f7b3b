#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "live/condensed.h"
#include "live/live_state.h"
#include "live/record_parser.h"
#include "live/seen_posts.h"

namespace pinflow::live {

// Condenses one partition of a stream: a sans-I/O core. Its records go in, in order; what comes out is the same whoever condenses them, so
// that several may do it at once or one after the other, and write the same under the same keys: an entry for the first record of each post, and
// after each batch a mark. Whoever takes a partition over first loads what is in the topic of it, to its end. A mark may be
// written only after all entries before it are stored. Not thread-safe.
// Bounds: of the posts, pages of 1,536 neighbouring ids are remembered (250 bytes each), `max_seen_pages` at most: past half of that a repeat may be
// taken for new, which readers of the topic pass over as far as they remember more.
class PartitionCondenser final {
 public:
  PartitionCondenser(const SourcePartition& source, std::size_t max_seen_pages,
                     std::chrono::milliseconds allowed_lateness);

  // What the topic has of this source, in the order of the topic; the last of them is followed by end_loading().
  void load(const CondensedEntry& entry);
  void load(const CondensedMark& mark);
  void end_loading();

  const SourcePartition& source() const { return mark_.source; }
  const SourcePlace& next() const { return mark_.next; }
  // The mark of all that was condensed.
  const CondensedMark& mark() const { return mark_; }

  // The stream was made anew: reading begins again at `begin`.
  void begin_again(log::Offset begin);
  // What lay before `begin` was removed before it was read.
  void go_on_at(log::Offset begin);
  void note_high_watermark(log::Offset end) { mark_.high_watermark = end; }

  // Condenses what was fetched at next(). Adds the entries that are to be stored to `out`, encoded.
  void condense(const RecordParser& parsed, const log::FetchedPartition& fetched, std::vector<log::Record>& out);
  // One record of it, for tests: whoever calls this calls end_batch() behind the last.
  template <class Record>
  void condense(const Record& record, log::Offset offset, std::vector<log::Record>& out);
  void end_batch(log::Offset next, std::uint64_t unreadable);

 private:
  bool is_first(std::int64_t ind, log::Offset offset);
  bool mark_as_seen(std::int64_t ind);

  std::chrono::milliseconds allowed_lateness_;
  CondensedMark mark_;
  SourceState times_;
  SeenPosts seen_;
  // Entries that are stored already, of records at or behind next(): read again, these are no repeats. While loading those with the last places,
  // as the last mark is not known.
  std::vector<std::pair<SourcePlace, std::int64_t>> last_loaded_;
  std::unordered_map<std::int64_t, SourcePlace> stored_;
};

}  // namespace pinflow::live
