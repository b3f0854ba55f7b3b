#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "live/decayed_sum.h"
#include "live/pair_counts.h"
#include "live/windows.h"

namespace pinflow::live {

// For looking up std::string keys by a view.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};

// Posts by name of one thing: by category, by country, by age group. A name has one id while it is held; ids are used again. At
// most `max_rows` names are held, about 6.3 kB each: past it the sixteenth with the lowest decayed number of posts (half-life a
// day) is let go, of equals the alphabetically last. A value type; one thread owns it.
class Breakdown {
 public:
  struct Row {
    const std::string* name = nullptr;  // None: the place is free.
    std::uint64_t posts = 0;            // Since it is known. Rows without posts are in no answer.
    DecayedSums sums;
    WindowCounts windows;
    MinuteSeries minutes;
  };

  explicit Breakdown(std::size_t max_rows) : max_rows_(max_rows) {}

  // Gives the id of the name, a new one where it is not known. `let_go` is told of each id that has to make room.
  RowId intern(std::string_view name, const std::function<void(RowId)>& let_go);
  RowId find(std::string_view name) const;  // kNoRow where it is not known.
  void add(RowId id, const DecayWeight& weight, std::uint32_t minute);

  const Row& row(RowId id) const { return rows_[id]; }
  std::string_view name(RowId id) const {
    return id == kNoRow ? std::string_view() : std::string_view(*rows_[id].name);
  }
  RowId ids_end() const { return static_cast<RowId>(rows_.size()); }  // Ids lie below this; not all of them are held.
  // Those with posts, sorted by name.
  std::vector<RowId> sorted() const;
  std::size_t size() const { return index_.size(); }
  std::uint64_t evicted() const { return evicted_; }

  // `newest`: the newest minute of all posts. save() gives the ids in the order in which they are written, load() in that
  // in which they are read.
  std::vector<RowId> save(StateWriter& out, std::uint32_t newest) const;
  std::vector<RowId> load(StateReader& in, std::uint32_t newest);

 private:
  RowId make_row(std::string_view name);
  void evict(const std::function<void(RowId)>& let_go);

  std::size_t max_rows_;
  std::vector<Row> rows_;
  std::vector<RowId> free_;
  std::unordered_map<std::string, RowId, NameHash, std::equal_to<>> index_;
  std::uint64_t evicted_ = 0;
};

}  // namespace pinflow::live
