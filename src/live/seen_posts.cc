#include "live/seen_posts.h"

#include <algorithm>
#include <vector>

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

bool SeenPosts::insert(std::int64_t id, std::size_t kind) {
  // Arithmetic shift: floor division, so that negative ids have pages of their own.
  Page& page = touch(id >> 9);
  const auto bit = static_cast<std::uint64_t>(id & (kIdsPerPage - 1));
  std::uint64_t& word = page[kind * kWords + bit / 64];
  const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
  if ((word & mask) != 0) return false;
  word |= mask;
  return true;
}

void SeenPosts::save_pages(StateWriter& out, const Pages& pages) {
  std::vector<std::int64_t> numbers;
  numbers.reserve(pages.size());
  for (const auto& [number, page] : pages) numbers.push_back(number);
  std::ranges::sort(numbers);
  out.whole(numbers.size());
  for (const std::int64_t number : numbers) {
    out.integer(number);
    const Page& page = pages.at(number);
    // Words of no ids and of all 64 are the most common: a bit each in two masks; the others follow.
    std::uint32_t none = 0, all = 0;
    for (std::size_t i = 0; i < page.size(); ++i) {
      none |= static_cast<std::uint32_t>(page[i] == 0) << i;
      all |= static_cast<std::uint32_t>(page[i] == ~std::uint64_t{0}) << i;
    }
    out.whole(none);
    out.whole(all);
    for (const std::uint64_t word : page) {
      if (word != 0 && word != ~std::uint64_t{0}) out.whole(word);
    }
  }
}

void SeenPosts::load_pages(StateReader& in, Pages& pages) {
  const std::uint64_t count = in.count(3);
  if (count > pages_per_generation_) in.refuse();
  for (std::uint64_t left = count; left > 0 && in.ok(); --left) {
    Page& page = pages[in.integer()];
    const std::uint64_t none = in.below(std::uint64_t{1} << page.size());
    const std::uint64_t all = in.below(std::uint64_t{1} << page.size());
    for (std::size_t i = 0; i < page.size() && in.ok(); ++i) {
      const bool is_plain = ((none | all) >> i & 1) == 0;
      page[i] = is_plain ? in.whole() : (all >> i & 1) != 0 ? ~std::uint64_t{0} : 0;
    }
  }
}

void SeenPosts::save(StateWriter& out) const {
  out.whole(forgotten_);
  save_pages(out, young_);
  save_pages(out, old_);
}

void SeenPosts::load(StateReader& in) {
  forgotten_ = in.whole();
  load_pages(in, young_);
  load_pages(in, old_);
}

}  // namespace pinflow::live
