#include "live/seen_posts.h"

#include "base/check.h"

namespace pinflow::live {

SeenPosts::SeenPosts(std::size_t max_pages) : pages_per_generation_(max_pages / 2) {
  CHECK(pages_per_generation_ > 0, "two pages are the least that can be remembered");
}

SeenPosts::Page& SeenPosts::touch(std::int64_t number) {
  const auto found = young_.find(number);
  if (found != young_.end()) return found->second;
  if (young_.size() >= pages_per_generation_) {
    // The page asked for may lie in the generation that goes now: it is the one to be kept.
    auto kept = old_.extract(number);
    forgotten_ += old_.size();
    old_ = std::move(young_);
    young_ = Pages();
    if (!kept.empty()) return young_.insert(std::move(kept)).position->second;
    return young_[number];
  }
  auto moved = old_.extract(number);
  if (!moved.empty()) return young_.insert(std::move(moved)).position->second;
  return young_[number];
}

bool SeenPosts::insert(std::int64_t id) {
  // Arithmetic shift: floor division, so that negative ids have pages of their own.
  Page& page = touch(id >> 9);
  const auto bit = static_cast<std::uint64_t>(id & (kIdsPerPage - 1));
  std::uint64_t& word = page[bit / 64];
  const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
  if ((word & mask) != 0) return false;
  word |= mask;
  return true;
}

}  // namespace pinflow::live
