#include "live/query_string.h"

#include <array>

#include "live/query_reader.h"

namespace pinflow::live {

namespace {

template <class Value>
using Word = std::pair<std::string_view, Value>;

constexpr std::array<Word<ProfileOrder>, 5> kProfileOrders = {{{"popularity", ProfileOrder::kPopularity},
                                                               {"activity", ProfileOrder::kActivity},
                                                               {"followers", ProfileOrder::kFollowers},
                                                               {"velocity", ProfileOrder::kVelocity},
                                                               {"posts", ProfileOrder::kPosts}}};
constexpr std::array<Word<CategoryOrder>, 2> kCategoryOrders = {
    {{"trend", CategoryOrder::kTrend}, {"posts", CategoryOrder::kPosts}}};
constexpr std::array<Word<Window>, 3> kWindowWords = {
    {{"5m", Window::k5m}, {"1h", Window::k1h}, {"24h", Window::k24h}}};

template <class Value, std::size_t size>
std::string_view word_of(const std::array<Word<Value>, size>& words, Value value) {
  for (const auto& [word, its] : words) {
    if (its == value) return word;
  }
  return "";
}

template <class Value, std::size_t size>
Value choose(QueryReader& in, std::string_view name, Value otherwise, const std::array<Word<Value>, size>& words) {
  return in.one_of(name, otherwise, std::span<const Word<Value>>(words));
}

Result<Query> finished(const QueryReader& in, Query query) {
  TRY(in.finish());
  return query;
}

}  // namespace

Result<Query> parse_profiles(const http::Request& request) {
  QueryReader in(request.query);
  ProfilesQuery query;
  query.k = in.count("k", query.k, kMaxTop);
  query.order = choose(in, "by", query.order, kProfileOrders);
  query.category = in.text("category");
  query.country = in.text("country");
  query.window = choose(in, "window", query.window, kWindowWords);
  return finished(in, std::move(query));
}

Result<Query> parse_profile(const http::Request& request) {
  return finished(QueryReader(request.query), ProfileQuery{request.parameter("name")});
}

Result<Query> parse_categories(const http::Request& request) {
  QueryReader in(request.query);
  CategoriesQuery query;
  query.k = in.count("k", query.k, kMaxTop);
  query.order = choose(in, "by", query.order, kCategoryOrders);
  query.window = choose(in, "window", query.window, kWindowWords);
  return finished(in, query);
}

Result<Query> parse_countries(const http::Request& request) {
  QueryReader in(request.query);
  CountriesQuery query;
  query.k = in.count("k", query.k, kMaxTop);
  query.window = choose(in, "window", query.window, kWindowWords);
  return finished(in, query);
}

Result<Query> parse_age_groups(const http::Request& request) {
  QueryReader in(request.query);
  AgeGroupsQuery query;
  query.window = choose(in, "window", query.window, kWindowWords);
  return finished(in, query);
}

Result<Query> parse_minutes(const http::Request& request) {
  QueryReader in(request.query);
  MinutesQuery query;
  query.minutes = in.count("minutes", query.minutes, kMaxMinutes);
  query.category = in.text("category");
  query.country = in.text("country");
  TRY(in.finish());
  if (query.category && query.country) {
    return fail(ErrorCode::kInvalid, "ask for the minutes of a category or of a country, not of both");
  }
  return Query(std::move(query));
}

Result<Query> parse_recommendations(const http::Request& request) {
  QueryReader in(request.query);
  RecommendationsQuery query;
  query.k = in.count("k", query.k, kMaxTop);
  query.category = in.text("category");
  query.country = in.text("country");
  query.age_group = in.text("age_group");
  query.exclude = in.texts("exclude", kMaxExcluded);
  return finished(in, std::move(query));
}

std::string_view to_string(ProfileOrder order) {
  return word_of(kProfileOrders, order);
}

std::string_view to_string(CategoryOrder order) {
  return word_of(kCategoryOrders, order);
}

std::string_view to_string(Window window) {
  return word_of(kWindowWords, window);
}

}  // namespace pinflow::live
