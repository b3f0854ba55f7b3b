#include "live/live_metrics.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"
#include "live/checkpoint.h"
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
const std::string kGeoTopic = "streaming-pinterest-geo";
const std::string kUserTopic = "streaming-pinterest-user";
const disk::Path kFolder = "/data/state/live";

std::string pin(std::int64_t ind, std::string_view poster, std::string_view followers) {
  return fmt::format(R"({{"index": {}, "poster_name": "{}", "follower_count": "{}", "title": "t"}})", ind, poster,
                     followers);
}

std::string geo(std::int64_t ind, std::string_view country) {
  return fmt::format(R"({{"ind": {}, "timestamp": "2022-10-19 17:54:26", "country": "{}"}})", ind, country);
}

std::string user(std::int64_t ind, int age) {
  return fmt::format(R"({{"ind": {}, "first_name": "Ada", "last_name": "L", "age": {}}})", ind, age);
}

std::vector<ProfileView> profiles(const Answer& answer) {
  return std::get<ProfilesAnswer>(answer.body).items;
}

struct LiveMetricsTest : testing::Test {
  LiveMetricsTest() { log.most_fetched = 100; }
  LiveOptions options() {
    return {.topics = {kTopic}, .max_wait = seconds(30), .least_retry = milliseconds(1), .most_retry = milliseconds(2)};
  }
  // With checkpoints, which are written at the stop and whenever there is news.
  LiveOptions saving_options() {
    LiveOptions options = this->options();
    options.topics = {kTopic, kGeoTopic, kUserTopic};
    options.checkpoint = {.folder = kFolder, .interval = milliseconds(0), .records = 1};
    return options;
  }
  std::unique_ptr<LiveMetrics> start(const LiveOptions& options) {
    return std::make_unique<LiveMetrics>(options, log, disk, clock, logger);
  }
  std::unique_ptr<LiveMetrics> start() { return start(options()); }
  ProfileView profile(LiveMetrics& metrics, std::string name) {
    return std::get<ProfileAnswer>(metrics.answer(ProfileQuery{std::move(name)}).body).profile.value();
  }
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
  disk::MemoryDisk disk;
  ManualClock clock;
  NullLogger logger;
};

TEST_F(LiveMetricsTest, ShowsAPostThatWasThereBeforeAndOneThatComesLater) {
  Offset end = post({pin(1, "Ada", "12k")});
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  Answer answer = metrics->answer(ProfilesQuery{});
  ASSERT_EQ(profiles(answer).size(), 1u);
  EXPECT_EQ(profiles(answer)[0].followers, 12'000);
  ASSERT_EQ(answer.head.positions.size(), 1u);
  EXPECT_EQ(answer.head.positions[0].next, end);
  EXPECT_EQ(answer.head.positions[0].lag(), 0);

  end = post({pin(2, "Bob", "2M"), pin(3, "Ada", "13k")});
  ASSERT_TRUE(reaches(*metrics, end));
  answer = metrics->answer(ProfilesQuery{});
  ASSERT_EQ(profiles(answer).size(), 2u);
  EXPECT_EQ(profiles(answer)[0].name, "Bob");
  EXPECT_EQ(profiles(answer)[1].followers, 13'000);
  EXPECT_EQ(profiles(answer)[1].posts, 2u);
  EXPECT_EQ(profile(*metrics, "Ada").rank, 2u);
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
  EXPECT_NEAR(profile(*metrics, "Ada").activity, 2, 1e-12);
  clock.advance(hours(6));
  EXPECT_NEAR(profile(*metrics, "Ada").activity, 1, 1e-12);
}

TEST_F(LiveMetricsTest, AReplayEqualsTheUninterruptedRunBitForBit) {
  const auto uninterrupted = start();
  const Offset end = post_many();
  ASSERT_TRUE(reaches(*uninterrupted, end));
  const auto replayed = start();
  ASSERT_TRUE(reaches(*replayed, end));
  const Answer expected = uninterrupted->answer(ProfilesQuery{.k = 1000});
  const Answer actual = replayed->answer(ProfilesQuery{.k = 1000});
  ASSERT_EQ(profiles(expected).size(), 40u);
  ASSERT_EQ(profiles(actual).size(), 40u);
  EXPECT_EQ(actual.head.activity_median, expected.head.activity_median);
  EXPECT_EQ(actual.head.velocity_median, expected.head.velocity_median);
  for (std::size_t i = 0; i < 40; ++i) {
    const ProfileView a = profiles(actual)[i];
    const ProfileView b = profiles(expected)[i];
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
  EXPECT_EQ(status.posts, 4u);
  EXPECT_EQ(status.repeats, 1u);
  EXPECT_EQ(status.without_profile, 2u);
  EXPECT_EQ(status.unreadable, 3u);
  EXPECT_EQ(status.profiles, 2u);
  EXPECT_EQ(profile(*metrics, "Bob").followers, std::nullopt);
}

TEST_F(LiveMetricsTest, ReadsEveryPartitionAlsoThoseThatComeLater) {
  const Offset first = post({pin(1, "Ada", "1k")}, 1);
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, first, 1));
  const Offset second = post({pin(2, "Ada", "1k")}, 2);
  // A new partition is looked for after each fetch.
  post({pin(3, "Ada", "1k")}, 0);
  ASSERT_TRUE(reaches(*metrics, second, 2));
  EXPECT_EQ(metrics->answer(ProfilesQuery{}).head.positions.size(), 3u);
  EXPECT_EQ(metrics->status().posts, 3u);
}

TEST_F(LiveMetricsTest, ATimeInTheFutureCountsAsNow) {
  const Offset end = log.append(kTopic, 0, {pin(1, "Ada", "1k")}, clock.now() + hours(24 * 365));
  const auto metrics = start();
  ASSERT_TRUE(reaches(*metrics, end));
  const Answer answer = metrics->answer(ProfilesQuery{});
  EXPECT_EQ(answer.head.as_of, clock.now());
  EXPECT_EQ(profiles(answer).at(0).last_post, clock.now());
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
  LiveMetrics metrics(options(), log, disk, real, logger);
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
  EXPECT_EQ(profile(*metrics, "Bob").posts, 3u);
}

TEST_F(LiveMetricsTest, WaitsForATopicThatWasDeleted) {
  SystemClock real;
  LiveMetrics metrics(options(), log, disk, real, logger);
  ASSERT_TRUE(reaches(metrics, post({pin(1, "Ada", "1k"), pin(2, "Ada", "1k")})));
  ASSERT_TRUE(log.delete_topic(kTopic));
  log.await_fetches(1);
  post({pin(3, "Bob", "1k")});
  post({pin(4, "Bob", "1k"), pin(5, "Bob", "1k")});
  ASSERT_TRUE(reaches(metrics, Offset(3)));
  EXPECT_EQ(profile(metrics, "Bob").posts, 3u);
}

TEST_F(LiveMetricsTest, StopsWhileItWaitsAndStillAnswers) {
  const auto metrics = start();
  const Offset end = post({pin(1, "Ada", "1k")});
  ASSERT_TRUE(reaches(*metrics, end));
  metrics->stop();
  metrics->stop();
  EXPECT_EQ(profiles(metrics->answer(ProfilesQuery{})).size(), 1u);
  post({pin(2, "Bob", "1k")});
  EXPECT_FALSE(reaches(*metrics, end + 1));
}

TEST_F(LiveMetricsTest, ReadsAllThreeKindsAndJoinsThem) {
  const Offset pins = post({pin(1, "Ada", "12k")});
  const Offset geos = log.append(kGeoTopic, 0, {geo(1, "Albania")}, clock.now());
  const Offset users = log.append(kUserTopic, 0, {user(1, 21)}, clock.now());
  const auto metrics = start(saving_options());
  ASSERT_TRUE(metrics->wait_until({kTopic, PartitionId(0)}, pins, kLong));
  ASSERT_TRUE(metrics->wait_until({kGeoTopic, PartitionId(0)}, geos, kLong));
  ASSERT_TRUE(metrics->wait_until({kUserTopic, PartitionId(0)}, users, kLong));
  EXPECT_EQ(profile(*metrics, "Ada").country, "Albania");
  EXPECT_EQ(profile(*metrics, "Ada").age_group, "18-24");
  EXPECT_EQ(metrics->status().joined, 1u);
}

TEST_F(LiveMetricsTest, ReadsABacklogOfAllKindsInStepSoThatLittleWaitsToBeJoined) {
  std::array<Offset, 3> geos;
  Offset pins;
  for (int i = 0; i < 3'000; ++i) {
    clock.advance(milliseconds(1));
    pins = post({pin(i, "Ada", "12k")});
    // Three times as fast, if they were read as fast as they can be.
    geos[i % 3] = log.append(kGeoTopic, i % 3, {geo(i, "Albania")}, clock.now());
    log.append(kUserTopic, i % 3, {user(i, 21)}, clock.now());
  }
  LiveOptions options = saving_options();
  options.state.max_pending = 1'000;
  const auto metrics = start(options);
  ASSERT_TRUE(reaches(*metrics, pins));
  for (std::int32_t p = 0; p < 3; ++p) {
    ASSERT_TRUE(metrics->wait_until({kGeoTopic, PartitionId(p)}, geos[p], kLong));
    ASSERT_TRUE(metrics->wait_until({kUserTopic, PartitionId(p)}, geos[p], kLong));
  }
  EXPECT_EQ(metrics->status().evicted_pending, 0u);
  EXPECT_EQ(metrics->status().joined, 3'000u);
}

TEST_F(LiveMetricsTest, GoesOnFromItsCheckpoint) {
  const Offset end = post_many();
  auto metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  metrics->stop();
  EXPECT_GT(metrics->status().checkpoint.written, 0u);
  const Answer expected = metrics->answer(ProfilesQuery{.k = 1000});
  // What was read is not needed again.
  log.drop_below(kTopic, 0, end);
  metrics = start(saving_options());
  const Answer actual = metrics->answer(ProfilesQuery{.k = 1000});
  ASSERT_EQ(profiles(actual).size(), 40u);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(profiles(actual)[i].name, profiles(expected)[i].name);
    EXPECT_EQ(profiles(actual)[i].popularity, profiles(expected)[i].popularity);
  }
  const Offset more = post({pin(5'000, "Ada", "1M")});
  ASSERT_TRUE(reaches(*metrics, more));
  EXPECT_EQ(metrics->status().posts, 1'001u);
}

TEST_F(LiveMetricsTest, TheCheckpointOfARunInPiecesIsThatOfOneRun) {
  LiveOptions other = saving_options();
  other.checkpoint->folder = "/other";
  for (int piece = 0; piece < 4; ++piece) {
    const Offset end = post_many();
    const auto metrics = start(saving_options());
    ASSERT_TRUE(reaches(*metrics, end));
  }
  const Offset end = log.offsets({kTopic, PartitionId(0)})->end;
  auto whole = start(other);
  ASSERT_TRUE(reaches(*whole, end));
  whole.reset();
  EXPECT_EQ(read_checkpoint(disk, kFolder).value(), read_checkpoint(disk, "/other").value());
}

TEST_F(LiveMetricsTest, ReadsFromTheBeginningWhenTheCheckpointIsDamaged) {
  const Offset end = post_many();
  auto metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  metrics.reset();
  disk.flip_byte(kFolder / kCheckpointName, 100);
  metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  EXPECT_EQ(metrics->status().posts, 1'000u);
  metrics.reset();
  // Whole, but of another shape.
  ASSERT_TRUE(write_checkpoint(disk, kFolder, "nonsense"));
  metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  EXPECT_EQ(metrics->status().posts, 1'000u);
}

TEST_F(LiveMetricsTest, GoesOnWhenACheckpointCannotBeWritten) {
  disk.set_capacity(ByteCount(10));
  const Offset end = post_many();
  auto metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  metrics->stop();
  EXPECT_TRUE(metrics->status().checkpoint.error.has_value());
  EXPECT_EQ(metrics->status().posts, 1'000u);
}

TEST_F(LiveMetricsTest, ReadsATopicThatWasMadeAgainWhileItWasAway) {
  Offset end = post({pin(1, "Ada", "1k"), pin(2, "Ada", "1k")});
  auto metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, end));
  metrics.reset();
  log.replace(kTopic, {pin(2, "Ada", "1k"), pin(3, "Bob", "1k"), pin(4, "Bob", "1k")});
  metrics = start(saving_options());
  ASSERT_TRUE(reaches(*metrics, Offset(3)));
  // What the old one brought stays; a post that is in both counts once.
  EXPECT_EQ(metrics->status().posts, 4u);
  EXPECT_EQ(metrics->status().repeats, 1u);
}

TEST_F(LiveMetricsTest, TheWatermarkWaitsForTheSlowestPartitionThatIsNotIdle) {
  const auto metrics = start();
  const WallTime begin = clock.now();
  Offset slow = post({pin(1, "Ada", "1k")}, 1);
  ASSERT_TRUE(reaches(*metrics, slow, 1));
  clock.advance(seconds(30));
  const Offset fast = post({pin(2, "Ada", "1k")}, 0);
  ASSERT_TRUE(reaches(*metrics, fast, 0));
  Head head = metrics->answer(ProfilesQuery{}).head;
  EXPECT_EQ(head.watermark, begin - seconds(60));
  ASSERT_EQ(head.positions.size(), 2u);
  EXPECT_EQ(head.positions[0].watermark, begin - seconds(30));
  clock.advance(seconds(30));
  head = metrics->answer(ProfilesQuery{}).head;
  EXPECT_TRUE(head.positions[1].idle);
  EXPECT_EQ(head.watermark, begin - seconds(30));
  clock.advance(seconds(30));
  EXPECT_EQ(metrics->answer(ProfilesQuery{}).head.watermark, std::nullopt);
}

TEST_F(LiveMetricsTest, ItsVersionRisesWithWhatIsRead) {
  const auto metrics = start();
  const std::uint64_t before = metrics->version();
  ASSERT_TRUE(reaches(*metrics, post({pin(1, "Ada", "1k")})));
  EXPECT_GT(metrics->version(), before);
}

}  // namespace
}  // namespace pinflow::live
