#include "emulator/internal/post_sequence.h"

#include <algorithm>
#include <utility>

namespace pinflow::emulator::internal {

namespace {

constexpr std::int64_t kMostSlices = 1'000'000;
constexpr int kMostMisses = 1'000;

template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  // Our own, for the same order with every standard library.
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace

PostSequence::PostSequence(Source& source, Order order, std::uint64_t seed, std::size_t slice)
    : source_(source), order_(order), random_(seed), slice_(static_cast<std::int64_t>(slice)) {
  if (order == Order::kDraws) return;
  const SourceExtent& extent = source.extent();
  // Where indices lie far apart, slices grow wider instead of more.
  slice_ = std::max(slice_, (extent.end_index - extent.first_index) / kMostSlices + 1);
  for (std::int64_t first = extent.first_index; first < extent.end_index; first += slice_) ranges_.push_back(first);
  if (order == Order::kInOrder) {
    std::ranges::reverse(ranges_);
  } else {
    shuffle(ranges_, random_);
  }
}

Result<std::optional<Post>> PostSequence::next() {
  if (posts_.empty()) TRY(refill());
  if (posts_.empty()) return std::nullopt;
  std::optional<Post> post(std::move(posts_.back()));
  posts_.pop_back();
  return post;
}

Result<void> PostSequence::refill() {
  if (source_.extent().posts == 0) return {};
  return order_ == Order::kDraws ? refill_by_draws() : refill_from_range();
}

Result<void> PostSequence::refill_from_range() {
  while (posts_.empty() && !ranges_.empty()) {
    const std::int64_t first = ranges_.back();
    ranges_.pop_back();
    TRY_ASSIGN(posts_, source_.read(first, std::min(first + slice_, source_.extent().end_index)));
  }
  if (order_ == Order::kInOrder) {
    std::ranges::reverse(posts_);
  } else {
    shuffle(posts_, random_);
  }
  return {};
}

Result<void> PostSequence::refill_by_draws() {
  const SourceExtent& extent = source_.extent();
  std::vector<std::int64_t> draws(static_cast<std::size_t>(slice_));
  // Indices have gaps: a whole slice of draws may miss.
  for (int tries = 0; posts_.empty(); ++tries) {
    if (tries == kMostMisses) {
      return fail(
          ErrorCode::kInvalid,
          "the indices of the source lie too far apart for random draws; choose the order in-order or shuffled");
    }
    for (std::int64_t& draw : draws) {
      const auto width = static_cast<std::uint64_t>(extent.end_index - extent.first_index);
      draw = extent.first_index + static_cast<std::int64_t>(random_.below(width));
    }
    TRY_ASSIGN(posts_, source_.pick(draws));
  }
  std::ranges::reverse(posts_);
  return {};
}

}  // namespace pinflow::emulator::internal
