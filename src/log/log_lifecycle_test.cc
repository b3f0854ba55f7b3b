#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

// What becomes of records with time: retention, deletion, compaction, changes of their topic.
class LogLifecycle : public LogFixture {
 protected:
  void create_with(const std::string& topic, TopicConfigs configs, std::int32_t partitions = 1) {
    configs.emplace_back("segment.bytes", "1024");
    const auto made = log_->create_topic({topic, partitions, std::move(configs)});
    ASSERT_TRUE(made) << made.error().message;
  }
  // Ten records that fill about one segment.
  void write_ten(const std::string& topic) {
    for (int i = 0; i < 10; ++i) ASSERT_GE(write(topic, std::string(60, 'x')), 0) << last_error_.message;
  }
  std::int64_t begin(const std::string& topic) { return log_->offsets({topic, PartitionId(0)})->begin.value(); }
  std::int64_t end(const std::string& topic) { return log_->offsets({topic, PartitionId(0)})->end.value(); }
  std::size_t segment_files(const std::string& topic) {
    std::size_t count = 0;
    for (const disk::Entry& entry : disk_.list(partition_folder(topic)).value())
      if (entry.name.ends_with(".log")) ++count;
    return count;
  }
  void put(const std::string& topic, std::string key, std::optional<std::string> value) {
    const auto results = produce(topic, {{std::move(key), std::move(value), {}, std::nullopt}});
    ASSERT_TRUE(results[0]) << results[0].error().message;
  }
  std::map<std::string, std::string> table(const std::string& topic) {
    std::map<std::string, std::string> rows;
    for (const StoredRecord& record : read_all(topic))
      record.value ? void(rows[*record.key] = *record.value) : void(rows.erase(*record.key));
    return rows;
  }
};

TEST_F(LogLifecycle, OldSegmentsGoByTime) {
  reopen();
  create_with("a", {{"retention.ms", "3600000"}});
  write_ten("a");
  clock_.advance(hours(2));
  write_ten("a");
  log_->clean_now();
  EXPECT_GT(begin("a"), 0);
  EXPECT_LE(begin("a"), 10);
  EXPECT_EQ(end("a"), 20);
  EXPECT_EQ(read_all("a").size(), static_cast<std::size_t>(20 - begin("a")));
  EXPECT_EQ(fetch_at("a", Offset(0)).error->code, ErrorCode::kInvalid);
  clock_.advance(hours(2));
  log_->clean_now();
  EXPECT_EQ(begin("a"), 20);
  EXPECT_EQ(segment_files("a"), 1u);
  EXPECT_EQ(write("a", "goes on"), 20);
  reopen();
  EXPECT_EQ(begin("a"), 20);
  EXPECT_EQ(end("a"), 21);
}

TEST_F(LogLifecycle, OldSegmentsGoBySize) {
  reopen();
  create_with("a", {{"retention.bytes", "2500"}});
  create_with("all", {});
  for (int i = 0; i < 5; ++i) {
    write_ten("a");
    write_ten("all");
  }
  log_->clean_now();
  std::uint64_t bytes = 0;
  for (const disk::Path& path : segments("a"))
    if (path.extension() == ".log") bytes += size_of(path);
  EXPECT_GE(bytes, 2500u);
  EXPECT_LT(bytes, 4000u);
  EXPECT_EQ(begin("all"), 0);
}

TEST_F(LogLifecycle, TheLogsOwnLimitsHoldForTopicsWithoutAny) {
  options_.topic_defaults.retention_ms = 1000;
  reopen();
  create_with("a", {});
  create_with("b", {{"retention.ms", "-1"}});
  write_ten("a");
  write_ten("b");
  clock_.advance(milliseconds(2000));
  log_->clean_now();
  EXPECT_EQ(begin("a"), 10);
  EXPECT_EQ(begin("b"), 0);
}

TEST_F(LogLifecycle, ARecordFromTheFutureDoesNotStayForEver) {
  reopen();
  create_with("a", {{"retention.ms", "1000"}, {"message.timestamp.after.max.ms", "9223372036854775807"}});
  Record future = text("x");
  future.timestamp = clock_.now() + hours(24 * 365);
  ASSERT_TRUE(produce("a", {future})[0]);
  clock_.advance(milliseconds(500));
  log_->clean_now();
  EXPECT_EQ(begin("a"), 0);
  // Closed by age, after which its arrival is known to be past.
  ASSERT_TRUE(log_->alter_topic("a", {{"retention.ms", "1000"}, {"segment.ms", "1"}}));
  log_->clean_now();
  clock_.advance(milliseconds(1500));
  log_->clean_now();
  EXPECT_EQ(begin("a"), 1);
}

TEST_F(LogLifecycle, SegmentsAreClosedByAgeThoughNothingArrives) {
  reopen();
  create_with("a", {{"segment.ms", "1000"}});
  write("a", "x");
  log_->clean_now();
  EXPECT_EQ(segment_files("a"), 1u);
  clock_.advance(milliseconds(1000));
  log_->clean_now();
  EXPECT_EQ(segment_files("a"), 2u);
  clock_.advance(milliseconds(1000));
  log_->clean_now();
  EXPECT_EQ(segment_files("a"), 2u);
  EXPECT_EQ(write("a", "y"), 1);
}

TEST_F(LogLifecycle, RecordsAreDeletedUpToAnOffset) {
  reopen();
  create_with("a", {});
  write_ten("a");
  write_ten("a");
  EXPECT_EQ(log_->delete_records({"a", PartitionId(0)}, Offset(7)), Offset(7));
  EXPECT_EQ(begin("a"), 7);
  EXPECT_EQ(log_->delete_records({"a", PartitionId(0)}, Offset(3)), Offset(7));
  EXPECT_EQ(log_->delete_records({"a", PartitionId(0)}, Offset(21)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log_->delete_records({"a", PartitionId(0)}, Offset(-1)).error().code, ErrorCode::kInvalid);
  reopen();
  EXPECT_EQ(begin("a"), 7);
  EXPECT_EQ(read_all("a").size(), 13u);
  ASSERT_TRUE(log_->delete_records({"a", PartitionId(0)}, Offset(20)));
  log_->clean_now();
  EXPECT_EQ(segment_files("a"), 1u);
  EXPECT_EQ(write("a", "z"), 20);
}

TEST_F(LogLifecycle, CompactionKeepsTheNewestOfEachKey) {
  reopen();
  create_with("a", {{"cleanup.policy", "compact"}, {"segment.ms", "1000"}, {"min.cleanable.dirty.ratio", "0"}});
  for (int i = 0; i < 100; ++i) put("a", "k" + std::to_string(i % 7), std::to_string(i));
  put("a", "k0", std::nullopt);
  const auto before = table("a");
  clock_.advance(milliseconds(1000));
  log_->clean_now();
  EXPECT_EQ(table("a"), before);
  const auto left = read_all("a");
  ASSERT_EQ(left.size(), 7u);
  EXPECT_EQ(left.back().offset, Offset(100));
  EXPECT_EQ(left.back().value, std::nullopt);
  EXPECT_EQ(begin("a"), 0);
  EXPECT_EQ(end("a"), 101);
  reopen();
  EXPECT_EQ(read_all("a").size(), 7u);
  EXPECT_TRUE(log_->recovery().damage.empty());
  put("a", "k1", "new");
  EXPECT_EQ(table("a")["k1"], "new");
  clock_.advance(hours(25));
  put("a", "k2", "new");
  clock_.advance(milliseconds(1000));
  log_->clean_now();
  for (const StoredRecord& record : read_all("a")) EXPECT_NE(record.key, "k0");
}

TEST_F(LogLifecycle, CompactedTopicsCanAlsoForget) {
  reopen();
  create_with("a", {{"cleanup.policy", "compact,delete"}, {"segment.ms", "1000"}, {"retention.ms", "100000"}});
  for (int i = 0; i < 50; ++i) put("a", "old" + std::to_string(i % 5), std::to_string(i));
  clock_.advance(milliseconds(1000));
  log_->clean_now();
  EXPECT_EQ(read_all("a").size(), 5u);
  clock_.advance(milliseconds(200'000));
  put("a", "new", "x");
  log_->clean_now();
  EXPECT_EQ(table("a"), (std::map<std::string, std::string>{{"new", "x"}}));
}

TEST_F(LogLifecycle, NewSettingsHoldForTheNextAppend) {
  reopen();
  create_with("a", {});
  write_ten("a");
  const std::size_t files = segment_files("a");
  ASSERT_TRUE(log_->alter_topic("a", {{"segment.bytes", "1000000"}}));
  for (int i = 0; i < 3; ++i) write_ten("a");
  EXPECT_EQ(segment_files("a"), files);
  EXPECT_EQ(log_->topic("a")->configs, (TopicConfigs{{"segment.bytes", "1000000"}}));
  EXPECT_EQ(log_->alter_topic("a", {{"segment.bytes", "1"}}).error().code, ErrorCode::kInvalid);
}

TEST_F(LogLifecycle, AddedPartitionsTakeRecordsAtOnce) {
  reopen();
  create_with("a", {});
  ASSERT_TRUE(write("a", "x") >= 0);
  const auto grown = log_->add_partitions("a", 3);
  ASSERT_TRUE(grown) << grown.error().message;
  EXPECT_EQ(grown->partitions, 3);
  EXPECT_EQ(produce("a", {text("y")}, PartitionId(2))[0]->offset, Offset(0));
  reopen();
  EXPECT_EQ(read_all("a", PartitionId(2)).size(), 1u);
}

TEST_F(LogLifecycle, TheCleanersThreadEndsWithTheLog) {
  options_.cleaning_period = hours(1);
  reopen();
  create_with("a", {{"retention.ms", "0"}});
  write("a", "x");
  log_.reset();
}

TEST_F(LogLifecycle, ATopicDeletedBetweenRoundsIsNoTrouble) {
  reopen();
  create_with("a", {{"cleanup.policy", "compact"}, {"segment.ms", "1"}});
  put("a", "k", "v");
  ASSERT_TRUE(log_->delete_topic("a"));
  clock_.advance(hours(1));
  log_->clean_now();
  EXPECT_TRUE(disk_.list("/log/topics")->empty());
}

// The power goes at each of the cleaner's disk operations, for retention and compaction together.
TEST_F(LogLifecycle, APowerCutAtAnyMomentOfCleaningLosesNothingThatCounts) {
  std::uint64_t operations = 1;
  for (std::uint64_t cut = 0; cut <= operations; ++cut) {
    Random random(cut + 1);
    reopen();
    for (const char* name : {"kept", "old"})
      if (log_->topic(name)) ASSERT_TRUE(log_->delete_topic(name));
    create_with("kept", {{"cleanup.policy", "compact"}, {"segment.ms", "1000"}, {"min.cleanable.dirty.ratio", "0"}});
    create_with("old", {{"retention.ms", "500"}});
    for (int i = 0; i < 40; ++i) put("kept", "k" + std::to_string(i % 5), std::to_string(i));
    write_ten("old");
    clock_.advance(milliseconds(1000));
    // A first cleaning goes well, so that the next one has both kinds of segments before it.
    if (cut % 2 == 1) log_->clean_now();
    for (int i = 0; i < 10; ++i) put("kept", "k" + std::to_string(i % 3), "new" + std::to_string(i));
    clock_.advance(milliseconds(1000));
    const auto before = table("kept");
    const std::uint64_t count = disk_.count();
    if (cut > 0) disk_.lose_power_at(cut);
    log_->clean_now();
    if (cut <= 1) operations = std::max(operations, disk_.count() - count);
    crash(random);
    reopen();
    EXPECT_TRUE(log_->recovery().damage.empty()) << cut << ": " << log_->recovery().damage.front();
    EXPECT_EQ(table("kept"), before) << cut;
    EXPECT_EQ(end("kept"), 50) << cut;
    EXPECT_EQ(end("old"), 10) << cut;
    EXPECT_EQ(write("old", "goes on"), 10) << cut << last_error_.message;
    log_->clean_now();
    EXPECT_EQ(table("kept"), before) << cut;
    EXPECT_EQ(read_all("kept").size(), before.size()) << cut;
  }
  EXPECT_GT(operations, 20u);
}

}  // namespace
}  // namespace pinflow::log
