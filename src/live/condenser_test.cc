#include "live/condenser.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"
#include "live/answer_json.h"
#include "live/live_metrics.h"
#include "log/testing/memory_log.h"
#include "log/testing/moved_share.h"

namespace pinflow::live {
namespace {

using log::Offset;
using log::PartitionId;
using log::TopicPartition;
using records::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLong{30};
constexpr std::int32_t kPartitions = 3;  // Of each stream.
const CondensedTopic kTopic{.name = "pinflow-live", .for_each_kind = 2};
const records::Names kNames;
const std::vector<std::string> kStreams = {kNames.stream(Kind::kPin), kNames.stream(Kind::kGeo),
                                           kNames.stream(Kind::kUser)};

// A process that condenses what it is given.
struct Process {
  Process(log::Log& log, const Clock& clock, Logger& logger)
      : condenser({.topic = kTopic,
                   .max_seen_pages = 1'000,
                   .max_wait = milliseconds(1),
                   .least_retry = milliseconds(1),
                   .most_retry = milliseconds(2)},
                  log, share, clock, logger) {}
  log::MovedShare share;
  Condenser condenser;
};

struct CondenserTest : testing::Test {
  CondenserTest() {
    log.most_fetched = 20;
    for (const std::string& stream : kStreams) {
      EXPECT_TRUE(log.create_topic({.name = stream, .partitions = kPartitions, .configs = {}}));
      for (std::int32_t p = 0; p < kPartitions; ++p) all.push_back({stream, PartitionId(p)});
    }
    EXPECT_TRUE(make_condensed(kTopic, log));
    std::ranges::sort(all);
  }

  // Posts with some records that are none, some repeats, some late ones. Each kind of a post by itself, so orders differ.
  void post(int count) {
    for (int i = 0; i < count; ++i) {
      const int ind =
          random.chance(0.1) ? static_cast<int>(random.below(static_cast<std::uint64_t>(next_) + 1)) : next_++;
      const int poster = ind % 17;
      send(0, ind,
           fmt::format(R"({{"index": {}, "poster_name": "p{}", "follower_count": "{}k", "category": "c{}"}})", ind,
                       poster, ind, poster % 4));
      if (!random.chance(0.1)) send(1, ind, fmt::format(R"({{"ind": {}, "country": "land {}"}})", ind, ind % 5));
      if (!random.chance(0.1)) send(2, ind, fmt::format(R"({{"ind": {}, "age": {}}})", ind, ind % 60));
      if (random.chance(0.02)) send(0, ind, "no record");
      clock.advance(milliseconds(random.below(20'000)));
    }
  }

  std::unique_ptr<LiveMetrics> serve(bool condensed) {
    LiveOptions options{
        .topics = kStreams, .max_wait = milliseconds(1), .least_retry = milliseconds(1), .most_retry = milliseconds(2)};
    if (condensed) options.condensed = kTopic;
    return std::make_unique<LiveMetrics>(options, log, disk, clock, logger);
  }
  void await_all(LiveMetrics& metrics) {
    for (const TopicPartition& partition : all)
      ASSERT_TRUE(metrics.wait_until(partition, log.offsets(partition)->end, kLong))
          << partition.topic << " " << partition.partition.value();
  }
  // That both answer the same, to all that depends on order too.
  void expect_as_direct(LiveMetrics& condensed) {
    const auto direct = serve(false);
    await_all(*direct);
    await_all(condensed);
    for (const Query& query : std::vector<Query>{ProfilesQuery{.k = 1000}, ProfileQuery{"p3"}, CategoriesQuery{},
                                                 CountriesQuery{}, AgeGroupsQuery{}, MinutesQuery{}}) {
      const Answer expected = direct->answer(query);
      const Answer actual = condensed.answer(query);
      EXPECT_EQ(item_json(query, actual), item_json(query, expected));
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(actual.head.positions[i].next, expected.head.positions[i].next);
        EXPECT_EQ(actual.head.positions[i].watermark, expected.head.positions[i].watermark);
      }
      EXPECT_EQ(actual.head.late, expected.head.late);
      EXPECT_EQ(actual.head.too_late, expected.head.too_late);
    }
    const LiveStatus ours = condensed.status();
    const LiveStatus theirs = direct->status();
    EXPECT_EQ(ours.posts, theirs.posts);
    EXPECT_EQ(ours.repeats, theirs.repeats);
    EXPECT_EQ(ours.unreadable, theirs.unreadable);
    EXPECT_EQ(ours.joined, theirs.joined);
    EXPECT_EQ(ours.pending, theirs.pending);
  }
  std::unique_ptr<Process> process() { return std::make_unique<Process>(log, clock, logger); }

  log::MemoryLog log;
  disk::MemoryDisk disk;
  ManualClock clock;
  NullLogger logger;
  Random random{5};
  std::vector<TopicPartition> all;

 private:
  void send(std::size_t kind, int ind, std::string value) {
    log.append(kStreams[kind], (ind + static_cast<int>(kind)) % kPartitions, {std::move(value)}, clock.now());
  }
  int next_ = 0;
};

TEST_F(CondenserTest, WhatOneProcessCondensesIsTheSameAsTheStreams) {
  post(300);
  const auto one = process();
  one->share.give(all);
  const auto condensed = serve(true);
  expect_as_direct(*condensed);
  post(50);
  expect_as_direct(*condensed);
  EXPECT_EQ(one->condenser.status().partitions, 9u);
  EXPECT_EQ(one->condenser.status().error, std::nullopt);
}

TEST_F(CondenserTest, TwoProcessesHandPartitionsOverAndOneDies) {
  auto one = process();
  auto two = process();
  const std::vector<TopicPartition> half(all.begin(), all.begin() + 5);
  const std::vector<TopicPartition> rest(all.begin() + 5, all.end());
  one->share.give(half);
  two->share.give(rest);
  const auto condensed = serve(true);
  post(200);
  await_all(*condensed);
  one->share.give(rest);  // Both work on all for a moment.
  two->share.give(all);
  post(100);
  two->share.give(half);
  await_all(*condensed);
  one.reset();
  post(100);
  two->share.give(all);
  post(20);
  expect_as_direct(*condensed);
  expect_as_direct(*serve(true));
}

TEST_F(CondenserTest, NothingIsPassedOverWhereStoringFails) {
  post(100);
  for (int i = 0; i < 200; ++i) {
    log.next_outcomes.push_back(random.chance(0.3) ? std::optional(Error{ErrorCode::kUnavailable, "no leader"})
                                                   : std::nullopt);
  }
  const auto one = process();
  one->share.give(all);
  expect_as_direct(*serve(true));
}

TEST_F(CondenserTest, GoesOnAfterFetchesFailed) {
  log.fail_fetches(Error{ErrorCode::kUnavailable, "broker away"});
  const auto one = process();
  one->share.give(all);
  log.await_fetches(3);
  EXPECT_EQ(one->condenser.status().error, "broker away");
  log.fail_fetches(std::nullopt);
  post(30);
  expect_as_direct(*serve(true));
}

TEST_F(CondenserTest, WritesTheTopicAnewWhereItWasRemoved) {
  post(100);
  auto one = process();
  one->share.give(all);
  const auto condensed = serve(true);
  await_all(*condensed);
  one.reset();  // While one runs, its last marks may come into the new topic.
  ASSERT_TRUE(log.delete_topic(kTopic.name));
  ASSERT_TRUE(make_condensed(kTopic, log));
  post(20);
  one = process();
  one->share.give(all);
  expect_as_direct(*serve(true));
  expect_as_direct(*condensed);
}

TEST_F(CondenserTest, StopsWhileStoringFails) {
  post(10);
  log.next_outcomes.assign(1'000, Error{ErrorCode::kUnavailable, "no leader"});
  const auto one = process();
  one->share.give(all);
  log.await_fetches(2);
}

TEST_F(CondenserTest, TellsWhichPartitionsNobodyCondenses) {
  post(5);
  const auto condensed = serve(true);
  clock.advance(seconds(31));
  const Answer answer = condensed->answer(ProfilesQuery{});
  for (const PartitionProgress& partition : answer.head.positions) {
    ASSERT_TRUE(partition.error);
    EXPECT_NE(partition.error->message.find("pinflow stream"), std::string::npos) << partition.error->message;
  }
}

TEST(CondensedTopicTest, IsRefusedWhereItWouldLoseOrPartPosts) {
  log::MemoryLog log;
  ASSERT_TRUE(log.create_topic({.name = "pinflow-live", .partitions = 6, .configs = {}}));
  const auto deleting = make_condensed(kTopic, log);
  ASSERT_FALSE(deleting);
  EXPECT_NE(deleting.error().message.find("cleanup.policy=compact"), std::string::npos) << deleting.error().message;
  ASSERT_TRUE(log.alter_topic("pinflow-live", {{"cleanup.policy", "compact,delete"}}));
  EXPECT_TRUE(make_condensed(kTopic, log));
  const auto other = make_condensed({.name = "pinflow-live", .for_each_kind = 3}, log);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("needs 9"), std::string::npos) << other.error().message;
}

}  // namespace
}  // namespace pinflow::live
