#pragma once

#include <algorithm>
#include <vector>

#include "live/profiles.h"

namespace pinflow::live {

// Keeps the best k of the profiles that it is offered: a heap with the worst of them in front, so that most fail one
// comparison. `profiles` must outlive it.
class BestProfiles {
 public:
  BestProfiles(const Profiles& profiles, std::size_t k) : profiles_(profiles), k_(k) {}

  void offer(const Scored& candidate) {
    const Ahead ahead{profiles_};
    if (best_.size() == k_) {
      if (k_ == 0 || !ahead(candidate, best_.front())) return;
      std::ranges::pop_heap(best_, ahead);
      best_.pop_back();
    }
    best_.push_back(candidate);
    std::ranges::push_heap(best_, ahead);
  }
  // Best first.
  std::vector<Scored> take() && {
    std::ranges::sort_heap(best_, Ahead{profiles_});
    return std::move(best_);
  }

 private:
  struct Ahead {
    const Profiles& profiles;
    bool operator()(const Scored& a, const Scored& b) const { return profiles.before(a, b); }
  };

  const Profiles& profiles_;
  std::size_t k_;
  std::vector<Scored> best_;
};

}  // namespace pinflow::live
