#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "live/breakdown.h"
#include "live/decayed_sum.h"
#include "live/live_answers.h"
#include "live/live_query.h"
#include "live/windows.h"

namespace pinflow::live {

struct ProfilesOptions {
  Weights weights{};
  std::size_t max_profiles = 1'000'000;  // About 600 bytes each; past it the least active sixteenth is let go.
};

inline constexpr std::size_t kMaxNameBytes = 1024;

// One post as profiles see it. `profile` is borrowed for the call and names one (profile_text.h).
struct ProfilePost {
  std::string_view profile{};
  std::optional<std::int64_t> followers{};  // Empty: unknown, which says nothing about the profile.
  WallTime time{};
  std::int64_t offset = 0;
};

// Where one row of profiles, or an answer about it, is from: a time, then an offset. The later one counts.
struct Since {
  WallTime time{};
  std::int64_t offset = -1;
  friend auto operator<=>(const Since&, const Since&) = default;
};

// A profile and the number that it is ordered by.
struct Scored {
  double value = 0;
  RowId id = kNoRow;
};

// How popular each profile is right now. Posts and times go in, answers come out; docs/live-metrics.md has the formula. Nothing depends
// on the order in which posts come, bit for bit, as long as none is let go; posts may be late by any amount. Profiles have ids,
// which are used again when one is let go: past max_profiles the sixteenth with the lowest decayed activity (six hours), of equals the
// alphabetically last, with all that is known of them. One thread at a time.
class Profiles {
 public:
  // `countries` names the places of profiles and must outlive it.
  Profiles(const ProfilesOptions& options, const Breakdown& countries);

  // Counts the post and gives its profile's id. `let_go` is told whom that cost his place.
  RowId add(const ProfilePost& post, const DecayWeight& weight, std::uint32_t minute,
            const std::function<void(std::span<const RowId>)>& let_go);

  // Where the profile was, and of what age: of its latest post of which that is known. Of two at the same time and offset
  // (of two partitions) the alphabetically first counts.
  void set_country(RowId id, RowId country, Since since);
  void set_age_group(RowId id, std::uint8_t group, Since since);
  void forget_country(RowId country);

  // Evaluates all profiles at `at`, which is not before any post. The answers below are of that moment until the next
  // post. Linear in the number of profiles, 3 ms for 100,000; a second call for the same moment costs nothing.
  void evaluate(WallTime at);

  double popularity(RowId id) const { return evaluation_.popularity[id]; }
  double velocity(RowId id) const;
  double sort_value(RowId id, ProfileOrder order) const;  // Not for kPosts.
  // Best first: by value, then by name.
  bool before(const Scored& a, const Scored& b) const {
    return a.value != b.value ? a.value > b.value : *cold_[a.id].name < *cold_[b.id].name;
  }
  std::size_t rank(RowId id) const;  // By popularity, from 1.
  ProfileView view(std::size_t rank, RowId id) const;
  void fill_head(Head& head) const;

  RowId find(std::string_view name) const;  // kNoRow: unknown.
  std::string_view name(RowId id) const { return *cold_[id].name; }
  RowId country(RowId id) const { return cold_[id].country; }
  std::uint8_t age_group(RowId id) const { return cold_[id].age_group; }
  WallTime last_post(RowId id) const { return hot_[id].last_post; }
  WallTime first_post(RowId id) const { return cold_[id].first_post; }
  std::uint64_t posts_in(RowId id, Window window) const { return cold_[id].windows.in(window, evaluation_.minute); }
  // Ids lie below this; not all of them are profiles.
  RowId ids_end() const { return static_cast<RowId>(cold_.size()); }
  bool holds(RowId id) const { return hot_[id].is_held; }

  std::size_t size() const { return index_.size(); }
  std::uint64_t evicted() const { return evicted_; }
  const Weights& weights() const { return options_.weights; }

  // As in Breakdown; save() may run beside answers, but not beside add(). `countries` are the ids as the countries were saved
  // or loaded.
  std::vector<RowId> save(StateWriter& out, std::uint32_t newest, std::span<const RowId> countries) const;
  std::vector<RowId> load(StateReader& in, std::uint32_t newest, std::span<const RowId> countries);

 private:
  // What evaluating all profiles reads, packed closely.
  struct Hot {
    DecayedDoubles sums;
    double followers_part = 0;
    WallTime last_post{};
    bool is_held = false;  // Otherwise the place is free.
  };
  struct Cold {
    const std::string* name = nullptr;  // The key in index_.
    DecayedSums sums;
    WindowCounts windows;
    std::uint64_t posts = 0;
    WallTime first_post = WallTime::max();
    std::optional<std::int64_t> followers;
    Since followers_since;
    RowId country = kNoRow;
    Since country_since;
    std::uint8_t age_group = 0;
    Since age_group_since;
  };

  struct Flow {
    double activity = 0;
    double velocity = 0;
  };

  // What one moment makes of all rows; good for this moment and version of the state.
  struct Evaluation {
    WallTime at;
    std::uint64_t version = 0;
    std::uint32_t minute = 0;
    DecayMoment moment{WallTime()};
    std::size_t active = 0;
    double activity_median = 0;
    double velocity_median = 0;
    std::vector<double> activity_logs;  // log2(1 + A_6h), of each row.
    std::vector<double> velocities;     // At least 0, of each row.
    std::vector<double> popularity;
    std::vector<double> active_logs;  // The same of active rows only, for the medians.
    std::vector<double> active_velocities;
    std::vector<std::uint32_t> counts;
  };

  Flow flow(RowId id) const;  // At the evaluated moment.
  RowId row_of(std::string_view name, const std::function<void(std::span<const RowId>)>& let_go);
  RowId make_row(std::string_view name);
  void take_followers(RowId id, std::int64_t followers, Since since);
  void set_followers_part(RowId id);
  void evict(const std::function<void(std::span<const RowId>)>& let_go);
  void save_row(StateWriter& out, RowId id, std::uint32_t newest, const std::vector<RowId>& country_places) const;
  void load_row(StateReader& in, RowId id, std::uint32_t newest, std::span<const RowId> countries);

  ProfilesOptions options_;
  const Breakdown& countries_;
  std::vector<Hot> hot_;    // By id ...
  std::vector<Cold> cold_;  // ... and as long.
  std::vector<RowId> free_;
  std::unordered_map<std::string, RowId, NameHash, std::equal_to<>> index_;
  std::uint64_t version_ = 1;
  std::uint64_t evicted_ = 0;
  Evaluation evaluation_;
};

}  // namespace pinflow::live
