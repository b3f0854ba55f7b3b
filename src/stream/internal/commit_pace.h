#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace pinflow::stream::internal {

// When the next commit of a table is due. A quiet stream is committed every `least`: its few records are seen soon. A busy one is
// committed less and less often, up to `most`, so that its files are few and larger; but never so seldom that a record waits longer
// than `freshness`, counting the time that batches take to be committed. A value; its lane's own.
class CommitPace {
 public:
  struct Options {
    std::chrono::milliseconds least{200};
    std::chrono::milliseconds most{600};
    std::chrono::milliseconds freshness{1'000};
  };
  explicit CommitPace(const Options& options) : options_(options), wanted_(options.least) {}

  // A batch of so many records was committed, `took` after its records had been fetched.
  void committed(std::uint64_t records, SteadyTime::duration took) {
    if (records >= kBusy) wanted_ = std::min(wanted_ + wanted_ / 2, std::max(options_.least, options_.most));
    if (records < kQuiet) wanted_ = std::max(wanted_ / 2, options_.least);
    // The slowest of the last batches, forgotten by and by.
    slowest_ = std::max(took, slowest_ - slowest_ / 8);
  }

  // From the fetch of one batch to that of the next.
  std::chrono::milliseconds interval() const {
    // A record that just missed a batch waits for the interval and then for two batches: the one before and its own.
    const auto room = options_.freshness - std::chrono::ceil<std::chrono::milliseconds>(2 * slowest_);
    return std::clamp(room, options_.least, std::max(options_.least, wanted_));
  }

 private:
  // Records in one commit from which on it should hold more, and below which fewer will do.
  static constexpr std::uint64_t kBusy = 64;
  static constexpr std::uint64_t kQuiet = 16;

  Options options_;
  std::chrono::milliseconds wanted_;
  SteadyTime::duration slowest_{0};
};

}  // namespace pinflow::stream::internal
