#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace pinflow::live {

// Remembers which post ids were counted, in bounded memory. Ids lie in pages of 512 neighbours; real ids are
// dense, so a million posts take about 2,000 pages, a quarter of a megabyte. At most `max_pages` pages are
// kept, in two generations: when the younger is full (half of max_pages), the older one is forgotten and the
// younger takes its place. So the pages touched last, at least max_pages / 2 of them, are always known, and
// what is kept depends only on the order of the calls. A post of a forgotten page counts as new. One thread
// owns it; a value type.
class SeenPosts {
 public:
  explicit SeenPosts(std::size_t max_pages);

  // Notes the id. Returns true when it was not there.
  bool insert(std::int64_t id);

  std::size_t pages() const { return young_.size() + old_.size(); }
  std::uint64_t forgotten_pages() const { return forgotten_; }

 private:
  static constexpr std::int64_t kIdsPerPage = 512;
  using Page = std::array<std::uint64_t, kIdsPerPage / 64>;
  using Pages = std::unordered_map<std::int64_t, Page>;

  Page& touch(std::int64_t number);

  std::size_t pages_per_generation_;
  Pages young_;
  Pages old_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace pinflow::live
