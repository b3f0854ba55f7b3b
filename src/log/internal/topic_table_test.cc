#include "log/internal/topic_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"
#include "log/internal/topic_manifest.h"

namespace pinflow::log {
namespace {

using testing::HasSubstr;

class TopicTableTest : public testing::Test {
 protected:
  TopicTableTest() { EXPECT_TRUE(disk_.create_folders("/topics")); }

  // Opens the table anew, as a start does.
  TopicTable& reopen() {
    TopicDefaults defaults;
    defaults.segment_bytes = 1 << 20;
    table_ = std::make_unique<TopicTable>(TopicTable::Options{disk_, logger_, clock_, "/topics", defaults});
    report_ = {};
    const auto loaded = table_->load(false, report_);
    EXPECT_TRUE(loaded) << loaded.error().message;
    EXPECT_TRUE(report_.damage.empty()) << report_.damage.front();
    return *table_;
  }
  Topic topic(const std::string& name) {
    const auto found = table_->find(name);
    return found ? (*found)->topic : Topic{};
  }
  disk::Path folder() { return (*table_->find("a"))->folder; }

  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
  std::unique_ptr<TopicTable> table_;
  RecoveryReport report_;
};

TEST_F(TopicTableTest, ManifestHasTheseBytes) {
  Topic topic;
  topic.name = "a";
  topic.partitions = 3;
  topic.configs = {{"cleanup.policy", "delete"}};
  topic.created = WallTime(std::chrono::milliseconds(1'700'000'000'000));
  EXPECT_EQ(encode_manifest(topic),
            R"({"format":2,"name":"a","id":"00000000-0000-0000-0000-000000000000","partitions":3,)"
            R"("created":1700000000000,"configs":[["cleanup.policy","delete"]],"crc32c":"39598bb7"})"
            "\n");
  const auto read = decode_manifest(encode_manifest(topic));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->created, topic.created);
  EXPECT_EQ(read->configs, topic.configs);
}

TEST_F(TopicTableTest, ManifestsOfTheFirstFormatAreRead) {
  const auto read =
      decode_manifest(R"({"format":1,"name":"a","id":"00000000-0000-0000-0000-000000000000","partitions":3,)"
                      R"("configs":[["cleanup.policy","delete"]],"crc32c":"874d0bb8"})"
                      "\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->partitions, 3);
  EXPECT_EQ(read->created, WallTime());
  EXPECT_EQ(read->configs, (TopicConfigs{{"cleanup.policy", "delete"}}));
}

TEST_F(TopicTableTest, RemembersWhenATopicWasMade) {
  reopen();
  const WallTime made = clock_.now();
  ASSERT_TRUE(table_->create({"a", 1, {}}));
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(topic("a").created, made);
  reopen();
  EXPECT_EQ(topic("a").created, made);
}

TEST_F(TopicTableTest, CreationRefusesSettingsThatTopicsDoNotHave) {
  reopen();
  const auto made = table_->create({"a", 1, {{"retention.m", "1"}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(made.error().message, HasSubstr("retention.ms"));
  EXPECT_TRUE(disk_.list("/topics")->empty());
}

TEST_F(TopicTableTest, AHundredPartitionsCostNoMoreSyncsThanOne) {
  reopen();
  const auto cost = [&](const std::string& name, std::int32_t partitions) {
    const std::uint64_t before = disk_.count(disk::Operation::kSyncFolder) + disk_.count(disk::Operation::kSync);
    EXPECT_TRUE(table_->create({name, partitions, {}}));
    return disk_.count(disk::Operation::kSyncFolder) + disk_.count(disk::Operation::kSync) - before;
  };
  EXPECT_EQ(cost("a", 1), cost("b", 100));
}

TEST_F(TopicTableTest, AddedPartitionsAreThereAtOnceAndAfterAStart) {
  reopen();
  ASSERT_TRUE(table_->create({"a", 2, {{"retention.ms", "5"}}}));
  const OpenTopicPtr before = *table_->find("a");
  const auto grown = table_->add_partitions("a", 5);
  ASSERT_TRUE(grown) << grown.error().message;
  EXPECT_EQ((*grown)->topic.partitions, 5);
  EXPECT_EQ((*grown)->partitions[1], before->partitions[1]);
  EXPECT_EQ(before->partitions.size(), 2u);
  EXPECT_TRUE(table_->find(TopicPartition{"a", PartitionId(4)}));
  const Uuid id = topic("a").id;
  reopen();
  EXPECT_EQ(topic("a").partitions, 5);
  EXPECT_EQ(topic("a").id, id);
  EXPECT_EQ(topic("a").configs, (TopicConfigs{{"retention.ms", "5"}}));
}

TEST_F(TopicTableTest, PartitionsAreNeverTakenAway) {
  reopen();
  ASSERT_TRUE(table_->create({"a", 3, {}}));
  for (const std::int32_t total : {3, 2, 0, -1, 10'001}) {
    const auto refused = table_->add_partitions("a", total);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(table_->add_partitions("b", 3).error().code, ErrorCode::kNotFound);
}

TEST_F(TopicTableTest, NewSettingsReachThoseWhoWorkWithTheTopicAlready) {
  reopen();
  ASSERT_TRUE(table_->create({"a", 1, {{"max.message.bytes", "10"}}}));
  const OpenTopicPtr held = *table_->find("a");
  EXPECT_EQ(held->settings->get()->max_message_bytes, 10);
  EXPECT_EQ(held->settings->get()->segment_bytes, 1 << 20);
  const auto altered = table_->alter("a", {{"cleanup.policy", "compact"}});
  ASSERT_TRUE(altered) << altered.error().message;
  EXPECT_TRUE(held->settings->get()->compact);
  EXPECT_EQ(held->settings->get()->max_message_bytes, TopicDefaults().max_message_bytes);
  reopen();
  EXPECT_EQ(topic("a").configs, (TopicConfigs{{"cleanup.policy", "compact"}}));
  EXPECT_TRUE((*table_->find("a"))->settings->get()->compact);
}

TEST_F(TopicTableTest, WrongSettingsChangeNothing) {
  reopen();
  ASSERT_TRUE(table_->create({"a", 1, {{"retention.ms", "5"}}}));
  EXPECT_EQ(table_->alter("a", {{"retention.ms", "x"}}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(table_->alter("b", {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ((*table_->find("a"))->settings->get()->retention_ms, 5);
}

TEST_F(TopicTableTest, SettingsOfAnOlderProgramAreKeptAndPassedOver) {
  reopen();
  ASSERT_TRUE(table_->create({"a", 1, {}}));
  Topic old = topic("a");
  old.configs = {{"odd \"\n", "\x01\xc3\xa4"}, {"retention.ms", "7"}};
  ASSERT_TRUE(disk_.write_file(folder() / "topic.json", encode_manifest(old)));
  reopen();
  EXPECT_EQ(topic("a").configs, old.configs);
  EXPECT_EQ((*table_->find("a"))->settings->get()->retention_ms, 7);
}

// Each change is cut off at each disk operation: the topic is then as before or as after, whole.
TEST_F(TopicTableTest, ACrashAtAnyMomentLeavesTheOldOrTheNewState) {
  const auto run = [&](std::uint64_t power, bool grow) {
    disk_.clear_faults();
    reopen();
    if (table_->find("a")) EXPECT_TRUE(table_->remove("a"));
    EXPECT_TRUE(table_->create({"a", 2, {{"retention.ms", "5"}}}));
    const std::uint64_t before = disk_.count();
    if (power > 0) disk_.lose_power_at(power);
    const bool done = grow ? table_->add_partitions("a", 4).has_value()
                           : table_->alter("a", {{"retention.ms", "6"}, {"segment.ms", "7"}}).has_value();
    const std::uint64_t operations = disk_.count() - before;
    if (power > 0) {
      Random random(power);
      disk_.crash(random);
    }
    reopen();
    const bool is_new = grow ? topic("a").partitions == 4 : topic("a").configs.size() == 2;
    const bool is_old = topic("a").partitions == 2 && topic("a").configs == TopicConfigs{{"retention.ms", "5"}};
    EXPECT_TRUE(is_new || is_old) << power;
    if (done) EXPECT_TRUE(is_new) << power;
    EXPECT_EQ((*table_->find("a"))->partitions.size(), static_cast<std::size_t>(topic("a").partitions));
    if (is_old) EXPECT_TRUE(table_->add_partitions("a", 3)) << power;
    return operations;
  };
  for (const bool grow : {true, false}) {
    const std::uint64_t operations = run(0, grow);
    EXPECT_GT(operations, 3u);
    for (std::uint64_t power = 1; power <= operations; ++power) run(power, grow);
  }
}

}  // namespace
}  // namespace pinflow::log
