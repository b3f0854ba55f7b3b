#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "live/seen_posts.h"

namespace pinflow::live {

// Goes up whenever the same posts would give another popularity (docs/live-metrics.md).
inline constexpr int kFormulaVersion = 1;

// The share of each part in the popularity; they add up to 1.
struct Weights {
  double followers = 0.5;
  double activity = 0.35;
  double velocity = 0.15;
};

struct ProfilesOptions {
  Weights weights{};
  std::size_t max_profiles = 1'000'000;    // About 180 bytes each; past it the least active sixteenth is let go.
  std::size_t max_seen_pages = 1'000'000;  // SeenPosts: at most about 130 MB, for dense ids next to nothing.
};

// One post as the live metrics see it. `profile` is borrowed for the call.
struct Post {
  std::int64_t ind = 0;
  std::string_view profile{};               // poster_name as posted.
  std::optional<std::int64_t> followers{};  // Empty: unknown, which says nothing about the profile.
  WallTime time{};                          // Version 1: when the record reached the log.
  std::int64_t offset = 0;
};

enum class Applied {
  kCounted,
  kRepeat,     // A post with this ind was counted before: nothing changes.
  kNoProfile,  // No name, or the sentinel: nobody's post.
  kLongName,   // A name of more than kMaxNameBytes.
};

inline constexpr std::size_t kMaxNameBytes = 1024;
inline constexpr std::size_t kMaxTop = 1000;

enum class Order { kPopularity, kActivity, kFollowers };

// A profile at one moment.
struct ProfileView {
  std::size_t rank = 0;  // From 1, in the order asked for.
  std::string name;
  double popularity = 0;  // 0 to 1.
  std::optional<std::int64_t> followers;
  std::uint64_t posts = 0;  // Counted since the profile is known.
  double activity = 0;      // A_6h: posts, each worth half after six hours.
  double velocity = 0;      // How much busier the last hour is than the day, in standard deviations.
  WallTime last_post;
  // The parts of the popularity before their weights, each 0 to 1.
  double followers_part = 0;
  double activity_part = 0;
  double velocity_part = 0;
};

// An answer and what it was made from.
struct Ranking {
  WallTime as_of;
  std::size_t profiles = 0;         // Known in all.
  std::size_t active_profiles = 0;  // With a post in the 24 hours before as_of.
  double activity_median = 0;       // The c of squash() for each part.
  double velocity_median = 0;
  std::vector<ProfileView> items;
};

// How popular each profile is right now: the sans-I/O core of the live metrics. Posts and times go in,
// answers come out; docs/live-metrics.md has the formula. Activities are kept by forward decay, so an answer
// does not depend on the order in which the posts of different ids came (activities within 1e-12 relative:
// sums of doubles), and posts may be late by any amount. The same posts in the same order give the same bits.
// Memory is bounded by the options; past max_profiles the sixteenth with the lowest decayed activity is
// forgotten, with its follower and post counts. One thread at a time.
class Profiles {
 public:
  explicit Profiles(const ProfilesOptions& options);

  Applied apply(const Post& post);

  // The first `k` (at most kMaxTop) profiles at `now`, or at the newest post where that is later. Ties go by
  // name. Takes time linear in the number of profiles, under 5 ms for 100,000; asking again for the same
  // moment costs less.
  Ranking top(std::size_t k, Order order, WallTime now);
  // One profile with its rank by popularity; no items when the name is unknown.
  Ranking find(std::string_view name, WallTime now);

  std::size_t size() const { return rows_.size(); }
  std::uint64_t evicted() const { return evicted_; }
  const SeenPosts& seen() const { return seen_; }
  const Weights& weights() const { return options_.weights; }

 private:
  static constexpr std::size_t kHalfLives = 3;  // 1 h, 6 h, 24 h.

  // Sum of 2^((t_i - L) / H) over posts. The landmark L is `epoch` half-lives after 1970: that of the newest
  // post, so sums neither overflow nor need a rebase of all profiles; moving L multiplies by a power of two,
  // which is exact.
  struct Row {
    std::array<double, kHalfLives> sums{};
    std::array<std::int32_t, kHalfLives> epochs{};
    std::uint32_t posts = 0;
    std::optional<std::int64_t> followers;
    WallTime followers_time;
    std::int64_t followers_offset = 0;
    double followers_part = 0;
    WallTime last_post;
    const std::string* name = nullptr;  // The key in index_.
  };

  // A moment in half-lives since 1970, for each half-life: whole ones, and the fraction begun.
  struct Moment {
    std::array<std::int32_t, kHalfLives> epochs{};
    std::array<double, kHalfLives> fractions{};
  };

  struct Flow {
    double activity = 0;
    double velocity = 0;
  };

  // What one moment makes of all rows; good for this moment and version of the state.
  struct Evaluation {
    WallTime at;
    std::uint64_t version = 0;
    Moment moment;
    std::array<double, kHalfLives> decays{};  // 2^-fraction: from the epoch's begin to the moment.
    std::size_t active = 0;
    double activity_median = 0;
    double velocity_median = 0;
    std::vector<double> activity_logs;  // log2(1 + A_6h), of each row.
    std::vector<double> velocities;     // At least 0, of each row.
    std::vector<double> popularity;
    std::vector<double> active_logs;  // The same of active rows only, for the medians.
    std::vector<double> active_velocities;
    std::vector<std::uint32_t> counts;
    std::vector<std::pair<double, std::uint32_t>> order;  // Value and row, for sorting.
  };

  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  static Moment moment_of(WallTime time);
  static void add(Row& row, const Moment& moment);
  static void take_followers(Row& row, std::int64_t followers, WallTime time, std::int64_t offset);
  Flow flow(const Row& row) const;  // At the evaluated moment.
  Row& row_of(std::string_view name);
  void evict();
  void evaluate(WallTime now);
  bool before(const std::pair<double, std::uint32_t>& a, const std::pair<double, std::uint32_t>& b) const;
  double sort_value(std::uint32_t row, Order order) const;
  Ranking answer_head() const;
  ProfileView view(std::size_t rank, std::uint32_t index) const;

  ProfilesOptions options_;
  std::vector<Row> rows_;
  std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> index_;
  SeenPosts seen_;
  WallTime newest_{};
  std::uint64_t version_ = 1;
  std::uint64_t evicted_ = 0;
  Evaluation evaluation_;
};

}  // namespace pinflow::live
