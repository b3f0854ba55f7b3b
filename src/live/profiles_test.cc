#include "live/profiles.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"
#include "live/answering.h"

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

const WallTime kStart{milliseconds(1'700'000'123'456)};

struct Post {
  std::int64_t ind = 0;
  std::string_view profile{};
  std::optional<std::int64_t> followers{};
  WallTime time{};
  std::int64_t offset = 0;
};

Post post(std::int64_t ind, std::string_view profile, std::optional<std::int64_t> followers, WallTime time,
          std::int64_t offset = 0) {
  return {.ind = ind, .profile = profile, .followers = followers, .time = time, .offset = offset};
}

struct Ranking {
  WallTime as_of;
  std::size_t active_profiles = 0;
  double activity_median = 0;
  double velocity_median = 0;
  std::vector<ProfileView> items;
};

// Profiles as they are used: within the state, with posts that have nothing else.
struct Board {
  explicit Board(const StateOptions& options) : state(options) {}
  // Gives whether the post was counted.
  bool apply(const Post& post) {
    const std::uint64_t before = state.parts().counts.posts;
    state.apply(state.follow({"streaming-pinterest-pin", log::PartitionId(0)}, Uuid()), Pin{.ind = post.ind,
                                                                                            .profile = post.profile,
                                                                                            .followers = post.followers,
                                                                                            .time = post.time,
                                                                                            .offset = post.offset});
    return state.parts().counts.posts > before;
  }
  Ranking top(std::size_t k, ProfileOrder order, WallTime now) {
    const Answering answering(state.parts(), now);
    return ranking(answering, std::get<ProfilesAnswer>(answering.answer(ProfilesQuery{.order = order, .k = k})).items);
  }
  Ranking find(std::string_view name, WallTime now) {
    const Answering answering(state.parts(), now);
    auto found = std::get<ProfileAnswer>(answering.answer(ProfileQuery{std::string(name)})).profile;
    return ranking(answering, found ? std::vector{*found} : std::vector<ProfileView>());
  }
  std::size_t size() const { return state.parts().profiles.size(); }
  std::uint64_t evicted() const { return state.parts().profiles.evicted(); }

  static Ranking ranking(const Answering& answering, std::vector<ProfileView> items) {
    const Head head = answering.head();
    return {.as_of = head.as_of,
            .active_profiles = head.active_profiles,
            .activity_median = head.activity_median,
            .velocity_median = head.velocity_median,
            .items = std::move(items)};
  }

  LiveState state;
};

std::vector<std::string> names(const Ranking& ranking) {
  std::vector<std::string> result;
  for (const ProfileView& item : ranking.items) result.push_back(item.name);
  return result;
}

// Posts of a few hundred profiles over thirty days, heavy-tailed, in order of time.
struct Month {
  explicit Month(std::uint64_t seed) {
    Random random(seed);
    for (int i = 0; i < 300; ++i) names.push_back(fmt::format("profile {}", i));
    WallTime time = kStart;
    for (int i = 0; i < 20'000; ++i) {
      time += milliseconds(random.below(260'000));
      const auto who = static_cast<std::size_t>(300 * std::pow(random.unit(), 3));
      std::optional<std::int64_t> followers;
      if (random.chance(0.9)) followers = static_cast<std::int64_t>(random.below(5'000'000));
      posts.push_back(post(i, names[who], followers, time, i));
    }
  }
  std::vector<std::string> names;
  std::vector<Post> posts;
};

TEST(Profiles, ScoresByTheFormula) {
  Board profiles({});
  profiles.apply(post(1, "a", 999, kStart));
  profiles.apply(post(2, "a", 999, kStart - hours(6)));
  profiles.apply(post(3, "b", 9'999'999, kStart - hours(3)));
  const Ranking ranking = profiles.top(10, ProfileOrder::kPopularity, kStart);
  ASSERT_EQ(names(ranking), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(ranking.as_of, kStart);
  EXPECT_EQ(ranking.active_profiles, 2u);

  const auto velocity = [](double hour, double day) { return (hour - day / 24) / std::sqrt(day / 24 + 1); };
  const double a_activity = std::log2(1 + 1.5);
  const double b_activity = std::log2(1 + std::exp2(-0.5));
  const double a_velocity = velocity(1 + std::exp2(-6), 1 + std::exp2(-0.25));
  const double b_velocity = velocity(std::exp2(-3), std::exp2(-0.125));
  EXPECT_NEAR(ranking.activity_median, b_activity, 1e-11);
  EXPECT_NEAR(ranking.velocity_median, b_velocity, 1e-11);
  const double a =
      0.5 * 3 / 7 + 0.35 * a_activity / (a_activity + b_activity) + 0.15 * a_velocity / (a_velocity + b_velocity);
  const double b = 0.5 + 0.35 / 2 + 0.15 / 2;
  EXPECT_NEAR(ranking.items[0].popularity, b, 1e-11);
  EXPECT_NEAR(ranking.items[1].popularity, a, 1e-11);
  EXPECT_NEAR(ranking.items[1].activity, 1.5, 1e-11);
  EXPECT_NEAR(ranking.items[1].velocity, a_velocity, 1e-11);
  EXPECT_EQ(ranking.items[1].posts, 2u);
  EXPECT_EQ(ranking.items[1].last_post, kStart);
}

TEST(Profiles, KeepsEachPartBetweenZeroAndOne) {
  Board profiles({});
  profiles.apply(post(1, "huge", INT64_MAX, kStart));
  for (int i = 2; i < 2'000; ++i) profiles.apply(post(i, "busy", 0, kStart));
  profiles.apply(post(2'000, "quiet", std::nullopt, kStart - hours(24 * 400)));
  for (const ProfileView& item : profiles.top(10, ProfileOrder::kPopularity, kStart).items) {
    for (const double part : {item.followers_part, item.activity_part, item.velocity_part, item.popularity}) {
      EXPECT_GE(part, 0) << item.name;
      EXPECT_LE(part, 1) << item.name;
    }
  }
  EXPECT_EQ(profiles.find("huge", kStart).items.at(0).followers_part, 1);
  EXPECT_NEAR(profiles.find("quiet", kStart).items.at(0).popularity, 0, 1e-11);
}

TEST(Profiles, ActivityHalvesInSixHours) {
  ManualClock clock;
  Board profiles({});
  for (int i = 0; i < 8; ++i) profiles.apply(post(i, "a", 1, clock.now()));
  double expected = 8;
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(profiles.find("a", clock.now()).items.at(0).activity, expected, 1e-11);
    clock.advance(hours(6));
    expected /= 2;
  }
}

TEST(Profiles, ArrivalOrderDoesNotMatter) {
  const Month month(5);
  Board in_order({});
  for (const Post& post : month.posts) in_order.apply(post);
  for (const std::uint64_t seed : {1, 2, 3}) {
    std::vector<Post> shuffled = month.posts;
    Random random(seed);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    Board profiles({});
    for (const Post& post : shuffled) profiles.apply(post);
    const WallTime now = month.posts.back().time + minutes(5);
    const Ranking expected = in_order.top(300, ProfileOrder::kPopularity, now);
    const Ranking actual = profiles.top(300, ProfileOrder::kPopularity, now);
    ASSERT_EQ(names(actual), names(expected));
    for (std::size_t i = 0; i < expected.items.size(); ++i) {
      ASSERT_EQ(actual.items[i].followers, expected.items[i].followers);
      ASSERT_EQ(actual.items[i].posts, expected.items[i].posts);
      ASSERT_EQ(actual.items[i].popularity, expected.items[i].popularity);
      ASSERT_EQ(actual.items[i].activity, expected.items[i].activity);
    }
  }
}

TEST(Profiles, TheSamePostsInTheSameOrderGiveTheSameBitsHoweverOftenOneAsks) {
  const Month month(6);
  Board asked({});
  Board quiet({});
  for (const Post& post : month.posts) {
    asked.apply(post);
    quiet.apply(post);
    if (post.ind % 1000 == 0)
      static_cast<void>(asked.top(10, ProfileOrder::kActivity, post.time + hours(post.ind % 7)));
  }
  const WallTime now = month.posts.back().time + hours(2);
  const Ranking expected = quiet.top(300, ProfileOrder::kPopularity, now);
  const Ranking actual = asked.top(300, ProfileOrder::kPopularity, now);
  ASSERT_EQ(names(actual), names(expected));
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    ASSERT_EQ(actual.items[i].popularity, expected.items[i].popularity);
    ASSERT_EQ(actual.items[i].velocity, expected.items[i].velocity);
  }
}

TEST(Profiles, APostSentAgainChangesNothing) {
  const Month month(7);
  Board once({});
  Board twice({});
  for (const Post& post : month.posts) {
    EXPECT_TRUE(once.apply(post));
    twice.apply(post);
  }
  for (Post post : month.posts) {
    post.time += minutes(1);
    post.offset += 100'000;
    ASSERT_FALSE(twice.apply(post));
  }
  const WallTime now = month.posts.back().time + minutes(5);
  const Ranking expected = once.top(300, ProfileOrder::kPopularity, now);
  const Ranking actual = twice.top(300, ProfileOrder::kPopularity, now);
  ASSERT_EQ(names(actual), names(expected));
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    ASSERT_EQ(actual.items[i].popularity, expected.items[i].popularity);
    ASSERT_EQ(actual.items[i].posts, expected.items[i].posts);
    ASSERT_EQ(actual.items[i].followers, expected.items[i].followers);
  }
}

TEST(Profiles, TheLatestFollowersWinByTimeThenOffset) {
  Board profiles({});
  const auto followers = [&] { return profiles.find("a", kStart).items.at(0).followers; };
  profiles.apply(post(1, "a", std::nullopt, kStart, 1));
  EXPECT_EQ(followers(), std::nullopt);
  profiles.apply(post(2, "a", 200, kStart, 7));
  profiles.apply(post(3, "a", 300, kStart - hours(1), 9));
  EXPECT_EQ(followers(), 200);
  profiles.apply(post(4, "a", 100, kStart, 8));
  EXPECT_EQ(followers(), 100);
  profiles.apply(post(5, "a", 500, kStart, 6));
  EXPECT_EQ(followers(), 100);
  profiles.apply(post(6, "a", std::nullopt, kStart + minutes(1), 10));
  EXPECT_EQ(followers(), 100);
}

TEST(Profiles, TheSentinelAndEmptyNamesAreNobody) {
  Board profiles({});
  profiles.apply(post(1, "User Info Error", std::nullopt, kStart));
  profiles.apply(post(2, "", 5, kStart));
  profiles.apply(post(3, std::string(kMaxNameBytes + 1, 'x'), 5, kStart));
  EXPECT_EQ(profiles.size(), 0u);
  EXPECT_EQ(profiles.state.parts().counts.without_profile, 3u);
}

TEST(Profiles, EqualProfilesStandInOrderOfName) {
  Board profiles({});
  int ind = 0;
  for (const std::string_view name : {"d", "b", "e", "a", "c"}) profiles.apply(post(++ind, name, 10, kStart));
  for (const ProfileOrder order : {ProfileOrder::kPopularity, ProfileOrder::kActivity, ProfileOrder::kFollowers}) {
    EXPECT_EQ(names(profiles.top(3, order, kStart)), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(names(profiles.top(100, order, kStart)), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  }
  EXPECT_EQ(profiles.find("d", kStart).items.at(0).rank, 4u);
}

TEST(Profiles, OrdersByWhatIsAskedFor) {
  Board profiles({});
  profiles.apply(post(1, "known", 1'000, kStart - hours(48)));
  for (int i = 2; i < 12; ++i) profiles.apply(post(i, "busy", 10, kStart));
  profiles.apply(post(20, "new", std::nullopt, kStart));
  EXPECT_EQ(names(profiles.top(9, ProfileOrder::kFollowers, kStart)),
            (std::vector<std::string>{"known", "busy", "new"}));
  EXPECT_EQ(names(profiles.top(9, ProfileOrder::kActivity, kStart)),
            (std::vector<std::string>{"busy", "new", "known"}));
  EXPECT_EQ(profiles.top(9, ProfileOrder::kFollowers, kStart).items[2].followers, std::nullopt);
}

TEST(Profiles, LetTheLeastActiveGoWhenThereAreTooMany) {
  Board profiles({.profiles = {.max_profiles = 160}});
  std::vector<std::string> known;
  for (int i = 0; i < 160; ++i) known.push_back(fmt::format("p{:03}", i));
  // The first twenty posted a week ago, twice as often.
  int ind = 0;
  for (int i = 0; i < 160; ++i) {
    const WallTime time = i < 20 ? kStart - hours(168) : kStart - minutes(i);
    for (int n = 0; n < (i < 20 ? 2 : 1); ++n) profiles.apply(post(++ind, known[static_cast<std::size_t>(i)], 1, time));
  }
  EXPECT_EQ(profiles.evicted(), 0u);
  profiles.apply(post(++ind, "newcomer", 1, kStart));
  EXPECT_EQ(profiles.evicted(), 10u);
  EXPECT_EQ(profiles.size(), 151u);
  // Of the twenty with equal activity the alphabetically first stay.
  EXPECT_EQ(profiles.find("p009", kStart).items.size(), 1u);
  EXPECT_EQ(profiles.find("p010", kStart).items.size(), 0u);
  EXPECT_EQ(profiles.find("p019", kStart).items.size(), 0u);
  for (int i = 20; i < 160; ++i) ASSERT_EQ(profiles.find(known[static_cast<std::size_t>(i)], kStart).items.size(), 1u);
  EXPECT_EQ(profiles.find("newcomer", kStart).items.at(0).posts, 1u);
  const Ranking all = profiles.top(1000, ProfileOrder::kActivity, kStart);
  EXPECT_EQ(all.items.size(), 151u);
  EXPECT_EQ(all.items[0].name, "newcomer");
}

TEST(Profiles, NeverHoldMoreThanTheirBound) {
  Board profiles({.profiles = {.max_profiles = 100}, .max_seen_pages = 4});
  for (int i = 0; i < 5'000; ++i) {
    profiles.apply(post(i * 600, fmt::format("p{}", i), i, kStart + minutes(i)));
    ASSERT_LE(profiles.size(), 100u);
    ASSERT_LE(profiles.state.seen().pages(), 4u);
  }
  EXPECT_EQ(profiles.size() + profiles.evicted(), 5'000u);
}

TEST(Profiles, TakeAnyTimeAndIdWithoutHarm) {
  Board profiles({});
  const WallTime never{milliseconds(INT64_MIN)};
  const WallTime always{milliseconds(INT64_MAX)};
  profiles.apply(post(INT64_MIN, "a", 1, never));
  profiles.apply(post(INT64_MAX, "a", 2, WallTime(milliseconds(-1))));
  EXPECT_NEAR(profiles.find("a", kStart).items.at(0).activity, 0, 1e-300);
  profiles.apply(post(0, "b", 3, always));
  EXPECT_NEAR(profiles.find("b", always).items.at(0).activity, 1, 1e-11);
  EXPECT_EQ(profiles.find("a", never).items.at(0).followers, 2);
}

TEST(Profiles, AnswersNeverLookBackBehindTheNewestPost) {
  Board profiles({});
  profiles.apply(post(1, "a", 1, kStart));
  const Ranking ranking = profiles.top(1, ProfileOrder::kActivity, kStart - hours(5));
  EXPECT_EQ(ranking.as_of, kStart);
  EXPECT_NEAR(ranking.items.at(0).activity, 1, 1e-11);
}

TEST(Profiles, AreEmptyBeforeTheFirstPost) {
  Board profiles({});
  EXPECT_TRUE(profiles.top(10, ProfileOrder::kPopularity, kStart).items.empty());
  EXPECT_TRUE(profiles.find("a", kStart).items.empty());
}

}  // namespace
}  // namespace pinflow::live
