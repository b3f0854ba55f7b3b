#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "live/live_answers.h"

namespace pinflow::live {

// Live metrics that say what a test wants, for tests of those who ask.
class FakeAnswers final : public LiveAnswers {
 public:
  FakeAnswers() {
    head.as_of = WallTime(std::chrono::milliseconds(1'700'000'000'000));
    head.watermark = head.as_of - std::chrono::seconds(10);
    head.positions.push_back({.partition = {"pins", log::PartitionId(0)},
                              .next = log::Offset(4),
                              .high_watermark = log::Offset(6),
                              .newest = head.as_of,
                              .watermark = head.watermark,
                              .late = 2,
                              .too_late = 1});
    head.late = 2;
    head.too_late = 1;
    head.posts = 4;
    head.profiles = 3;
    head.active_profiles = 2;
    head.activity_median = 1.25;
    head.velocity_median = 0.0625;
    add_profile("Ada \"A\"", 9'000);
    add_profile("Cid / Co", std::nullopt);
  }

  std::vector<Answer> answer_all(std::span<const Query> queries) override {
    std::unique_lock lock(mutex_);
    held_.wait(lock, [&] { return !hold_; });
    ++calls;
    asked.assign(queries.begin(), queries.end());
    std::vector<Answer> answers;
    for (const Query& query : queries) answers.push_back({head, std::visit(*this, query)});
    return answers;
  }
  std::uint64_t version() const override { return version_; }
  Weights weights() const override { return {}; }

  // Something came: answers show it from now on.
  void change() {
    const std::scoped_lock lock(mutex_);
    ++head.posts;
    head.as_of += std::chrono::seconds(1);
    ++version_;
  }
  void hold(bool on) {
    {
      const std::scoped_lock lock(mutex_);
      hold_ = on;
    }
    held_.notify_all();
  }

  Body operator()(const ProfilesQuery& query) const {
    ProfilesAnswer answer;
    for (std::size_t i = 0; i < profiles.size() && i < query.k; ++i) answer.items.push_back(profiles[i]);
    return answer;
  }
  Body operator()(const ProfileQuery& query) const {
    ProfileAnswer answer;
    for (const ProfileView& profile : profiles) {
      if (profile.name == query.name) answer.profile = profile;
    }
    answer.categories.push_back({"travel", {1, 2, 3}});
    answer.countries.push_back({"Malta", {0, 1, 1}});
    answer.reasons.push_back({ReasonKind::kRising, "busier than usual", 2.5});
    return answer;
  }
  Body operator()(const CategoriesQuery&) const {
    CategoryView view;
    view.rank = 1;
    view.name = "travel";
    view.posts_in_all = 20;
    view.posts = {4, 12, 20};
    view.share = 1.0 / 3;
    view.per_minute = 0.2;
    view.trend = {.posts = 12, .expected = 1.5, .z = 6.640783, .lift = 2.615385, .trending = true};
    return CategoriesAnswer{{view}};
  }
  Body operator()(const CountriesQuery&) const { return CountriesAnswer{{group("Malta")}}; }
  Body operator()(const AgeGroupsQuery&) const { return AgeGroupsAnswer{{group("18-24")}}; }
  Body operator()(const MinutesQuery& query) const {
    MinutesAnswer answer{.begin = std::chrono::floor<std::chrono::minutes>(head.as_of), .posts = {}};
    answer.begin -= std::chrono::minutes(query.minutes - 1);
    for (std::size_t i = 0; i < query.minutes; ++i) answer.posts.push_back(i);
    return answer;
  }
  Body operator()(const RecommendationsQuery&) const {
    Recommendation item;
    item.profile = profiles[0];
    item.score = 0.9;
    item.category_part = 0.3;
    item.reasons.push_back({ReasonKind::kCategory, "12 posts in travel", 12});
    return RecommendationsAnswer{{item}};
  }

  Head head;
  std::vector<ProfileView> profiles;
  std::vector<Query> asked;  // By the last call.
  std::atomic<int> calls = 0;

 private:
  void add_profile(std::string name, std::optional<std::int64_t> followers) {
    ProfileView view;
    view.rank = profiles.size() + 1;
    view.name = std::move(name);
    view.popularity = 0.87654321;
    view.followers = followers;
    view.posts = 3;
    view.window_posts = {1, 2, 3};
    view.activity = 2.9999999;
    view.velocity = -1e-9;
    view.first_post = head.as_of - std::chrono::hours(2);
    view.last_post = head.as_of - std::chrono::seconds(3);
    view.country = followers ? "Malta" : "";
    view.followers_part = 0.565;
    view.activity_part = 0.5;
    profiles.push_back(std::move(view));
  }
  static CountryView group(std::string name) {
    CountryView view;
    view.rank = 1;
    view.name = std::move(name);
    view.posts_in_all = 7;
    view.posts = {1, 5, 7};
    view.share = 1;
    view.top_category = "travel";
    view.top_category_posts = 6;
    return view;
  }

  std::mutex mutex_;
  std::condition_variable held_;
  bool hold_ = false;
  std::atomic<std::uint64_t> version_ = 1;
};

}  // namespace pinflow::live
