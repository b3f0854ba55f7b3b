#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "log/log.h"

// What may be asked of the live metrics, and what they answer: values only. docs/live-metrics.md defines each number.
namespace pinflow::live {

// Goes up whenever the same posts would give another answer.
inline constexpr int kFormulaVersion = 2;

inline constexpr std::size_t kMaxTop = 1000;       // Of any list.
inline constexpr std::size_t kMaxMinutes = 1440;   // Of the series of posts per minute.
inline constexpr std::size_t kMaxExcluded = 1000;  // Profiles that a question for recommendations may leave out.

// A window ends with the moment of the answer and is counted in whole panes, the present one included:
// 5 panes of a minute, 12 of five minutes, 24 of an hour.
enum class Window { k5m, k1h, k24h };
inline constexpr std::array kWindows = {Window::k5m, Window::k1h, Window::k24h};

// ---- questions

enum class ProfileOrder { kPopularity, kActivity, kFollowers, kVelocity, kPosts };  // kPosts: in the window.
enum class CategoryOrder { kTrend, kPosts };

// The first k profiles. With a category or country only those that posted there within the window; kPosts then counts
// their posts there (in the category where both are given).
struct ProfilesQuery {
  ProfileOrder order = ProfileOrder::kPopularity;
  std::size_t k = 10;  // At most kMaxTop.
  std::optional<std::string> category{};
  std::optional<std::string> country{};
  Window window = Window::k1h;
};

// One profile, with its rank by popularity.
struct ProfileQuery {
  std::string name;
};

struct CategoriesQuery {
  CategoryOrder order = CategoryOrder::kTrend;
  Window window = Window::k1h;  // Of `posts` and `share`; the trend has its own.
  std::size_t k = 10;
};

struct CountriesQuery {
  Window window = Window::k1h;
  std::size_t k = 10;
};

struct AgeGroupsQuery {
  Window window = Window::k1h;
};

// Posts in each of the last minutes: in all, or of one category or country (category wins where both are given).
struct MinutesQuery {
  std::size_t minutes = 60;  // At most kMaxMinutes; the present one is the last.
  std::optional<std::string> category{};
  std::optional<std::string> country{};
};

struct RecommendationsQuery {
  std::optional<std::string> category{};
  std::optional<std::string> country{};
  std::optional<std::string> age_group{};
  std::size_t k = 10;
  std::vector<std::string> exclude{};  // At most kMaxExcluded names.
};

using Query = std::variant<ProfilesQuery, ProfileQuery, CategoriesQuery, CountriesQuery, AgeGroupsQuery, MinutesQuery,
                           RecommendationsQuery>;

// ---- answers

// How far one partition is read.
struct PartitionProgress {
  log::TopicPartition partition;
  log::Offset next;                  // All records before it are in the answers.
  log::Offset high_watermark;        // As last seen by the reader.
  std::optional<Error> error{};      // Why it is not being read, if it is not.
  std::optional<WallTime> newest{};  // The latest event time read. The watermark lies the allowed lateness before it.
  std::optional<WallTime> watermark{};
  std::uint64_t late = 0;      // Records behind the watermark of their partition. They count all the same ...
  std::uint64_t too_late = 0;  // ... but those more than a day behind its newest are in no window any more.
  bool idle = false;           // Nothing came for a while: it does not hold the common watermark back.
  std::int64_t lag() const { return std::max<std::int64_t>(high_watermark - next, 0); }
};

struct Head {
  WallTime as_of;  // The moment of all answers of one call.
  std::optional<WallTime>
      watermark{};  // The least of the partitions that are not idle; none: all are, or nothing was read.
  std::vector<PartitionProgress> positions{};  // Sorted. What the answer is made from.
  std::uint64_t late = 0;                      // Sums over the partitions.
  std::uint64_t too_late = 0;
  std::uint64_t posts = 0;          // Counted since the beginning.
  std::size_t profiles = 0;         // Known in all.
  std::size_t active_profiles = 0;  // With a post in the 24 hours before as_of.
  double activity_median = 0;       // The c of squash() for each part of the popularity.
  double velocity_median = 0;
};

// A profile at one moment.
struct ProfileView {
  std::size_t rank = 0;  // From 1, in the order asked for.
  std::string name;
  double popularity = 0;  // 0 to 1.
  std::optional<std::int64_t> followers;
  std::uint64_t posts = 0;                      // Counted since the profile is known.
  std::array<std::uint64_t, 3> window_posts{};  // In each of kWindows; in a list of a category or country, there.
  double activity = 0;                          // A_6h: posts, each worth half after six hours.
  double velocity = 0;  // How much busier the last hour is than the day, in standard deviations.
  WallTime first_post{};
  WallTime last_post{};
  std::string country{};    // Of its latest post whose place is known; empty: of none.
  std::string age_group{};  // Of its latest post whose user is known: 18-24, 25-35, 36-50, 50+; empty: of none.
  // The parts of the popularity before their weights, each 0 to 1.
  double followers_part = 0;
  double activity_part = 0;
  double velocity_part = 0;
};

struct ProfilesAnswer {
  std::vector<ProfileView> items;
};

// A category, country or age group and what one profile posted there.
struct Share {
  std::string name;
  std::array<std::uint64_t, 3> posts{};  // In each of kWindows.
};

enum class ReasonKind { kCategory, kCountry, kAgeGroup, kFollowers, kRising, kActive, kNew };

// Why a profile is recommended: a fact and its number.
struct Reason {
  ReasonKind kind;
  std::string text;   // For people: "busiest in travel in the last hour: 12 posts".
  double number = 0;  // 12
};

struct ProfileAnswer {
  std::optional<ProfileView> profile;  // None: no post of that name was seen.
  std::vector<Share> categories;       // Those with posts in the last 24 hours, most first.
  std::vector<Share> countries;
  std::vector<Reason> reasons;
};

// How busy the last 15 minutes are against what the last day lets one expect.
struct Trend {
  std::uint64_t posts = 0;  // In the last 15 minutes.
  double expected = 0;      // Posts in as long at the decayed rate of the day.
  double z = 0;             // (posts - expected) / sqrt(expected + 1)
  double lift = 1;          // (posts + 5) / (expected + 5)
  bool trending = false;    // z is above 3 and there are 10 posts or more.
};

struct CategoryView {
  std::size_t rank = 0;
  std::string name;
  std::uint64_t posts_in_all = 0;        // Counted since it is known.
  std::array<std::uint64_t, 3> posts{};  // In each of kWindows.
  double share = 0;                      // Of all posts in the window asked for, 0 to 1.
  double per_minute = 0;                 // Posts a minute over the window asked for.
  Trend trend;
};

struct CategoriesAnswer {
  std::vector<CategoryView> items;
};

// Countries and age groups: posts of which both the pin and the record that names them have come.
struct CountryView {
  std::size_t rank = 0;
  std::string name;
  std::uint64_t posts_in_all = 0;
  std::array<std::uint64_t, 3> posts{};
  double share = 0;
  double per_minute = 0;
  Trend trend;
  std::string
      top_category{};  // Most posts within 24 hours; ties by name. Empty for age groups and where there is none.
  std::uint64_t top_category_posts = 0;
};

struct CountriesAnswer {
  std::vector<CountryView> items;
};

struct AgeGroupsAnswer {
  std::vector<CountryView> items;  // By name.
};

struct MinutesAnswer {
  WallTime begin;                    // Of the first minute.
  std::vector<std::uint64_t> posts;  // One a minute, oldest first.
};

struct Recommendation {
  ProfileView profile;  // Its rank is that of the recommendation.
  double score = 0;     // popularity + 0.3 category + 0.1 country + 0.05 age group, see the parts.
  double category_part = 0;
  double country_part = 0;
  double age_group_part = 0;
  std::vector<Reason> reasons;
};

struct RecommendationsAnswer {
  std::vector<Recommendation> items;
};

using Body = std::variant<ProfilesAnswer, ProfileAnswer, CategoriesAnswer, CountriesAnswer, AgeGroupsAnswer,
                          MinutesAnswer, RecommendationsAnswer>;

struct Answer {
  Head head;
  Body body;  // The alternative at the place of the question's.
};

}  // namespace pinflow::live
