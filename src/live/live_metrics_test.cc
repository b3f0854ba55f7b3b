#include "live/live_metrics.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/testing/memory_log.h"

namespace pinflow::live {
namespace {

using log::Offset;
using log::PartitionId;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLong{30};
const std::string kTopic = "streaming-pinterest-pin";

std::string pin(std::int64_t ind, std::string_view poster, std::string_view followers) {
  return fmt::format(R"({{"index": {}, "poster_name": "{}", "follower_count": "{}", "title": "t"}})", ind, poster,
                     followers);
}

struct LiveMetricsTest : testing::Test {
  LiveMetricsTest() { log.most_fetched = 100; }
  LiveOptions options() {
    return {.topics = {kTopic}, .max_wait = seconds(30), .least_retry = milliseconds(1), .most_retry = milliseconds(2)};
  }
  std::unique_ptr<LiveMetrics> start() { return std::make_unique<LiveMetrics>(options(), log, clock, logger); }
  Offset post(std::vector<std::optional<std::string>> values, std::int32_t partition = 0) {
    return log.append(kTopic, partition, std::move(values), clock.now());
  }
  bool reaches(LiveMetrics& metrics, Offset end, std::int32_t partition = 0) {
    return metrics.wait_until({kTopic, PartitionId(partition)}, end, kLong);
  }
  // A thousand posts of some profiles, one an hour and a bit.
  Offset post_many() {
    Random random(3);
    Offset end;
    for (int i = 0; i < 1'000; ++i) {
      end = post({pin(i, fmt::format("p{}", random.below(40)), fmt::format("{}k", random.below(900)))});
      clock.advance(milliseconds(random.below(5'000'000)));
    }
    return end;
  }

  log::MemoryLog log;
  ManualClock clock;
  NullLogger logger;
};

TEST_F(LiveMetricsTest, ShowsAPostThatWasThereBeforeAndOneThatComesLater) {
  Offset end = post({pin(1, "Ada", "12k")});
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  Answer answer = metrics->answer({});
  ASSERT_EQ(answer.ranking.items.size(), 1u);
  EXPECT_EQ(answer.ranking.items[0].followers, 12'000);
  ASSERT_EQ(answer.positions.size(), 1u);
  EXPECT_EQ(answer.positions[0].next, end);
  EXPECT_EQ(answer.positions[0].lag(), 0);

  end = post({pin(2, "Bob", "2M"), pin(3, "Ada", "13k")});
  ASSERT_TRUE(reaches(*metrics, end));
  answer = metrics->answer({});
  ASSERT_EQ(answer.ranking.items.size(), 2u);
  EXPECT_EQ(answer.ranking.items[0].name, "Bob");
  EXPECT_EQ(answer.ranking.items[1].followers, 13'000);
  EXPECT_EQ(answer.ranking.items[1].posts, 2u);
  EXPECT_EQ(metrics->answer({.name = "Ada"}).ranking.items.at(0).rank, 2u);
}

TEST_F(LiveMetricsTest, TellsHowFarItCameAsAConsumerGroup) {
  const Offset end = post({pin(1, "Ada", "12k"), pin(2, "Ada", "12k")});
  auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  metrics.reset();
  const auto positions = log.committed_offsets("pinflow-live").value();
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions[0].offset, end);
}

TEST_F(LiveMetricsTest, WaitsForATopicThatIsNotThereYet) {
  const auto metrics = start();
  EXPECT_FALSE(metrics->wait_until({kTopic, PartitionId(0)}, Offset(1), milliseconds(1)));
  ASSERT_TRUE(reaches(*metrics, post({pin(1, "Ada", "12k")})));
  EXPECT_EQ(metrics->status().posts, 1u);
}

TEST_F(LiveMetricsTest, ActivityHalvesAfterSixHours) {
  const Offset end = post({pin(1, "Ada", "12k"), pin(2, "Ada", "12k")});
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  EXPECT_NEAR(metrics->answer({.name = "Ada"}).ranking.items.at(0).activity, 2, 1e-12);
  clock.advance(hours(6));
  EXPECT_NEAR(metrics->answer({.name = "Ada"}).ranking.items.at(0).activity, 1, 1e-12);
}

TEST_F(LiveMetricsTest, AReplayEqualsTheUninterruptedRunBitForBit) {
  const auto uninterrupted = start();
  const Offset end = post_many();
  ASSERT_TRUE(reaches(*uninterrupted, end));
  const auto replayed = start();
  ASSERT_TRUE(reaches(*replayed, end));
  const Query query{.k = 1000};
  const Answer expected = uninterrupted->answer(query);
  const Answer actual = replayed->answer(query);
  ASSERT_EQ(expected.ranking.items.size(), 40u);
  ASSERT_EQ(actual.ranking.items.size(), expected.ranking.items.size());
  EXPECT_EQ(actual.ranking.activity_median, expected.ranking.activity_median);
  EXPECT_EQ(actual.ranking.velocity_median, expected.ranking.velocity_median);
  for (std::size_t i = 0; i < expected.ranking.items.size(); ++i) {
    const ProfileView& a = actual.ranking.items[i];
    const ProfileView& b = expected.ranking.items[i];
    EXPECT_EQ(std::tie(a.name, a.popularity, a.followers, a.posts, a.activity, a.velocity, a.last_post),
              std::tie(b.name, b.popularity, b.followers, b.posts, b.activity, b.velocity, b.last_post));
  }
}

TEST_F(LiveMetricsTest, CountsRepeatsNobodysPostsAndUnreadableRecordsAndGoesOn) {
  const Offset end = post({pin(1, "Ada", "12k"), pin(1, "Ada", "12k"), pin(2, "User Info Error", "User Info Error"),
                           R"({"index": 3, "poster_name": null})", "no json", std::nullopt, R"({"poster_name": "Ada"})",
                           pin(4, "Bob", "User Info Error")});
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  const LiveStatus status = metrics->status();
  EXPECT_EQ(status.posts, 2u);
  EXPECT_EQ(status.repeats, 1u);
  EXPECT_EQ(status.without_profile, 2u);
  EXPECT_EQ(status.unreadable, 3u);
  EXPECT_EQ(status.profiles, 2u);
  EXPECT_EQ(metrics->answer({.name = "Bob"}).ranking.items.at(0).followers, std::nullopt);
}

TEST_F(LiveMetricsTest, ReadsEveryPartitionAlsoThoseThatComeLater) {
  const Offset first = post({pin(1, "Ada", "1k")}, 1);
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, first, 1));
  const Offset second = post({pin(2, "Ada", "1k")}, 2);
  // A new partition is looked for after each fetch.
  post({pin(3, "Ada", "1k")}, 0);
  ASSERT_TRUE(reaches(*metrics, second, 2));
  EXPECT_EQ(metrics->answer({}).positions.size(), 3u);
  EXPECT_EQ(metrics->status().posts, 3u);
}

TEST_F(LiveMetricsTest, ATimeInTheFutureCountsAsNow) {
  const Offset end = log.append(kTopic, 0, {pin(1, "Ada", "1k")}, clock.now() + hours(24 * 365));
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  const Ranking ranking = metrics->answer({}).ranking;
  EXPECT_EQ(ranking.as_of, clock.now());
  EXPECT_EQ(ranking.items.at(0).last_post, clock.now());
}

TEST_F(LiveMetricsTest, GoesOnWhenTheLogCanBeReadAgain) {
  log.fail_fetches(Error{ErrorCode::kUnavailable, "the disk sulks"});
  const Offset end = post({pin(1, "Ada", "1k")});
  const auto metrics = start();
  log.await_fetches(1);
  log.fail_fetches(std::nullopt);
  ASSERT_TRUE(reaches(*metrics, end));
}

TEST_F(LiveMetricsTest, SaysWhyAPartitionIsNotReadAndTriesAgain) {
  SystemClock real;
  const Offset end = post({pin(1, "Ada", "1k")});
  log.damage_partition(kTopic, 0, Error{ErrorCode::kCorrupt, "segment 3 is damaged"});
  LiveMetrics metrics(options(), log, real, logger);
  log.await_fetches(2);
  const LiveStatus status = metrics.status();
  ASSERT_EQ(status.partitions.size(), 1u);
  ASSERT_TRUE(status.partitions[0].error);
  EXPECT_EQ(status.partitions[0].error->message, "segment 3 is damaged");
  log.damage_partition(kTopic, 0, std::nullopt);
  ASSERT_TRUE(reaches(metrics, end));
  EXPECT_FALSE(metrics.status().partitions[0].error);
}

TEST_F(LiveMetricsTest, SkipsRecordsThatRetentionRemoved) {
  post({pin(1, "Ada", "1k"), pin(2, "Bob", "1k")});
  const Offset end = post({pin(3, "Cid", "1k")});
  log.drop_below(kTopic, 0, Offset(2));
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  EXPECT_EQ(metrics->status().posts, 1u);
}

TEST_F(LiveMetricsTest, ReadsATopicThatWasMadeAgainFromItsBeginning) {
  const Offset end = post({pin(1, "Ada", "1k"), pin(2, "Ada", "1k")});
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  // The fetch that waits at offset 2 is answered with the third record of the new topic.
  log.await_waiting();
  log.replace(kTopic, {pin(3, "Bob", "1k"), pin(4, "Bob", "1k"), pin(5, "Bob", "1k")});
  ASSERT_TRUE(reaches(*metrics, Offset(3)));
  EXPECT_EQ(metrics->answer({.name = "Bob"}).ranking.items.at(0).posts, 3u);
}

TEST_F(LiveMetricsTest, WaitsForATopicThatWasDeleted) {
  SystemClock real;
  LiveMetrics metrics(options(), log, real, logger);
  ASSERT_TRUE(reaches(metrics, post({pin(1, "Ada", "1k"), pin(2, "Ada", "1k")})));
  ASSERT_TRUE(log.delete_topic(kTopic));
  log.await_fetches(1);
  post({pin(3, "Bob", "1k")});
  post({pin(4, "Bob", "1k"), pin(5, "Bob", "1k")});
  ASSERT_TRUE(reaches(metrics, Offset(3)));
  EXPECT_EQ(metrics.answer({.name = "Bob"}).ranking.items.at(0).posts, 3u);
}

TEST_F(LiveMetricsTest, StopsWhileItWaitsAndStillAnswers) {
  const auto metrics = start();
  const Offset end = post({pin(1, "Ada", "1k")});
  ASSERT_TRUE(reaches(*metrics, end));
  metrics->stop();
  metrics->stop();
  EXPECT_EQ(metrics->answer({}).ranking.items.size(), 1u);
  post({pin(2, "Bob", "1k")});
  EXPECT_FALSE(reaches(*metrics, end + 1));
}

}  // namespace
}  // namespace pinflow::live
