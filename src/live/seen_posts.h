#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "live/state_bytes.h"

namespace pinflow::live {

// Remembers of which post ids a record of each kind was read, in bounded memory. Ids lie in pages of 512 neighbours; real ids
// are dense, so a million posts take about 2,000 pages, half a megabyte. At most `max_pages` pages are kept, in two
// generations: when the younger is full (half of max_pages), the older one is forgotten and the younger takes its place. So
// the pages touched last, at least max_pages / 2 of them, are always known, and what is kept depends only on the order of the
// calls; below max_pages / 2 pages not even on that. A post of a forgotten page counts as new. One thread owns it; a value type.
class SeenPosts {
 public:
  static constexpr std::size_t kKinds = 3;

  explicit SeenPosts(std::size_t max_pages);

  // Notes that a record of this kind (below kKinds) came. Returns true when it was the first.
  bool insert(std::int64_t id, std::size_t kind = 0);

  std::size_t pages() const { return young_.size() + old_.size(); }
  std::uint64_t forgotten_pages() const { return forgotten_; }

  void save(StateWriter& out) const;
  void load(StateReader& in);

 private:
  static constexpr std::int64_t kIdsPerPage = 512;
  static constexpr std::size_t kWords = kIdsPerPage / 64;
  using Page = std::array<std::uint64_t, kKinds * kWords>;
  using Pages = std::unordered_map<std::int64_t, Page>;

  Page& touch(std::int64_t number);
  static void save_pages(StateWriter& out, const Pages& pages);
  void load_pages(StateReader& in, Pages& pages);

  std::size_t pages_per_generation_;
  Pages young_;
  Pages old_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace pinflow::live
