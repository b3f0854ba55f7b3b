#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "emulator/emulator.h"
#include "emulator/source.h"

namespace pinflow::emulator::internal {

// Gives the posts of a source in one of the orders, read in slices of at most `slice` posts. Used by one thread; `source`
// outlives it. Deterministic for source, order, seed and slice size.
class PostSequence {
 public:
  PostSequence(Source& source, Order order, std::uint64_t seed, std::size_t slice);
  // The next post; empty at the end. Draws never end, unless the source has no posts.
  Result<std::optional<Post>> next();

 private:
  Result<void> refill();
  Result<void> refill_from_range();
  Result<void> refill_by_draws();

  Source& source_;
  Order order_;
  Random random_;
  std::int64_t slice_;
  std::vector<std::int64_t> ranges_;  // Where the slices still to be read begin, the next one last.
  std::vector<Post> posts_;           // Read, the next one last.
};

}  // namespace pinflow::emulator::internal
