#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "live/windows.h"

namespace pinflow::live {

// Numbers that stand for rows elsewhere: of a profile, category, country or age group.
using RowId = std::uint32_t;
inline constexpr RowId kNoRow = UINT32_MAX;

// Posts in each window of every pair of a group and a member: of a category and a profile, say. About 230 bytes a pair. At most
// `max_pairs` are held: past it go those without a post in the last 24 hours, which changes no answer, and if these are fewer
// than a sixteenth also those with the fewest posts in that time, all that have as many as the least that must go. A value
// type; one thread owns it.
class PairCounts {
 public:
  struct Pair {
    RowId member = kNoRow;
    WindowCounts windows;
  };

  explicit PairCounts(std::size_t max_pairs) : max_pairs_(max_pairs) {}

  // Counts a post of the member in the group. `newest`: the newest minute of all posts so far.
  void add(RowId group, RowId member, std::uint32_t minute, std::uint32_t newest);
  std::span<const Pair> of(RowId group) const;  // In no order; silent ones too.
  const Pair* find(RowId group, RowId member) const;

  // Forgets rows whose ids are free again.
  void drop_group(RowId group);
  void drop_members(const std::function<bool(RowId member)>& doomed);

  std::size_t size() const { return size_; }
  std::uint64_t evicted() const { return evicted_; }

  // The pairs of one group with posts in the last 24 hours, members in the order of `place_of`, which gives their place in
  // what the reader has in front of it.
  void save(StateWriter& out, RowId group, std::uint32_t newest,
            const std::function<RowId(RowId member)>& place_of) const;
  // `member_at` gives the id of each place below `members`.
  void load(StateReader& in, RowId group, std::uint32_t newest, std::span<const RowId> member_at);
  void set_evicted(std::uint64_t evicted) { evicted_ = evicted; }

 private:
  struct Table {
    std::unordered_map<RowId, std::uint32_t> index;
    std::vector<Pair> pairs;
  };

  Pair& pair_of(RowId group, RowId member);
  void remove(Table& table, std::size_t at);
  template <class Doomed>
  void remove_if(const Doomed& doomed);
  void evict(std::uint32_t newest);

  std::size_t max_pairs_;
  std::vector<Table> tables_;  // By group.
  std::size_t size_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace pinflow::live
