#include "live/query_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/event_variant.h"

namespace pinflow::live {
namespace {

using http::Request;
using testing::ElementsAre;
using testing::HasSubstr;
using Pairs = QueryReader::Pairs;

template <class Kind>
Kind parsed(Result<Query> (*parse)(const Request&), Pairs pairs) {
  Request request;
  request.query = std::move(pairs);
  const auto query = parse(request);
  EXPECT_TRUE(query) << query.error().message;
  return query ? std::get<Kind>(*query) : Kind{};
}

std::string complaint(Result<Query> (*parse)(const Request&), Pairs pairs) {
  Request request;
  request.query = std::move(pairs);
  const auto query = parse(request);
  return query ? "none" : query.error().message;
}

TEST(QueryString, HasADefaultForEverything) {
  const auto profiles = parsed<ProfilesQuery>(parse_profiles, {});
  EXPECT_EQ(profiles.order, ProfileOrder::kPopularity);
  EXPECT_EQ(profiles.k, 10);
  EXPECT_FALSE(profiles.category);
  EXPECT_EQ(profiles.window, Window::k1h);
  EXPECT_EQ(parsed<CategoriesQuery>(parse_categories, {}).order, CategoryOrder::kTrend);
  EXPECT_EQ(parsed<CountriesQuery>(parse_countries, {}).k, 10);
  EXPECT_EQ(parsed<AgeGroupsQuery>(parse_age_groups, {}).window, Window::k1h);
  EXPECT_EQ(parsed<MinutesQuery>(parse_minutes, {}).minutes, 60);
  EXPECT_THAT(parsed<RecommendationsQuery>(parse_recommendations, {}).exclude, ElementsAre());
}

TEST(QueryString, TakesWhatIsGivenInAnyOrder) {
  const auto profiles = parsed<ProfilesQuery>(
      parse_profiles,
      {{"window", "24h"}, {"country", "Cote d'Ivoire"}, {"by", "velocity"}, {"category", "travel"}, {"k", "1000"}});
  EXPECT_EQ(profiles.order, ProfileOrder::kVelocity);
  EXPECT_EQ(profiles.k, 1000);
  EXPECT_EQ(profiles.category, "travel");
  EXPECT_EQ(profiles.country, "Cote d'Ivoire");
  EXPECT_EQ(profiles.window, Window::k24h);
  const auto categories = parsed<CategoriesQuery>(parse_categories, {{"by", "posts"}, {"window", "5m"}, {"k", "3"}});
  EXPECT_EQ(categories.order, CategoryOrder::kPosts);
  EXPECT_EQ(categories.window, Window::k5m);
  EXPECT_EQ(parsed<MinutesQuery>(parse_minutes, {{"minutes", "1440"}, {"country", "Malta"}}).country, "Malta");
  const auto wanted = parsed<RecommendationsQuery>(
      parse_recommendations, {{"exclude", "Ada"}, {"age_group", "18-24"}, {"exclude", "Bob, the second"}});
  EXPECT_THAT(wanted.exclude, ElementsAre("Ada", "Bob, the second"));
  EXPECT_EQ(wanted.age_group, "18-24");
}

TEST(QueryString, RefusesNumbersOutOfRange) {
  for (const char* k : {"0", "1001", "-1", "ten", "", "10 ", "+5", "1e2", "99999999999999999999"}) {
    EXPECT_EQ(complaint(parse_profiles, {{"k", k}}), fmt::format("k is a whole number from 1 to 1000, not '{}'", k));
  }
  EXPECT_THAT(complaint(parse_minutes, {{"minutes", "1441"}}), HasSubstr("minutes is a whole number from 1 to 1440"));
}

TEST(QueryString, NamesTheWordsThatAreAllowed) {
  EXPECT_EQ(complaint(parse_profiles, {{"by", "fame"}}),
            "by is popularity, activity, followers, velocity or posts, not 'fame'");
  EXPECT_EQ(complaint(parse_categories, {{"by", "popularity"}}), "by is trend or posts, not 'popularity'");
  EXPECT_EQ(complaint(parse_countries, {{"window", "1d"}}), "window is 5m, 1h or 24h, not '1d'");
  EXPECT_THAT(complaint(parse_countries, {{"window", std::string(5'000, 'x')}}), testing::SizeIs(testing::Le(200)));
}

TEST(QueryString, RefusesParametersThatItDoesNotKnow) {
  EXPECT_EQ(complaint(parse_profiles, {{"limit", "10"}}),
            "'limit' is no parameter here; allowed are k, by, category, country and window");
  EXPECT_THAT(complaint(parse_profiles, {{"catgory", "x"}}), HasSubstr("did you mean category?"));
  EXPECT_THAT(complaint(parse_age_groups, {{"k", "3"}}), HasSubstr("'k' is no parameter here"));
  Request request;
  request.parameters = {{"name", "Ada"}};
  EXPECT_EQ(std::get<ProfileQuery>(parse_profile(request).value()).name, "Ada");
  request.query = {{"k", "1"}};
  EXPECT_EQ(parse_profile(request).error().message, "no parameters are taken here, such as 'k'");
}

TEST(QueryString, RefusesWhatIsDoubledOrEmpty) {
  EXPECT_EQ(complaint(parse_profiles, {{"k", "1"}, {"k", "2"}}), "k is given twice; give it once");
  EXPECT_EQ(complaint(parse_profiles, {{"category", ""}}), "category is empty; leave it out to ask about all");
  EXPECT_EQ(complaint(parse_recommendations, {{"exclude", "Ada"}, {"exclude", ""}}), "exclude is empty; leave it out");
  EXPECT_THAT(complaint(parse_minutes, {{"category", "art"}, {"country", "Malta"}}), HasSubstr("not of both"));
  EXPECT_EQ(complaint(parse_recommendations, Pairs(1001, {"exclude", "Ada"})),
            "exclude may be given 1000 times at most");
}

TEST(EventVariants, AreTheTopicsAndTheLength) {
  EXPECT_EQ(parse_event_variant({}), (EventVariant{.topics = 0b1111, .length = 1}));
  const auto some = parse_event_variant({{"include", "minutes,profiles"}, {"k", "100"}});
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_TRUE(some->has(0));
  EXPECT_FALSE(some->has(1));
  EXPECT_TRUE(some->has(3));
  EXPECT_EQ(kEventLengths[some->length], 100);
  EXPECT_EQ(EventVariant::of(some->number()), *some);
  EXPECT_LT(some->number(), EventVariant::kCount);
}

TEST(EventVariants, RefuseOthers) {
  EXPECT_EQ(parse_event_variant({{"k", "11"}}).error().message, "k is 5, 10, 20, 50 or 100, not '11'");
  for (const char* include : {"", "profiles,", ",", "Profiles", "profiles minutes", "all"}) {
    EXPECT_THAT(parse_event_variant({{"include", include}}).error().message,
                HasSubstr("include is one or more of profiles, categories, countries and minutes"))
        << include;
  }
  EXPECT_THAT(parse_event_variant({{"by", "posts"}}).error().message, HasSubstr("allowed are include and k"));
}

}  // namespace
}  // namespace pinflow::live
