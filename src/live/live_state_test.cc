#include "live/live_state.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "live/answering.h"
#include "live/live_fixture.h"

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kStart{milliseconds(1'700'000'123'456)};

struct LiveStateTest : testing::Test {
  explicit LiveStateTest(StateOptions options = {}) : state(options) {}
  void pin(std::int64_t ind, std::string_view profile, std::string_view category, WallTime time,
           std::optional<std::int64_t> followers = 10) {
    state.apply(source("streaming-pinterest-pin"), Pin{.ind = ind,
                                                       .profile = profile,
                                                       .followers = followers,
                                                       .category = category,
                                                       .time = time,
                                                       .offset = next_offset++});
  }
  void geo(std::int64_t ind, std::string_view country, WallTime time) {
    state.apply(source("streaming-pinterest-geo"), Geo{.ind = ind, .country = country, .time = time});
  }
  void user(std::int64_t ind, std::optional<std::int64_t> age, WallTime time) {
    state.apply(source("streaming-pinterest-user"), User{.ind = ind, .age = age, .time = time});
  }
  SourceState& source(std::string_view topic) {
    return state.follow({std::string(topic), log::PartitionId(0)}, Uuid());
  }
  template <class Answer>
  Answer ask(const Query& query, WallTime now) {
    return std::get<Answer>(Answering(state.parts(), now).answer(query));
  }

  LiveState state;
  std::int64_t next_offset = 0;
};

struct BoundedLiveStateTest : LiveStateTest {
  BoundedLiveStateTest()
      : LiveStateTest({.profiles = {.max_profiles = 40},
                       .max_categories = 5,
                       .max_countries = 4,
                       .max_pairs = 60,
                       .max_pending = 50,
                       .max_seen_pages = 4}) {}
};

std::string bytes_after(const std::vector<Sent>& all) {
  LiveState state({});
  for (const Sent& sent : all) SentPosts::apply(state, sent);
  return state.save();
}

TEST(LiveState, IsTheSameBytesForEveryInterleavingOfPartitions) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    // Of minutes, and of days between the first and the last.
    const SentPosts posts(seed, 3'000, seed == 1 ? milliseconds(400) : milliseconds(minutes(2 * seed)));
    const std::string expected = bytes_after(posts.shuffled(1));
    for (const std::uint64_t order : {2, 3, 4, 5}) EXPECT_EQ(bytes_after(posts.shuffled(order)), expected) << seed;
  }
}

TEST(LiveState, GoesOnFromItsBytesWhereverItWasCutAndHoweverThePartitionsComeThen) {
  const SentPosts posts(7, 1'500, minutes(1));
  const std::vector<Sent> all = posts.shuffled(1);
  const std::string expected = bytes_after(all);
  Random random(5);
  for (std::size_t cut = 0; cut < all.size(); cut += 1 + random.below(200)) {
    LiveState before({});
    for (std::size_t i = 0; i < cut; ++i) SentPosts::apply(before, all[i]);
    const std::string saved = before.save();
    LiveState after({});
    const auto loaded = after.load(saved);
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(after.save(), saved) << cut;
    // What is left of each partition, in another order.
    for (const Sent& sent : posts.shuffled(cut + 2)) {
      const log::TopicPartition partition{std::string(SentPosts::kTopics[sent.kind]), log::PartitionId(sent.partition)};
      if (log::Offset(sent.offset) >= after.follow(partition, Uuid()).next) SentPosts::apply(after, sent);
    }
    ASSERT_EQ(after.save(), expected) << cut;
  }
}

TEST(LiveState, AnswersTheSameAfterARestart) {
  const SentPosts posts(8, 2'000, seconds(90));
  LiveState state({});
  for (const Sent& sent : posts.shuffled(1)) SentPosts::apply(state, sent);
  LiveState again({});
  ASSERT_TRUE(again.load(state.save()));
  const WallTime now = posts.newest + minutes(7);
  const Answering before(state.parts(), now);
  const Answering after(again.parts(), now);
  const auto profiles = std::get<ProfilesAnswer>(before.answer(ProfilesQuery{.k = 100})).items;
  const auto same = std::get<ProfilesAnswer>(after.answer(ProfilesQuery{.k = 100})).items;
  ASSERT_GT(profiles.size(), 50u);
  ASSERT_EQ(same.size(), profiles.size());
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    EXPECT_EQ(std::tie(same[i].name, same[i].popularity, same[i].velocity, same[i].followers, same[i].posts,
                       same[i].window_posts, same[i].country, same[i].age_group, same[i].first_post),
              std::tie(profiles[i].name, profiles[i].popularity, profiles[i].velocity, profiles[i].followers,
                       profiles[i].posts, profiles[i].window_posts, profiles[i].country, profiles[i].age_group,
                       profiles[i].first_post));
  }
  const auto categories = std::get<CategoriesAnswer>(before.answer(CategoriesQuery{})).items;
  const auto same_categories = std::get<CategoriesAnswer>(after.answer(CategoriesQuery{})).items;
  ASSERT_EQ(same_categories.size(), 5u);
  for (std::size_t i = 0; i < categories.size(); ++i) {
    EXPECT_EQ(same_categories[i].name, categories[i].name);
    EXPECT_EQ(same_categories[i].trend.z, categories[i].trend.z);
    EXPECT_EQ(same_categories[i].posts, categories[i].posts);
  }
}

TEST(LiveState, RefusesBytesThatAreCutOrDamaged) {
  const SentPosts posts(9, 60, minutes(1));
  LiveState state({});
  for (const Sent& sent : posts.shuffled(1)) SentPosts::apply(state, sent);
  const std::string saved = state.save();
  for (std::size_t size = 0; size < saved.size(); size += 1 + size / 20) {
    LiveState cut({});
    EXPECT_FALSE(cut.load(saved.substr(0, size))) << size;
  }
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = saved;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    LiveState any({});
    static_cast<void>(any.load(damaged));  // Must end, within the memory of its bounds.
  }
}

TEST(LiveState, RefusesBytesThatNoStateSaves) {
  // Posts without the time of the first; a number with a byte too many; a post that waits for parts and has none.
  for (const char* const hex : {"0020001800000000020000001200000000000000000200000000020000001200",
                                "0000000300000000000000000000000000000000000000000000000200000080fa00002f",
                                "0000000300000000000000000000000000000000000000000000000100008001"}) {
    std::string bytes;
    for (std::string_view left = hex; left.size() >= 2; left.remove_prefix(2))
      bytes += static_cast<char>(std::stoi(std::string(left.substr(0, 2)), nullptr, 16));
    LiveState state({});
    EXPECT_FALSE(state.load(bytes)) << hex;
  }
}

TEST_F(BoundedLiveStateTest, HoldsNoMoreThanItsBoundsAndComesBackFromItsBytes) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const WallTime time = kStart + seconds(i);
    const auto ind = static_cast<std::int64_t>(random.below(100'000));
    pin(ind, fmt::format("p{}", random.below(300)), fmt::format("c{}", random.below(30)), time);
    if (random.chance(0.7)) geo(random.chance(0.5) ? ind : ind + 1, fmt::format("g{}", i % 9), time);
    if (random.chance(0.7)) user(ind, 20, time);
    const LiveParts& parts = state.parts();
    ASSERT_LE(parts.profiles.size(), 40u);
    ASSERT_LE(parts.categories.size(), 5u);
    ASSERT_LE(parts.countries.size(), 4u);
    ASSERT_LE(parts.category_profiles.size(), 60u);
    ASSERT_LE(parts.country_profiles.size(), 60u);
    ASSERT_LE(state.join().pending(), 50u);
    ASSERT_LE(state.seen().pages(), 4u);
    if (i % 1'000 != 999) continue;
    const std::string saved = state.save();
    LiveState back({.profiles = {.max_profiles = 40},
                    .max_categories = 5,
                    .max_countries = 4,
                    .max_pairs = 60,
                    .max_pending = 50,
                    .max_seen_pages = 4});
    ASSERT_TRUE(back.load(saved));
    ASSERT_EQ(back.save(), saved);
    static_cast<void>(ask<RecommendationsAnswer>(RecommendationsQuery{.category = "c1", .country = "g1"}, time));
    static_cast<void>(ask<CountriesAnswer>(CountriesQuery{}, time));
  }
  EXPECT_GT(state.parts().profiles.evicted(), 0u);
  EXPECT_GT(state.parts().categories.evicted(), 0u);
  EXPECT_GT(state.parts().countries.evicted(), 0u);
  EXPECT_GT(state.parts().category_profiles.evicted(), 0u);
  EXPECT_GT(state.join().evicted(), 0u);
}

TEST_F(LiveStateTest, JoinsTheThreeKindsInWhateverOrderTheyCome) {
  user(1, 20, kStart);
  geo(1, "Albania", kStart);
  pin(1, "Ada", "travel", kStart - minutes(30));
  pin(2, "Ada", "art", kStart);
  geo(2, "Aruba", kStart);
  user(2, 60, kStart);
  EXPECT_EQ(state.join().joined(), 2u);
  EXPECT_EQ(state.join().pending(), 0u);
  const auto countries = ask<CountriesAnswer>(CountriesQuery{.window = Window::k5m}, kStart).items;
  ASSERT_EQ(countries.size(), 2u);
  EXPECT_EQ(countries[0].name, "Aruba");
  // A post lies where its pin says when.
  EXPECT_EQ(countries[1].posts, (std::array<std::uint64_t, 3>{0, 1, 1}));
  EXPECT_EQ(countries[1].top_category, "travel");
  const auto ages = ask<AgeGroupsAnswer>(AgeGroupsQuery{}, kStart).items;
  ASSERT_EQ(ages.size(), 2u);
  EXPECT_EQ(ages[0].name, "18-24");
  EXPECT_EQ(ages[1].name, "50+");
  const auto ada = ask<ProfileAnswer>(ProfileQuery{"Ada"}, kStart);
  EXPECT_EQ(ada.profile->country, "Aruba");
  EXPECT_EQ(ada.profile->age_group, "50+");
  ASSERT_EQ(ada.categories.size(), 2u);
  EXPECT_EQ(ada.categories[0].name, "art");
  EXPECT_EQ(ada.countries.size(), 2u);
}

TEST_F(LiveStateTest, CountsARecordOfEachKindOncePerPost) {
  for (int i = 0; i < 3; ++i) {
    pin(1, "Ada", "travel", kStart + minutes(i), 10 + i);
    geo(1, "Albania", kStart + minutes(i));
    user(1, 30, kStart + minutes(i));
  }
  EXPECT_EQ(state.parts().counts.posts, 1u);
  EXPECT_EQ(state.parts().counts.repeats, 6u);
  EXPECT_EQ(state.join().pending(), 0u);
  EXPECT_EQ(ask<ProfileAnswer>(ProfileQuery{"Ada"}, kStart).profile->followers, 10);
  EXPECT_EQ(ask<CountriesAnswer>(CountriesQuery{}, kStart).items[0].posts_in_all, 1u);
}

TEST_F(LiveStateTest, CountsPostsOfNobodyForTheirCategoryAlone) {
  pin(1, "User Info Error", "travel", kStart);
  pin(2, " ", "travel", kStart);
  pin(3, std::string(kMaxNameBytes + 1, 'x'), "travel", kStart);
  pin(4, "Ada", "", kStart);
  EXPECT_EQ(state.parts().counts.without_profile, 3u);
  EXPECT_EQ(state.parts().profiles.size(), 1u);
  const auto categories = ask<CategoriesAnswer>(CategoriesQuery{}, kStart).items;
  ASSERT_EQ(categories.size(), 1u);
  EXPECT_EQ(categories[0].posts[0], 3u);
  EXPECT_DOUBLE_EQ(categories[0].share, 0.75);
}

TEST_F(LiveStateTest, TellsLateRecordsByTheirPartition) {
  pin(1, "Ada", "travel", kStart);
  pin(2, "Ada", "travel", kStart - seconds(60));  // At the watermark: in time.
  pin(3, "Ada", "travel", kStart - seconds(61));
  pin(4, "Ada", "travel", kStart - hours(24));
  geo(1, "Albania", kStart - hours(2));  // The first of its partition.
  const SourceState& pins = source("streaming-pinterest-pin");
  EXPECT_EQ(pins.late, 2u);
  EXPECT_EQ(pins.too_late, 1u);
  EXPECT_EQ(pins.newest, kStart);
  EXPECT_EQ(source("streaming-pinterest-geo").late, 0u);
  // The late ones count where their pane is held, and in the sums that decay.
  const auto ada = ask<ProfileAnswer>(ProfileQuery{"Ada"}, kStart).profile.value();
  EXPECT_EQ(ada.window_posts, (std::array<std::uint64_t, 3>{3, 3, 3}));
  EXPECT_EQ(ada.posts, 4u);
  EXPECT_NEAR(ada.activity, 3 + std::exp2(-4.0), 0.01);
}

TEST_F(LiveStateTest, BeginsATopicThatWasMadeAgainAtItsBeginningAndKeepsWhatTheOldOneBrought) {
  pin(1, "Ada", "travel", kStart);
  SourceState& pins = source("streaming-pinterest-pin");
  pins.next = log::Offset(1);
  Random random(1);
  const SourceState& again = state.follow({"streaming-pinterest-pin", log::PartitionId(0)}, Uuid::random(random));
  EXPECT_EQ(again.next, log::Offset(0));
  EXPECT_EQ(again.newest, std::nullopt);
  EXPECT_EQ(state.sources().size(), 1u);
  EXPECT_EQ(state.parts().counts.posts, 1u);
}

TEST_F(LiveStateTest, ListsProfilesOfACategoryAndOfACountry) {
  int ind = 0;
  const auto post = [&](std::string_view who, std::string_view category, std::string_view country, WallTime time,
                        int n) {
    for (; n > 0; --n) {
      pin(++ind, who, category, time);
      geo(ind, country, time);
    }
  };
  post("Ada", "travel", "Albania", kStart, 3);
  post("Bob", "travel", "Aruba", kStart, 5);
  post("Cid", "travel", "Albania", kStart - hours(3), 9);
  post("Dan", "art", "Albania", kStart, 20);
  const auto names = [&](const ProfilesQuery& query) {
    std::vector<std::string> names;
    for (const auto& item : ask<ProfilesAnswer>(query, kStart).items) names.push_back(item.name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({.order = ProfileOrder::kPosts, .category = "travel"}), (Names{"Bob", "Ada"}));
  EXPECT_EQ(names({.order = ProfileOrder::kPosts, .category = "travel", .window = Window::k24h}),
            (Names{"Cid", "Bob", "Ada"}));
  EXPECT_EQ(names({.order = ProfileOrder::kPosts, .country = "Albania"}), (Names{"Dan", "Ada"}));
  EXPECT_EQ(names({.order = ProfileOrder::kPosts, .category = "travel", .country = "Albania"}), (Names{"Ada"}));
  EXPECT_EQ(names({.order = ProfileOrder::kPosts}), (Names{"Dan", "Bob", "Ada", "Cid"}));
  EXPECT_EQ(names({.category = "nothing"}), Names());
  EXPECT_EQ(ask<ProfilesAnswer>(ProfilesQuery{.category = "travel"}, kStart).items[0].window_posts[1], 5u);
}

TEST_F(LiveStateTest, GivesPostsPerMinute) {
  pin(1, "Ada", "travel", kStart);
  pin(2, "Ada", "travel", kStart);
  pin(3, "Ada", "art", kStart - minutes(2));
  const auto all = ask<MinutesAnswer>(MinutesQuery{.minutes = 4}, kStart + minutes(1));
  EXPECT_EQ(all.posts, (std::vector<std::uint64_t>{1, 0, 2, 0}));
  EXPECT_EQ(all.begin.time_since_epoch() % minutes(1), milliseconds(0));
  EXPECT_EQ(all.begin + minutes(3), std::chrono::floor<minutes>(kStart + minutes(1)));
  EXPECT_EQ(ask<MinutesAnswer>(MinutesQuery{.minutes = 3, .category = "art"}, kStart).posts,
            (std::vector<std::uint64_t>{1, 0, 0}));
  EXPECT_EQ(ask<MinutesAnswer>(MinutesQuery{.minutes = 2, .country = "none"}, kStart).posts,
            (std::vector<std::uint64_t>{0, 0}));
}

TEST_F(LiveStateTest, RecommendsWithReasonsAndNumbers) {
  int ind = 0;
  for (int i = 0; i < 12; ++i) pin(++ind, "Ada", "travel", kStart - minutes(i), 1'200'000);
  for (int i = 0; i < 3; ++i) pin(++ind, "Bob", "travel", kStart - minutes(i), 15'000'000);
  pin(++ind, "Bob", "art", kStart, 15'000'000);
  pin(++ind, "Cid", "art", kStart - hours(5), 900);
  geo(1, "Albania", kStart);
  user(1, 21, kStart);
  const RecommendationsQuery query{
      .category = "travel", .country = "Albania", .age_group = "18-24", .exclude = {"Cid"}};
  const auto items = ask<RecommendationsAnswer>(query, kStart).items;
  ASSERT_EQ(items.size(), 2u);
  const Recommendation& ada = items[0];
  EXPECT_EQ(ada.profile.name, "Ada");
  EXPECT_DOUBLE_EQ(ada.score, ada.profile.popularity + 0.3 + 0.1 + 0.05);
  std::vector<std::string> texts;
  for (const Reason& reason : ada.reasons) texts.push_back(reason.text);
  ASSERT_EQ(texts.size(), 6u);
  EXPECT_EQ(texts[0], "busiest in travel in the last hour: 12 posts");
  EXPECT_EQ(texts[1], "in Albania: 1 post in the last 24 hours");
  EXPECT_EQ(texts[2], "of the age group 18-24");
  EXPECT_EQ(texts[3], "followers 1.2M");
  EXPECT_EQ(texts[4].substr(0, 8), "rising: ");
  EXPECT_EQ(texts[5], "in the last 24 hours: 12 posts");
  EXPECT_EQ(ada.reasons[0].number, 12);
  EXPECT_DOUBLE_EQ(items[1].category_part, 0.75);
  EXPECT_EQ(items[1].reasons[0].text, "in travel in the last hour: 3 posts");
  EXPECT_EQ(items[1].reasons[1].text, "followers 15M");
}

TEST_F(LiveStateTest, KeepsEachFifthPlaceForANewProfile) {
  int ind = 0;
  for (int i = 0; i < 20; ++i) {
    pin(++ind, fmt::format("old {:02}", i), "art", kStart - hours(24 * 30), 9'000'000);
    pin(++ind, fmt::format("old {:02}", i), "art", kStart, 9'000'000);
  }
  for (int i = 0; i < 3; ++i) pin(++ind, fmt::format("new {}", i), "art", kStart - hours(24), 5);
  const auto items = ask<RecommendationsAnswer>(RecommendationsQuery{.k = 12}, kStart).items;
  ASSERT_EQ(items.size(), 12u);
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i].profile.name.starts_with("new"), i == 4 || i == 9) << i;
    EXPECT_EQ(items[i].profile.rank, i + 1);
  }
  EXPECT_EQ(items[4].reasons.back().text, "new: first post 1.0 days ago");
}

}  // namespace
}  // namespace pinflow::live
