#include "live/answering.h"

#include <algorithm>
#include <cmath>

#include "live/best_profiles.h"
#include "live/recommend.h"
#include "live/trending.h"

namespace pinflow::live {

namespace {

constexpr std::array<std::chrono::minutes, 3> kWindowLengths = {std::chrono::minutes(5), std::chrono::minutes(60),
                                                                std::chrono::minutes(24 * 60)};

template <class View, class Before>
void rank_and_cut(std::vector<View>& items, std::size_t k, const Before& before) {
  std::ranges::sort(items, before);
  items.resize(std::min({k, kMaxTop, items.size()}));
  for (std::size_t i = 0; i < items.size(); ++i) items[i].rank = i + 1;
}

}  // namespace

Answering::Answering(LiveParts& parts, WallTime now)
    : parts_(parts),
      now_(std::clamp(now, parts.newest, WallTime(std::chrono::milliseconds(kLastMs)))),
      minute_(minute_of(now_)) {
  parts_.profiles.evaluate(now_);
}

Head Answering::head() const {
  Head head{.as_of = now_, .posts = parts_.counts.posts};
  parts_.profiles.fill_head(head);
  return head;
}

Body Answering::answer(const Query& query) const {
  return std::visit([this](const auto& asked) { return body(asked); }, query);
}

Body Answering::body(const ProfilesQuery& query) const {
  if (query.category || query.country) return profiles_of_groups(query);
  const Profiles& profiles = parts_.profiles;
  BestProfiles best(profiles, std::min(query.k, kMaxTop));
  const WallTime begin = now_ - kWindowLengths[static_cast<std::size_t>(query.window)];
  for (RowId id = 0; id < profiles.ids_end(); ++id) {
    if (!profiles.holds(id)) continue;
    if (query.order != ProfileOrder::kPosts) {
      best.offer({profiles.sort_value(id, query.order), id});
    } else {
      const bool is_silent = profiles.last_post(id) < begin;
      best.offer({is_silent ? 0 : static_cast<double>(profiles.posts_in(id, query.window)), id});
    }
  }
  ProfilesAnswer answer;
  for (const Scored& scored : std::move(best).take()) {
    answer.items.push_back(profiles.view(answer.items.size() + 1, scored.id));
  }
  return answer;
}

ProfilesAnswer Answering::profiles_of_groups(const ProfilesQuery& query) const {
  ProfilesAnswer answer;
  const RowId category = query.category ? parts_.categories.find(*query.category) : kNoRow;
  const RowId country = query.country ? parts_.countries.find(*query.country) : kNoRow;
  if ((query.category && category == kNoRow) || (query.country && country == kNoRow)) return answer;
  const PairCounts& pairs = query.category ? parts_.category_profiles : parts_.country_profiles;
  const RowId group = query.category ? category : country;
  BestProfiles best(parts_.profiles, std::min(query.k, kMaxTop));
  for (const PairCounts::Pair& pair : pairs.of(group)) {
    const std::uint64_t posts = pair.windows.in(query.window, minute_);
    if (posts == 0) continue;
    if (query.category && query.country) {
      const auto* there = parts_.country_profiles.find(country, pair.member);
      if (there == nullptr || there->windows.in(query.window, minute_) == 0) continue;
    }
    const bool by_posts = query.order == ProfileOrder::kPosts;
    best.offer(
        {by_posts ? static_cast<double>(posts) : parts_.profiles.sort_value(pair.member, query.order), pair.member});
  }
  for (const Scored& scored : std::move(best).take()) {
    answer.items.push_back(parts_.profiles.view(answer.items.size() + 1, scored.id));
    answer.items.back().window_posts = pairs.find(group, scored.id)->windows.all(minute_);
  }
  return answer;
}

std::vector<Share> Answering::shares(const Breakdown& groups, const PairCounts& pairs, RowId profile) const {
  std::vector<Share> shares;
  for (const RowId id : groups.sorted()) {
    const auto* pair = pairs.find(id, profile);
    if (pair == nullptr || pair->windows.in(Window::k24h, minute_) == 0) continue;
    shares.push_back({.name = std::string(groups.name(id)), .posts = pair->windows.all(minute_)});
  }
  std::ranges::sort(shares, [](const Share& a, const Share& b) {
    return a.posts[2] != b.posts[2] ? a.posts[2] > b.posts[2] : a.name < b.name;
  });
  return shares;
}

Body Answering::body(const ProfileQuery& query) const {
  ProfileAnswer answer;
  const RowId id = parts_.profiles.find(query.name);
  if (id == kNoRow) return answer;
  answer.profile = parts_.profiles.view(parts_.profiles.rank(id), id);
  answer.categories = shares(parts_.categories, parts_.category_profiles, id);
  answer.countries = shares(parts_.countries, parts_.country_profiles, id);
  const RecommendationsQuery nothing_special;
  answer.reasons = Recommender(parts_, nothing_special, now_).reasons(id);
  return answer;
}

template <class View>
View Answering::group_view(const Breakdown& groups, RowId id, Window window) const {
  const Breakdown::Row& row = groups.row(id);
  View view;
  view.name = *row.name;
  view.posts_in_all = row.posts;
  view.posts = row.windows.all(minute_);
  const auto posts = static_cast<double>(view.posts[static_cast<std::size_t>(window)]);
  const auto all = static_cast<double>(parts_.windows.in(window, minute_));
  view.share = all > 0 ? posts / all : 0;
  const double age = static_cast<double>((now_ - parts_.first).count()) / 60'000;
  view.per_minute = posts / std::max(1.0, std::min(minutes_of(window, now_), age));
  view.trend = trend_of(row.minutes.sum(minute_, kTrendMinutes), row.sums.doubles().at(kDay, DecayMoment(now_)),
                        parts_.first, now_);
  return view;
}

Body Answering::body(const CategoriesQuery& query) const {
  CategoriesAnswer answer;
  for (const RowId id : parts_.categories.sorted()) {
    answer.items.push_back(group_view<CategoryView>(parts_.categories, id, query.window));
  }
  const auto w = static_cast<std::size_t>(query.window);
  rank_and_cut(answer.items, query.k, [&](const CategoryView& a, const CategoryView& b) {
    if (query.order == CategoryOrder::kTrend && a.trend.z != b.trend.z) return a.trend.z > b.trend.z;
    return a.posts[w] != b.posts[w] ? a.posts[w] > b.posts[w] : a.name < b.name;
  });
  return answer;
}

CountryView Answering::country_view(RowId id, Window window) const {
  auto view = group_view<CountryView>(parts_.countries, id, window);
  for (const PairCounts::Pair& pair : parts_.country_categories.of(id)) {
    const std::uint64_t posts = pair.windows.in(Window::k24h, minute_);
    const std::string_view name = parts_.categories.name(pair.member);
    if (posts > view.top_category_posts ||
        (posts > 0 && posts == view.top_category_posts && name < view.top_category)) {
      view.top_category = name;
      view.top_category_posts = posts;
    }
  }
  return view;
}

Body Answering::body(const CountriesQuery& query) const {
  CountriesAnswer answer;
  for (const RowId id : parts_.countries.sorted()) answer.items.push_back(country_view(id, query.window));
  const auto w = static_cast<std::size_t>(query.window);
  rank_and_cut(answer.items, query.k, [&](const CountryView& a, const CountryView& b) {
    return a.posts[w] != b.posts[w] ? a.posts[w] > b.posts[w] : a.name < b.name;
  });
  return answer;
}

Body Answering::body(const AgeGroupsQuery& query) const {
  AgeGroupsAnswer answer;
  for (const RowId id : parts_.age_groups.sorted()) {
    answer.items.push_back(group_view<CountryView>(parts_.age_groups, id, query.window));
    answer.items.back().rank = answer.items.size();
  }
  return answer;
}

Body Answering::body(const MinutesQuery& query) const {
  const std::size_t count = std::clamp<std::size_t>(query.minutes, 1, kMaxMinutes);
  const Breakdown& groups = query.category ? parts_.categories : parts_.countries;
  const bool is_of_group = query.category || query.country;
  const RowId id = is_of_group ? groups.find(query.category ? *query.category : *query.country) : kNoRow;
  MinutesAnswer answer{.begin = WallTime(std::chrono::minutes(std::int64_t{minute_} + 1)) - std::chrono::minutes(count),
                       .posts = std::vector<std::uint64_t>(count)};
  if (is_of_group && id == kNoRow) return answer;
  const MinuteSeries& series = is_of_group ? groups.row(id).minutes : parts_.minutes;
  for (std::size_t i = 0; i < count && i <= minute_; ++i) {
    answer.posts[count - 1 - i] = series.at(minute_ - static_cast<std::uint32_t>(i));
  }
  return answer;
}

Body Answering::body(const RecommendationsQuery& query) const {
  return Recommender(parts_, query, now_).answer();
}

}  // namespace pinflow::live
