// Model, questions and checks on sets that are small enough to answer by hand.
#include "batch/questions.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "batch/internal/workspace.h"
#include "batch/testing/recorded_posts.h"

namespace pinflow::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Post;

using Rows = std::vector<std::string>;  // Each the cells of a row, joined by '|'.

Rows rows_of(const sql::ResultTable& table) {
  Rows rows;
  for (const auto& cells : table.rows) {
    std::string& row = rows.emplace_back();
    for (const sql::Value& cell : cells) row += (row.empty() ? "" : "|") + (cell.is_null() ? "null" : cell.to_text());
  }
  return rows;
}

class Questions : public ::testing::Test {
 protected:
  Questions() : statements_(sql::Statements::load(std::nullopt).value()) { restart(); }
  static void SetUpTestSuite() { engine() = sql::open_engine({}).value(); }
  static void TearDownTestSuite() { engine().reset(); }
  // One for all tests: tables are of sessions.
  static std::unique_ptr<sql::Engine>& engine() {
    static std::unique_ptr<sql::Engine> engine;
    return engine;
  }

  void restart() { workspace_ = internal::Workspace::open(*engine(), statements_).value(); }
  void add(const std::vector<Post>& posts, std::int64_t first_offset = 0) {
    for (const internal::Slice& slice : testing::slices_of(posts, first_offset)) {
      const auto added = workspace_->add_slice(slice);
      ASSERT_TRUE(added) << added.error().message;
    }
  }
  void model() {
    const auto built = workspace_->build_model();
    ASSERT_TRUE(built) << built.error().message;
  }
  void given(const std::vector<Post>& posts) {
    add(posts);
    model();
  }
  Rows ask(const std::string& question) {
    auto answer = workspace_->ask(statements_.find("questions/" + question).value());
    EXPECT_TRUE(answer) << answer.error().message;
    return rows_of(answer->table);
  }
  std::map<std::string, Rows> ask_all() {
    std::map<std::string, Rows> answers;
    for (const sql::Statement& question : statements_.in_folder("questions")) {
      answers[question.name] = rows_of(workspace_->ask(question).value().table);
    }
    return answers;
  }
  CheckResult check(const std::string& name) {
    auto result = workspace_->check(statements_.find("checks/" + name).value());
    EXPECT_TRUE(result) << result.error().message;
    return *std::move(result);
  }
  Rows query(const std::string& text) { return rows_of(workspace_->session().query(text).value()); }

  sql::Statements statements_;
  std::unique_ptr<internal::Workspace> workspace_;
};

TEST_F(Questions, MostPopularCategoryOfACountryMarksTies) {
  given({{.ind = 1, .category = "art", .country = "Chad"},
         {.ind = 2, .category = "quotes", .country = "Chad"},
         {.ind = 3, .category = "quotes", .country = "Chad"},
         {.ind = 4, .category = "travel", .country = "Aruba"},
         {.ind = 5, .category = "beauty", .country = "Aruba"},
         {.ind = 6, .category = "art"},                                            // No country.
         {.ind = 7, .category = std::nullopt, .country = "Chad"},                  // No category.
         {.ind = 8, .category = "vehicles", .country = "Peru", .has_pin = false},  // No post.
         {.ind = 9, .category = "art", .country = "Peru", .has_geo = false}});
  EXPECT_THAT(ask("category_by_country"), ElementsAre("Aruba|beauty|1|true", "Chad|quotes|2|false"));
}

TEST_F(Questions, CategoriesByYearKeepTheYearsAndTheirOrder) {
  given({{.ind = 1, .category = "art", .timestamp = "2017-12-31 23:59:59"},
         {.ind = 2, .category = "art", .timestamp = "2018-01-01 00:00:00"},
         {.ind = 3, .category = "quotes", .timestamp = "2022-12-31T23:59:59"},
         {.ind = 4, .category = "quotes", .timestamp = "2022-12-31T23:30:00-01:00"},  // 2023 in UTC.
         {.ind = 5, .category = "beauty", .timestamp = "2022-06-01 00:00:00"},
         {.ind = 6, .category = "quotes", .timestamp = "2022-06-01 00:00:01"},
         {.ind = 7, .category = "art", .timestamp = "2022-06-02 00:00:00"},
         {.ind = 8, .category = "art", .timestamp = std::nullopt},
         {.ind = 9, .category = "art", .timestamp = "2023-01-01 00:00:00"}});
  EXPECT_THAT(ask("category_by_year"), ElementsAre("2018|art|1|false", "2022|quotes|2|false"));
  EXPECT_THAT(ask("posts_by_category_and_year"),
              ElementsAre("2018|art|1", "2022|quotes|2", "2022|art|1", "2022|beauty|1"));
}

TEST_F(Questions, MostFollowedIsAPersonAndTheNumberIsTheirs) {
  given({{.ind = 1, .poster = "Zoe", .followers = "997k", .country = "Chad", .first = "Zoe", .age = 20},
         {.ind = 2,
          .poster = "Max",
          .followers = "15M",
          .country = "Chad",
          .first = "Max",
          .age = 20},  // As text "15M" < "997k".
         {.ind = 3, .poster = "Ann", .followers = "User Info Error", .country = "Chad", .first = "Ann", .age = 20},
         {.ind = 4, .poster = "Bob", .followers = "3k", .country = "Aruba", .first = "Bob", .age = 20},
         {.ind = 5, .poster = "Abe", .followers = "3k", .country = "Aruba", .first = "Abe", .age = 20},
         {.ind = 6,
          .poster = "User Info Error",
          .followers = "User Info Error",
          .country = "Peru",
          .first = "X",
          .age = 20}});
  EXPECT_THAT(ask("most_followed_by_country"), ElementsAre("Aruba|Abe|3000|true", "Chad|Max|15000000|false"));
  EXPECT_THAT(ask("country_of_most_followed"), ElementsAre("Chad|15000000|false"));
}

TEST_F(Questions, CountryOfTheMostFollowedIsOneRowAlsoWhenTied) {
  given({{.ind = 1, .poster = "a", .followers = "8M", .country = "Peru", .first = "A"},
         {.ind = 2, .poster = "b", .followers = "8M", .country = "Chad", .first = "B"},
         {.ind = 3, .poster = "c", .followers = "1M", .country = "Aruba", .first = "C"}});
  EXPECT_THAT(ask("country_of_most_followed"), ElementsAre("Chad|8000000|true"));
}

TEST_F(Questions, AgeGroupsHaveTheirEdges) {
  std::vector<Post> posts;
  for (const int age : {17, 18, 24, 25, 35, 36, 50, 51, 60}) {
    posts.push_back({.ind = age,
                     .category = "c" + std::to_string(age),
                     .followers = std::to_string(age),
                     .first = "P",
                     .age = age});
  }
  given(posts);
  EXPECT_THAT(ask("category_by_age_group"),
              ElementsAre("18-24|c18|1|true", "25-35|c25|1|true", "36-50|c36|1|true", "50+|c51|1|true"));
  EXPECT_THAT(ask("median_followers_by_age_group"), ElementsAre("18-24|18", "25-35|25", "36-50|36", "50+|51"));
}

TEST_F(Questions, MediansAreLowerAndCountPeople) {
  const std::string joined = "2016-01-01 00:00:00";
  given({// One person with four posts weighs as much as any other.
         {.ind = 1, .followers = "9M", .first = "Ann", .age = 20, .joined = joined},
         {.ind = 2, .followers = "9M", .first = "Ann", .age = 20, .joined = joined},
         {.ind = 3, .followers = "9M", .first = "Ann", .age = 20, .joined = joined},
         {.ind = 4, .followers = "9M", .first = "Ann", .age = 20, .joined = joined},
         {.ind = 5, .followers = "10", .first = "Bob", .age = 20, .joined = joined},
         {.ind = 6, .followers = "20", .first = "Cat", .age = 21, .joined = joined},
         {.ind = 7, .followers = "40", .first = "Dan", .age = 22, .joined = "2017-01-01 00:00:00"},
         {.ind = 8, .followers = "User Info Error", .first = "Eve", .age = 22, .joined = "2017-01-01 00:00:00"},
         {.ind = 9, .followers = "70", .first = "Fay", .age = 60, .joined = "2014-12-31 23:59:59"},
         {.ind = 10, .followers = "User Info Error", .first = "Gus", .age = 40, .joined = "2021-01-01 00:00:00"}});
  EXPECT_THAT(ask("median_followers_by_age_group"), ElementsAre("18-24|20", "36-50|null", "50+|70"));
  EXPECT_THAT(ask("median_followers_by_joining_year"), ElementsAre("2016|20", "2017|40"));
  EXPECT_THAT(ask("median_followers_by_joining_year_and_age_group"), ElementsAre("18-24|2016|20", "18-24|2017|40"));
  EXPECT_THAT(ask("users_joined_by_year"), ElementsAre("2016|3", "2017|2"));
}

TEST_F(Questions, PeopleOfOneNameAreTwoPeople) {
  given({{.ind = 1, .first = "Ann", .last = "Lee", .age = 20, .joined = "2015-03-03 01:02:03"},
         {.ind = 2, .first = "Ann", .last = "Lee", .age = 21, .joined = "2015-03-03 01:02:03"},
         {.ind = 3, .first = "Ann", .last = "Lee", .age = 20, .joined = "2015-03-03 01:02:04"},
         {.ind = 4,
          .first = "Ann",
          .last = "Lee",
          .age = 20,
          .joined = "2015-03-03T01:02:03Z"},  // The first, spelled otherwise.
         {.ind = 5}});                        // Nobody.
  EXPECT_THAT(ask("users_joined_by_year"), ElementsAre("2015|3"));
}

TEST_F(Questions, AUserCountsBeforeTheirPostArrives) {
  given({{.ind = 1, .first = "Ann", .joined = "2015-03-03 01:02:03", .has_pin = false, .has_geo = false}});
  EXPECT_THAT(ask("users_joined_by_year"), ElementsAre("2015|1"));
  EXPECT_THAT(query("SELECT poster_name, follower_count, country, post_count FROM people"),
              ElementsAre("null|null|null|0"));
}

TEST_F(Questions, AnEmptyInputGivesEmptyAnswers) {
  model();
  for (const auto& [question, rows] : ask_all()) EXPECT_THAT(rows, IsEmpty()) << question;
}

TEST_F(Questions, APersonsCountIsThatOfTheirLatestPostThatHasOne) {
  const Post rose{.poster = "Rose", .country = "Chad", .first = "Rose", .age = 30, .joined = "2016-01-01 00:00:00"};
  std::vector<Post> posts(4, rose);
  for (std::int64_t i = 0; i < 4; ++i) posts[static_cast<std::size_t>(i)].ind = i;
  posts[0].followers = "467", posts[0].timestamp = "2020-01-01 00:00:00";
  posts[1].followers = "6k", posts[1].timestamp = "2021-01-01 00:00:00";
  posts[2].followers = "User Info Error", posts[2].timestamp = "2022-01-01 00:00:00";
  posts[3].followers = "9k", posts[3].timestamp = std::nullopt;
  given({posts[1], posts[0], posts[3], posts[2]});
  EXPECT_THAT(query("SELECT follower_count, poster_name, country, post_count FROM people"),
              ElementsAre("6000|Rose|Chad|4"));
}

TEST_F(Questions, TheLatestRecordOfAPostWins) {
  add({{.ind = 1, .category = "art", .country = "Chad"}}, 5);
  add({{.ind = 1, .category = "quotes", .country = "Peru"}}, 7);
  add({{.ind = 1, .category = "travel", .country = "Aruba"}}, 6);
  model();
  EXPECT_THAT(ask("category_by_country"), ElementsAre("Peru|quotes|1|false"));
  EXPECT_EQ(workspace_->count("latest_pin").value(), 1U);
}

TEST_F(Questions, RepeatsInAnyOrderChangeNoAnswer) {
  Random random(11);
  std::vector<Post> posts;
  const std::vector<std::string> countries = {"Aruba", "Chad", "Peru"}, categories = {"art", "quotes", "travel"};
  for (std::int64_t i = 0; i < 60; ++i) {
    const std::uint64_t person = random.below(12);
    posts.push_back(
        {.ind = i,
         .category = categories[random.below(3)],
         .poster = "poster " + std::to_string(person),
         .followers = random.chance(0.1) ? "User Info Error" : std::to_string(random.below(900)) + "k",
         .country = countries[person % 3],
         .timestamp = "20" + std::to_string(17 + random.below(6)) + "-03-04 05:06:0" + std::to_string(random.below(3)),
         .first = "Person",
         .last = std::to_string(person),
         .age = static_cast<int>(18 + person * 4),
         .joined = "201" + std::to_string(5 + person % 3) + "-01-01 00:00:00",
         .has_geo = !random.chance(0.1),
         .has_user = !random.chance(0.1)});
  }
  given(posts);
  const std::map<std::string, Rows> once = ask_all();
  restart();
  add(posts);
  std::ranges::shuffle(posts, random);
  add(posts, 1000);
  std::ranges::shuffle(posts, random);
  add(posts, 500);
  model();
  EXPECT_EQ(ask_all(), once);
}

TEST_F(Questions, ChecksFindWhatCleaningAndModelCannotMend) {
  given({{.ind = 1, .poster = "Ann", .followers = "about 5", .first = "Ann", .age = 20},
         {.ind = 2, .poster = "Ann", .followers = "User Info Error", .first = "Bob", .age = 20},
         {.ind = 3, .poster = "Cat", .followers = "", .first = "Bob", .age = 20, .has_geo = false},
         {.ind = 4,
          .category = "No category available",
          .timestamp = "yesterday",
          .first = "Dan",
          .joined = "once",
          .has_user = false},
         {.ind = 5, .first = "Eve", .joined = "once", .has_pin = false}});
  EXPECT_THAT(rows_of(check("raw/follower_counts_that_do_not_parse").sample), ElementsAre("1|about 5"));
  EXPECT_THAT(rows_of(check("raw/timestamps_that_do_not_parse").sample), ElementsAre("4|yesterday"));
  EXPECT_THAT(rows_of(check("raw/joining_dates_that_do_not_parse").sample), ElementsAre("5|once"));
  EXPECT_THAT(rows_of(check("posts_without_geo_or_user").sample), ElementsAre("3|false|true", "4|true|false"));
  EXPECT_THAT(rows_of(check("records_without_post").sample), ElementsAre("5|geo", "5|user"));
  EXPECT_THAT(rows_of(check("people_with_several_posters").sample), ElementsAre("Bob|20|null|Ann|Cat|null|null"));
  EXPECT_THAT(rows_of(check("values_that_look_like_nothing").sample), ElementsAre("category|No category available|1"));
  EXPECT_EQ(check("posters_of_several_people").findings,
            1U);  // Bob's latest post with a time says Ann too.
}

TEST_F(Questions, ABadRecordSentTwiceIsOneFinding) {
  add({{.ind = 1, .followers = "about 5"}});
  add({{.ind = 1, .followers = "about 5"}}, 10);
  model();
  EXPECT_EQ(check("raw/follower_counts_that_do_not_parse").findings, 1U);
}

}  // namespace
}  // namespace pinflow::batch
