#include "live/profiles.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"

namespace pinflow::live {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

const WallTime kStart{milliseconds(1'700'000'123'456)};

Post post(std::int64_t ind, std::string_view profile, std::optional<std::int64_t> followers, WallTime time,
          std::int64_t offset = 0) {
  return {.ind = ind, .profile = profile, .followers = followers, .time = time, .offset = offset};
}

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
  Profiles profiles({});
  profiles.apply(post(1, "a", 999, kStart));
  profiles.apply(post(2, "a", 999, kStart - hours(6)));
  profiles.apply(post(3, "b", 9'999'999, kStart - hours(3)));
  const Ranking ranking = profiles.top(10, Order::kPopularity, kStart);
  ASSERT_EQ(names(ranking), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(ranking.as_of, kStart);
  EXPECT_EQ(ranking.active_profiles, 2u);

  const auto velocity = [](double hour, double day) { return (hour - day / 24) / std::sqrt(day / 24 + 1); };
  const double a_activity = std::log2(1 + 1.5);
  const double b_activity = std::log2(1 + std::exp2(-0.5));
  const double a_velocity = velocity(1 + std::exp2(-6), 1 + std::exp2(-0.25));
  const double b_velocity = velocity(std::exp2(-3), std::exp2(-0.125));
  EXPECT_NEAR(ranking.activity_median, b_activity, 1e-12);
  EXPECT_NEAR(ranking.velocity_median, b_velocity, 1e-12);
  const double a =
      0.5 * 3 / 7 + 0.35 * a_activity / (a_activity + b_activity) + 0.15 * a_velocity / (a_velocity + b_velocity);
  const double b = 0.5 + 0.35 / 2 + 0.15 / 2;
  EXPECT_NEAR(ranking.items[0].popularity, b, 1e-12);
  EXPECT_NEAR(ranking.items[1].popularity, a, 1e-12);
  EXPECT_NEAR(ranking.items[1].activity, 1.5, 1e-12);
  EXPECT_NEAR(ranking.items[1].velocity, a_velocity, 1e-12);
  EXPECT_EQ(ranking.items[1].posts, 2u);
  EXPECT_EQ(ranking.items[1].last_post, kStart);
}

TEST(Profiles, KeepsEachPartBetweenZeroAndOne) {
  Profiles profiles({});
  profiles.apply(post(1, "huge", INT64_MAX, kStart));
  for (int i = 2; i < 2'000; ++i) profiles.apply(post(i, "busy", 0, kStart));
  profiles.apply(post(2'000, "quiet", std::nullopt, kStart - hours(24 * 400)));
  for (const ProfileView& item : profiles.top(10, Order::kPopularity, kStart).items) {
    for (const double part : {item.followers_part, item.activity_part, item.velocity_part, item.popularity}) {
      EXPECT_GE(part, 0) << item.name;
      EXPECT_LE(part, 1) << item.name;
    }
  }
  EXPECT_EQ(profiles.find("huge", kStart).items.at(0).followers_part, 1);
  EXPECT_NEAR(profiles.find("quiet", kStart).items.at(0).popularity, 0, 1e-12);
}

TEST(Profiles, ActivityHalvesInSixHours) {
  ManualClock clock;
  Profiles profiles({});
  for (int i = 0; i < 8; ++i) profiles.apply(post(i, "a", 1, clock.now()));
  double expected = 8;
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(profiles.find("a", clock.now()).items.at(0).activity, expected, 1e-12);
    clock.advance(hours(6));
    expected /= 2;
  }
}

TEST(Profiles, ArrivalOrderDoesNotMatter) {
  const Month month(5);
  Profiles in_order({});
  for (const Post& post : month.posts) in_order.apply(post);
  for (const std::uint64_t seed : {1, 2, 3}) {
    std::vector<Post> shuffled = month.posts;
    Random random(seed);
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    Profiles profiles({});
    for (const Post& post : shuffled) profiles.apply(post);
    const WallTime now = month.posts.back().time + minutes(5);
    const Ranking expected = in_order.top(300, Order::kPopularity, now);
    const Ranking actual = profiles.top(300, Order::kPopularity, now);
    ASSERT_EQ(names(actual), names(expected));
    for (std::size_t i = 0; i < expected.items.size(); ++i) {
      ASSERT_EQ(actual.items[i].followers, expected.items[i].followers);
      ASSERT_EQ(actual.items[i].posts, expected.items[i].posts);
      ASSERT_NEAR(actual.items[i].popularity, expected.items[i].popularity, 1e-12);
      ASSERT_NEAR(actual.items[i].activity / expected.items[i].activity, 1, 1e-12);
    }
  }
}

TEST(Profiles, TheSamePostsInTheSameOrderGiveTheSameBitsHoweverOftenOneAsks) {
  const Month month(6);
  Profiles asked({});
  Profiles quiet({});
  for (const Post& post : month.posts) {
    asked.apply(post);
    quiet.apply(post);
    if (post.ind % 1000 == 0) static_cast<void>(asked.top(10, Order::kActivity, post.time + hours(post.ind % 7)));
  }
  const WallTime now = month.posts.back().time + hours(2);
  const Ranking expected = quiet.top(300, Order::kPopularity, now);
  const Ranking actual = asked.top(300, Order::kPopularity, now);
  ASSERT_EQ(names(actual), names(expected));
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    ASSERT_EQ(actual.items[i].popularity, expected.items[i].popularity);
    ASSERT_EQ(actual.items[i].velocity, expected.items[i].velocity);
  }
}

TEST(Profiles, APostSentAgainChangesNothing) {
  const Month month(7);
  Profiles once({});
  Profiles twice({});
  for (const Post& post : month.posts) {
    EXPECT_EQ(once.apply(post), Applied::kCounted);
    twice.apply(post);
  }
  for (Post post : month.posts) {
    post.time += minutes(1);
    post.offset += 100'000;
    ASSERT_EQ(twice.apply(post), Applied::kRepeat);
  }
  const WallTime now = month.posts.back().time + minutes(5);
  const Ranking expected = once.top(300, Order::kPopularity, now);
  const Ranking actual = twice.top(300, Order::kPopularity, now);
  ASSERT_EQ(names(actual), names(expected));
  for (std::size_t i = 0; i < expected.items.size(); ++i) {
    ASSERT_EQ(actual.items[i].popularity, expected.items[i].popularity);
    ASSERT_EQ(actual.items[i].posts, expected.items[i].posts);
    ASSERT_EQ(actual.items[i].followers, expected.items[i].followers);
  }
}

TEST(Profiles, TheLatestFollowersWinByTimeThenOffset) {
  Profiles profiles({});
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
  Profiles profiles({});
  EXPECT_EQ(profiles.apply(post(1, "User Info Error", std::nullopt, kStart)), Applied::kNoProfile);
  EXPECT_EQ(profiles.apply(post(2, "", 5, kStart)), Applied::kNoProfile);
  EXPECT_EQ(profiles.apply(post(3, std::string(kMaxNameBytes + 1, 'x'), 5, kStart)), Applied::kLongName);
  EXPECT_EQ(profiles.size(), 0u);
  // Nobody's post does not hide the same post once it has a name.
  EXPECT_EQ(profiles.apply(post(1, "a", 5, kStart)), Applied::kCounted);
}

TEST(Profiles, EqualProfilesStandInOrderOfName) {
  Profiles profiles({});
  int ind = 0;
  for (const std::string_view name : {"d", "b", "e", "a", "c"}) profiles.apply(post(++ind, name, 10, kStart));
  for (const Order order : {Order::kPopularity, Order::kActivity, Order::kFollowers}) {
    EXPECT_EQ(names(profiles.top(3, order, kStart)), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(names(profiles.top(100, order, kStart)), (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  }
  EXPECT_EQ(profiles.find("d", kStart).items.at(0).rank, 4u);
}

TEST(Profiles, OrdersByWhatIsAskedFor) {
  Profiles profiles({});
  profiles.apply(post(1, "known", 1'000, kStart - hours(48)));
  for (int i = 2; i < 12; ++i) profiles.apply(post(i, "busy", 10, kStart));
  profiles.apply(post(20, "new", std::nullopt, kStart));
  EXPECT_EQ(names(profiles.top(9, Order::kFollowers, kStart)), (std::vector<std::string>{"known", "busy", "new"}));
  EXPECT_EQ(names(profiles.top(9, Order::kActivity, kStart)), (std::vector<std::string>{"busy", "new", "known"}));
  EXPECT_EQ(profiles.top(9, Order::kFollowers, kStart).items[2].followers, std::nullopt);
}

TEST(Profiles, LetTheLeastActiveGoWhenThereAreTooMany) {
  Profiles profiles({.max_profiles = 160});
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
  const Ranking all = profiles.top(1000, Order::kActivity, kStart);
  EXPECT_EQ(all.items.size(), 151u);
  EXPECT_EQ(all.items[0].name, "newcomer");
}

TEST(Profiles, NeverHoldMoreThanTheirBound) {
  Profiles profiles({.max_profiles = 100, .max_seen_pages = 4});
  for (int i = 0; i < 5'000; ++i) {
    profiles.apply(post(i * 600, fmt::format("p{}", i), i, kStart + minutes(i)));
    ASSERT_LE(profiles.size(), 100u);
    ASSERT_LE(profiles.seen().pages(), 4u);
  }
  EXPECT_EQ(profiles.size() + profiles.evicted(), 5'000u);
}

TEST(Profiles, TakeAnyTimeAndIdWithoutHarm) {
  Profiles profiles({});
  const WallTime never{milliseconds(INT64_MIN)};
  const WallTime always{milliseconds(INT64_MAX)};
  profiles.apply(post(INT64_MIN, "a", 1, never));
  profiles.apply(post(INT64_MAX, "a", 2, WallTime(milliseconds(-1))));
  EXPECT_NEAR(profiles.find("a", kStart).items.at(0).activity, 0, 1e-300);
  profiles.apply(post(0, "b", 3, always));
  EXPECT_NEAR(profiles.find("b", always).items.at(0).activity, 1, 1e-12);
  EXPECT_EQ(profiles.find("a", never).items.at(0).followers, 2);
}

TEST(Profiles, AnswersNeverLookBackBehindTheNewestPost) {
  Profiles profiles({});
  profiles.apply(post(1, "a", 1, kStart));
  const Ranking ranking = profiles.top(1, Order::kActivity, kStart - hours(5));
  EXPECT_EQ(ranking.as_of, kStart);
  EXPECT_NEAR(ranking.items.at(0).activity, 1, 1e-12);
}

TEST(Profiles, AreEmptyBeforeTheFirstPost) {
  Profiles profiles({});
  EXPECT_TRUE(profiles.top(10, Order::kPopularity, kStart).items.empty());
  EXPECT_TRUE(profiles.find("a", kStart).items.empty());
}

}  // namespace
}  // namespace pinflow::live
