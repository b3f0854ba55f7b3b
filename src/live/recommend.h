#pragma once

#include <map>
#include <string>
#include <vector>

#include "live/live_state.h"

namespace pinflow::live {

// What a recommendation adds to the popularity where all fits, and the room for new profiles (docs/live-metrics.md).
inline constexpr double kCategoryAffinity = 0.3;
inline constexpr double kCountryAffinity = 0.1;
inline constexpr double kAgeGroupAffinity = 0.05;
inline constexpr std::chrono::hours kNewFor{7 * 24};
inline constexpr std::size_t kNewEvery = 5;  // One place in so many is kept for a new profile.

// Recommends profiles at the moment for which they were evaluated, with reasons. `parts` and `query` must outlive it; used for one
// answer.
class Recommender {
 public:
  Recommender(const LiveParts& parts, const RecommendationsQuery& query, WallTime now);

  RecommendationsAnswer answer();
  // Why one would recommend this profile, to who asked.
  std::vector<Reason> reasons(RowId profile);

 private:
  struct Affinity {
    double category = 0;
    double country = 0;
    double age_group = 0;
    double total() const {
      return kCategoryAffinity * category + kCountryAffinity * country + kAgeGroupAffinity * age_group;
    }
  };

  bool is_new(RowId profile) const { return parts_.profiles.first_post(profile) > now_ - kNewFor; }
  Affinity affinity(RowId profile) const;
  std::vector<Scored> chosen();
  RowId category_of(RowId profile) const;
  RowId busiest_in(RowId category);
  void add_category_reason(std::vector<Reason>& reasons, RowId profile);

  const LiveParts& parts_;
  const RecommendationsQuery& query_;
  const WallTime now_;
  const std::uint32_t minute_;
  const RowId category_;
  const RowId country_;
  std::map<RowId, RowId> busiest_;  // By category, as far as asked for.
};

}  // namespace pinflow::live
