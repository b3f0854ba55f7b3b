#include "live/answer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "live/fake_answers_fixture.h"

namespace pinflow::live {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct AnswerJson : testing::Test {
  std::string json(const Query& query) {
    const auto answers = metrics.answer_all({&query, 1});
    return answer_json(query, answers.front(), metrics.weights());
  }
  FakeAnswers metrics;
};

TEST_F(AnswerJson, SaysWhatItIsMadeFrom) {
  EXPECT_THAT(json(CountriesQuery{}),
              StartsWith(R"({"formula_version":2,"as_of":"2023-11-14T22:13:20.000Z",)"
                         R"("watermark":"2023-11-14T22:13:10.000Z",)"
                         R"("positions":[{"topic":"pins","partition":0,"next_offset":4,"lag":2,)"
                         R"("watermark":"2023-11-14T22:13:10.000Z","late":2,"too_late":1,"idle":false}],)"
                         R"("late":2,"too_late":1,"posts":4,"profiles":3,"active_profiles":2,"window":"1h",)"));
}

TEST_F(AnswerJson, TellsWhyAPartitionIsNotRead) {
  metrics.head.positions[0].error = Error{ErrorCode::kCorrupt, "damaged"};
  metrics.head.watermark.reset();
  const std::string text = json(CountriesQuery{});
  EXPECT_THAT(text, HasSubstr(R"("idle":false,"error":"damaged"})"));
  EXPECT_THAT(text, HasSubstr(R"("watermark":null,"positions")"));
}

TEST_F(AnswerJson, GivesProfilesWithRoundedMeasures) {
  const std::string text = json(ProfilesQuery{.order = ProfileOrder::kVelocity, .k = 10, .category = "travel"});
  EXPECT_THAT(text, HasSubstr(R"("weights":{"followers":0.5,"activity":0.35,"velocity":0.15},)"
                              R"("medians":{"activity":1.25,"velocity":0.0625},)"
                              R"("by":"velocity","category":"travel","country":null,"window":"1h","items":[)"));
  EXPECT_THAT(text, HasSubstr(R"({"rank":1,"profile":"Ada \"A\"","popularity":0.876543,"followers":9000,"posts":3,)"
                              R"("window_posts":{"5m":1,"1h":2,"24h":3},"activity":3,"velocity":0,)"
                              R"("first_post":"2023-11-14T20:13:20.000Z","last_post":"2023-11-14T22:13:17.000Z",)"
                              R"("country":"Malta","age_group":null,)"
                              R"("parts":{"followers":0.565,"activity":0.5,"velocity":0}})"));
  EXPECT_THAT(text, HasSubstr(R"("profile":"Cid / Co","popularity":0.876543,"followers":null,)"));
}

TEST_F(AnswerJson, GivesOneProfileWithWhereItPosts) {
  EXPECT_THAT(json(ProfileQuery{"Cid / Co"}),
              EndsWith(R"("categories":[{"category":"travel","window_posts":{"5m":1,"1h":2,"24h":3}}],)"
                       R"("countries":[{"country":"Malta","window_posts":{"5m":0,"1h":1,"24h":1}}],)"
                       R"("reasons":[{"kind":"rising","text":"busier than usual","number":2.5}]}})"));
}

TEST_F(AnswerJson, GivesGroupsWithTheirTrend) {
  EXPECT_THAT(json(CategoriesQuery{}),
              EndsWith(R"("by":"trend","window":"1h","items":[{"rank":1,"category":"travel","posts":20,)"
                       R"("window_posts":{"5m":4,"1h":12,"24h":20},"share":0.333333,"per_minute":0.2,)"
                       R"("trend":{"posts":12,"expected":1.5,"z":6.640783,"lift":2.615385,"trending":true}}]})"));
  EXPECT_THAT(json(CountriesQuery{}),
              EndsWith(R"("trending":false},"top_category":"travel","top_category_posts":6}]})"));
  EXPECT_THAT(json(AgeGroupsQuery{}), HasSubstr(R"({"rank":1,"age_group":"18-24","posts":7,)"));
  EXPECT_THAT(json(AgeGroupsQuery{}), Not(HasSubstr("weights")));
}

TEST_F(AnswerJson, GivesAPointForEachMinute) {
  EXPECT_THAT(json(MinutesQuery{.minutes = 2}),
              EndsWith(R"("category":null,"country":null,"items":[{"minute":"2023-11-14T22:12:00.000Z","posts":0},)"
                       R"({"minute":"2023-11-14T22:13:00.000Z","posts":1}]})"));
}

TEST_F(AnswerJson, GivesReasonsForWhatItRecommends) {
  EXPECT_THAT(json(RecommendationsQuery{.country = "Malta"}),
              EndsWith(R"("velocity":0},"score":0.9,)"
                       R"("score_parts":{"popularity":0.876543,"category":0.3,"country":0,"age_group":0},)"
                       R"("reasons":[{"kind":"category","text":"12 posts in travel","number":12}]}]})"));
}

TEST_F(AnswerJson, AnEmptyListIsAnAnswer) {
  metrics.profiles.clear();
  EXPECT_THAT(json(ProfilesQuery{}), EndsWith(R"("items":[]})"));
}

TEST_F(AnswerJson, OfAFrameLeavesOutWhatAllHaveInCommon) {
  const Query query = MinutesQuery{.minutes = 1};
  const auto answers = metrics.answer_all({&query, 1});
  EXPECT_EQ(item_json(query, answers[0]),
            R"({"formula_version":2,"as_of":"2023-11-14T22:13:20.000Z","category":null,"country":null,)"
            R"("items":[{"minute":"2023-11-14T22:13:00.000Z","posts":0}]})");
  EXPECT_THAT(head_json(answers[0].head, {}), EndsWith(R"("medians":{"activity":1.25,"velocity":0.0625}})"));
}

}  // namespace
}  // namespace pinflow::live
