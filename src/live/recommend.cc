#include "live/recommend.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "live/age_groups.h"
#include "live/best_profiles.h"

namespace pinflow::live {

namespace {

constexpr double kRisingFrom = 2;  // Standard deviations.

// 998, 1.2k, 15M: as profiles show it.
std::string short_count(std::int64_t count) {
  const auto value = static_cast<double>(count);
  if (count < 1'000) return fmt::format("{}", count);
  const auto [unit, letter] = count < 1'000'000       ? std::pair(1e3, 'k')
                              : count < 1'000'000'000 ? std::pair(1e6, 'M')
                                                      : std::pair(1e9, 'B');
  const double tenths = std::floor(value / unit * 10) / 10;
  return tenths == std::floor(tenths) ? fmt::format("{:.0f}{}", tenths, letter)
                                      : fmt::format("{:.1f}{}", tenths, letter);
}

std::string_view plural(std::uint64_t posts) {
  return posts == 1 ? "post" : "posts";
}

}  // namespace

Recommender::Recommender(const LiveParts& parts, const RecommendationsQuery& query, WallTime now)
    : parts_(parts),
      query_(query),
      now_(now),
      minute_(minute_of(now)),
      category_(query.category ? parts.categories.find(*query.category) : kNoRow),
      country_(query.country ? parts.countries.find(*query.country) : kNoRow) {}

Recommender::Affinity Recommender::affinity(RowId profile) const {
  Affinity affinity;
  if (category_ != kNoRow) {
    const auto* pair = parts_.category_profiles.find(category_, profile);
    const std::uint64_t there = pair == nullptr ? 0 : pair->windows.in(Window::k24h, minute_);
    if (there > 0) {
      affinity.category =
          static_cast<double>(there) / static_cast<double>(parts_.profiles.posts_in(profile, Window::k24h));
    }
  }
  if (country_ != kNoRow && parts_.profiles.country(profile) == country_) affinity.country = 1;
  if (query_.age_group && parts_.profiles.age_group(profile) != 0 &&
      age_group_name(parts_.profiles.age_group(profile)) == *query_.age_group) {
    affinity.age_group = 1;
  }
  return affinity;
}

std::vector<Scored> Recommender::chosen() {
  std::unordered_set<RowId> out;
  for (const std::string& name : query_.exclude) out.insert(parts_.profiles.find(name));
  const std::size_t k = std::min(query_.k, kMaxTop);
  BestProfiles best(parts_.profiles, k);
  BestProfiles best_new(parts_.profiles, k / kNewEvery);
  for (RowId id = 0; id < parts_.profiles.ids_end(); ++id) {
    if (!parts_.profiles.holds(id) || (!out.empty() && out.contains(id))) continue;
    const Scored candidate{parts_.profiles.popularity(id) + affinity(id).total(), id};
    best.offer(candidate);
    if (is_new(id)) best_new.offer(candidate);
  }
  // Whoever comes next by score, but each fifth place goes to the next new profile where fewer than that are there.
  const std::vector<Scored> all = std::move(best).take();
  const std::vector<Scored> fresh = std::move(best_new).take();
  std::vector<Scored> result;
  std::unordered_set<RowId> taken;
  std::size_t next = 0, next_new = 0, is_new_count = 0;
  while (result.size() < k) {
    const auto skip_taken = [&](const std::vector<Scored>& from, std::size_t& at) {
      while (at < from.size() && taken.contains(from[at].id)) ++at;
      return at < from.size();
    };
    const bool is_new_due = is_new_count < (result.size() + 1) / kNewEvery;
    const std::vector<Scored>* from = &all;
    std::size_t* at = &next;
    if (is_new_due && skip_taken(fresh, next_new)) {
      from = &fresh;
      at = &next_new;
    } else if (!skip_taken(all, next)) {
      break;
    }
    result.push_back((*from)[*at]);
    taken.insert(result.back().id);
    is_new_count += is_new(result.back().id);
  }
  return result;
}

RecommendationsAnswer Recommender::answer() {
  RecommendationsAnswer answer;
  for (const Scored& scored : chosen()) {
    const Affinity affinity = this->affinity(scored.id);
    answer.items.push_back({.profile = parts_.profiles.view(answer.items.size() + 1, scored.id),
                            .score = scored.value,
                            .category_part = affinity.category,
                            .country_part = affinity.country,
                            .age_group_part = affinity.age_group,
                            .reasons = reasons(scored.id)});
  }
  return answer;
}

// The one asked for if the profile posted there within the day, else where it posted most in the last hour, else in the last day.
RowId Recommender::category_of(RowId profile) const {
  const auto posts_in = [&](RowId category) {
    const auto* pair = parts_.category_profiles.find(category, profile);
    return pair == nullptr ? std::pair<std::uint64_t, std::uint64_t>()
                           : std::pair(pair->windows.in(Window::k1h, minute_), pair->windows.in(Window::k24h, minute_));
  };
  if (category_ != kNoRow && posts_in(category_).second > 0) return category_;
  RowId best = kNoRow;
  std::pair<std::uint64_t, std::uint64_t> most;
  for (RowId category = 0; category < parts_.categories.ids_end(); ++category) {
    const auto posts = posts_in(category);
    if (posts.second == 0 || posts < most) continue;
    if (posts == most && parts_.categories.name(category) > parts_.categories.name(best)) continue;
    best = category;
    most = posts;
  }
  return best;
}

RowId Recommender::busiest_in(RowId category) {
  const auto [entry, is_new] = busiest_.try_emplace(category, kNoRow);
  if (!is_new) return entry->second;
  Scored best;
  for (const PairCounts::Pair& pair : parts_.category_profiles.of(category)) {
    const Scored candidate{static_cast<double>(pair.windows.in(Window::k1h, minute_)), pair.member};
    if (candidate.value > 0 && (best.id == kNoRow || parts_.profiles.before(candidate, best))) best = candidate;
  }
  entry->second = best.id;
  return best.id;
}

void Recommender::add_category_reason(std::vector<Reason>& reasons, RowId profile) {
  const RowId category = category_of(profile);
  if (category == kNoRow) return;
  const WindowCounts& windows = parts_.category_profiles.find(category, profile)->windows;
  const std::string_view name = parts_.categories.name(category);
  const std::uint64_t hour = windows.in(Window::k1h, minute_);
  const std::uint64_t day = windows.in(Window::k24h, minute_);
  if (hour > 0 && busiest_in(category) == profile) {
    reasons.push_back({ReasonKind::kCategory,
                       fmt::format("busiest in {} in the last hour: {} {}", name, hour, plural(hour)),
                       static_cast<double>(hour)});
  } else if (hour > 0) {
    reasons.push_back({ReasonKind::kCategory, fmt::format("in {} in the last hour: {} {}", name, hour, plural(hour)),
                       static_cast<double>(hour)});
  } else {
    reasons.push_back({ReasonKind::kCategory, fmt::format("in {} in the last 24 hours: {} {}", name, day, plural(day)),
                       static_cast<double>(day)});
  }
}

std::vector<Reason> Recommender::reasons(RowId profile) {
  std::vector<Reason> reasons;
  const ProfileView view = parts_.profiles.view(0, profile);
  add_category_reason(reasons, profile);
  if (country_ != kNoRow && parts_.profiles.country(profile) == country_) {
    const auto* pair = parts_.country_profiles.find(country_, profile);
    const std::uint64_t posts = pair == nullptr ? 0 : pair->windows.in(Window::k24h, minute_);
    reasons.push_back({ReasonKind::kCountry,
                       fmt::format("in {}: {} {} in the last 24 hours", view.country, posts, plural(posts)),
                       static_cast<double>(posts)});
  }
  if (query_.age_group && !view.age_group.empty() && view.age_group == *query_.age_group) {
    reasons.push_back({ReasonKind::kAgeGroup, fmt::format("of the age group {}", view.age_group), kAgeGroupAffinity});
  }
  if (view.followers && *view.followers > 0) {
    reasons.push_back({ReasonKind::kFollowers, fmt::format("followers {}", short_count(*view.followers)),
                       static_cast<double>(*view.followers)});
  }
  if (view.velocity >= kRisingFrom) {
    reasons.push_back({ReasonKind::kRising,
                       fmt::format("rising: {:.1f} standard deviations over its day", view.velocity), view.velocity});
  }
  if (const std::uint64_t day = view.window_posts[2]; day > 0) {
    reasons.push_back(
        {ReasonKind::kActive, fmt::format("in the last 24 hours: {} {}", day, plural(day)), static_cast<double>(day)});
  }
  // Where everything is new, nothing is.
  if (is_new(profile) && parts_.first <= now_ - kNewFor) {
    const double days = static_cast<double>((now_ - view.first_post).count()) / 86'400'000;
    reasons.push_back({ReasonKind::kNew, fmt::format("new: first post {:.1f} days ago", days), days});
  }
  return reasons;
}

}  // namespace pinflow::live
