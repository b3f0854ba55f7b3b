#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/internal/bytes.h"
#include "log/log_fixture.h"
#include "log/record_batch.h"

namespace pinflow::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogRecovery : public LogFixture {
 protected:
  std::string bytes_of(const disk::Path& path) { return disk_.read_file(path).value(); }
  void replace(const disk::Path& path, std::string_view bytes) { ASSERT_TRUE(disk_.write_file(path, bytes)); }
  // Where the batches of a segment begin, and its end.
  static std::vector<std::size_t> borders(const std::string& segment) {
    std::vector<std::size_t> places = {0};
    while (places.back() < segment.size())
      places.push_back(places.back() + check_batch(std::string_view(segment).substr(places.back()))->size);
    return places;
  }
  void write_many(const std::string& topic, int count) {
    for (int i = 0; i < count; ++i) ASSERT_EQ(write(topic, fmt::format("value {}", i)), i);
  }
};

TEST_F(LogRecovery, DropsTornTailAtEveryLength) {
  reopen();
  create("a");
  write_many("a", 3);
  const disk::Path segment = segments("a").back();
  log_.reset();
  const std::string whole = bytes_of(segment);
  const std::size_t last = borders(whole)[2];
  for (std::size_t length = last; length < whole.size(); ++length) {
    replace(segment, whole.substr(0, length));
    reopen();
    EXPECT_THAT(values("a"), ElementsAre("value 0", "value 1"));
    EXPECT_EQ(log_->recovery().torn_bytes_cut, length - last);
    EXPECT_TRUE(log_->recovery().damage.empty());
    EXPECT_EQ(size_of(segment), last);
    ASSERT_EQ(write("a", "again"), 2);
    reopen();
    EXPECT_THAT(values("a"), ElementsAre("value 0", "value 1", "again"));
    log_.reset();
  }
}

TEST_F(LogRecovery, CutsZerosAndGarbageBehindTheEnd) {
  for (const std::string& tail : {std::string(5'000, '\0'), std::string(40, '\xff'), std::string(3'000, '\x02')}) {
    reopen();
    create("a");
    write_many("a", 2);
    const disk::Path segment = segments("a").back();
    log_.reset();
    replace(segment, bytes_of(segment) + tail);
    reopen();
    EXPECT_THAT(values("a"), ElementsAre("value 0", "value 1"));
    EXPECT_EQ(log_->recovery().torn_bytes_cut, tail.size());
    EXPECT_EQ(write("a", "next"), 2);
    ASSERT_TRUE(log_->delete_topic("a"));
  }
}

TEST_F(LogRecovery, SyncsTheCutBeforeItGoesOn) {
  reopen();
  create("a");
  write_many("a", 1);
  const disk::Path segment = segments("a").back();
  log_.reset();
  replace(segment, bytes_of(segment) + "torn");
  reopen();
  Random random(1);
  crash(random);
  EXPECT_EQ(size_of(segment), borders(bytes_of(segment)).back());
}

TEST_F(LogRecovery, MakesDurableWhatItShows) {
  options_.durability = Durability::kOs;
  reopen();
  create("a");
  write_many("a", 5);
  options_.durability = Durability::kPower;
  reopen();  // Finds five records that no sync has seen, and shows them.
  EXPECT_EQ(values("a").size(), 5u);
  Random random(1);
  crash(random);
  reopen();
  EXPECT_EQ(values("a").size(), 5u);
}

TEST_F(LogRecovery, NeverCutsDamageInTheMiddle) {
  reopen();
  create("a");
  write_many("a", 5);
  const disk::Path segment = segments("a").back();
  log_.reset();
  const std::string whole = bytes_of(segment);
  const auto places = borders(whole);
  for (std::size_t position = places[2]; position < places[3]; ++position) {
    if (position >= places[2] + 12 && position < places[2] + 16) continue;  // The leader epoch of a sound batch.
    SCOPED_TRACE(position);
    replace(segment, whole);
    disk_.flip_byte(segment, position);
    reopen();
    ASSERT_EQ(log_->recovery().damage.size(), 1u);
    EXPECT_THAT(log_->recovery().damage[0], HasSubstr(fmt::format("position {}", places[2])));
    EXPECT_EQ(size_of(segment), whole.size());
    EXPECT_EQ(write("a", "more"), -1);
    EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
    EXPECT_THAT(last_error_.message, HasSubstr("a-0"));
    EXPECT_THAT(last_error_.message, HasSubstr(segment.string()));
    EXPECT_EQ(fetch_at("a", Offset(0)).records.size(), 2u);
    const FetchedPartition at_damage = fetch_at("a", Offset(2));
    ASSERT_TRUE(at_damage.error);
    EXPECT_EQ(at_damage.error->code, ErrorCode::kCorrupt);
    EXPECT_THAT(at_damage.error->message, HasSubstr("from offset 3 on"));
    EXPECT_EQ(fetch_at("a", Offset(3)).records.size(), 2u);
    EXPECT_EQ(fetch_at("a", Offset(4)).records.size(), 1u);
    log_.reset();
  }
}

TEST_F(LogRecovery, NeverServesAFlippedByteAsGood) {
  options_.topic_defaults.segment_bytes = 200;
  reopen();
  create("a");
  write_many("a", 6);
  const std::vector<disk::Path> files = segments("a");
  ASSERT_GE(files.size(), 3u);
  log_.reset();
  for (const disk::Path& file : files) {
    const std::string whole = bytes_of(file);
    for (std::size_t position = 0; position < whole.size(); ++position) {
      replace(file, whole);
      disk_.flip_byte(file, position);
      reopen();
      Offset next(0);
      const Offset end = log_->offsets({"a", PartitionId(0)})->end;
      while (next < end) {
        const FetchedPartition fetched = fetch_at("a", next);
        for (const StoredRecord& record : fetched.records)
          EXPECT_EQ(record.value, fmt::format("value {}", record.offset.value()));
        next = fetched.records.empty() ? next + 1 : fetched.records.back().offset + 1;
      }
      if (file != files.back()) EXPECT_EQ(end, Offset(6));
      log_.reset();
    }
    replace(file, whole);
  }
}

TEST_F(LogRecovery, FindsDamageOfAClosedSegmentWhenItIsRead) {
  options_.topic_defaults.segment_bytes = 200;
  reopen();
  create("a");
  write_many("a", 6);
  const disk::Path first = segments("a").front();
  disk_.flip_byte(first, size_of(first) - 3);
  const FetchedPartition all = fetch_at("a", Offset(0));
  EXPECT_EQ(all.records.size(), 1u);
  EXPECT_FALSE(all.error);
  EXPECT_EQ(fetch_at("a", Offset(1)).error->code, ErrorCode::kCorrupt);
  EXPECT_EQ(fetch_at("a", Offset(2)).records.size(), 4u);
  EXPECT_EQ(write("a", "goes on"), 6);
}

TEST_F(LogRecovery, FencesWhenASegmentIsMissing) {
  options_.topic_defaults.segment_bytes = 200;
  reopen();
  create("a");
  write_many("a", 6);
  const std::vector<disk::Path> files = segments("a");
  log_.reset();
  ASSERT_TRUE(disk_.remove(files[1]));
  reopen();
  EXPECT_EQ(log_->recovery().damage.size(), 1u);
  EXPECT_EQ(write("a", "x"), -1);
  EXPECT_EQ(fetch_at("a", Offset(0)).records.size(), 2u);
  EXPECT_EQ(fetch_at("a", Offset(2)).error->code, ErrorCode::kCorrupt);
  EXPECT_EQ(fetch_at("a", Offset(4)).records.size(), 2u);
  create("b");
  EXPECT_EQ(write("b", "other topics go on"), 0);
}

// A commit of several batches can be torn so that a later one survives and an earlier does not.
TEST_F(LogRecovery, CutsATornCommitOfSeveralBatches) {
  reopen();
  create("a");
  write("a", "before");
  const std::string large(200 << 10, 'x');
  ASSERT_TRUE(produce("a", {text(large), text(large), text(large)})[0]);
  const disk::Path segment = segments("a").back();
  log_.reset();
  const std::string whole = bytes_of(segment);
  const auto places = borders(whole);
  ASSERT_EQ(places.size(), 5u);
  for (const std::size_t broken : {1u, 2u, 3u}) {
    replace(segment, whole);
    disk_.flip_byte(segment, places[broken] + 1'000);
    reopen();
    EXPECT_TRUE(log_->recovery().damage.empty());
    EXPECT_EQ(log_->recovery().torn_bytes_cut, whole.size() - places[broken]);
    EXPECT_EQ(values("a").size(), broken);
    log_.reset();
  }
}

TEST_F(LogRecovery, FencesACommitOfSeveralBatchesThatALaterOneFollows) {
  reopen();
  create("a");
  const std::string large(200 << 10, 'x');
  ASSERT_TRUE(produce("a", {text(large), text(large), text(large)})[0]);
  write("a", "after");
  const disk::Path segment = segments("a").back();
  log_.reset();
  const std::string whole = bytes_of(segment);
  const auto places = borders(whole);
  for (const std::size_t broken : {0u, 1u, 2u}) {
    replace(segment, whole);
    disk_.flip_byte(segment, places[broken] + 1'000);
    reopen();
    EXPECT_EQ(log_->recovery().damage.size(), 1u);
    EXPECT_EQ(fetch_at("a", Offset(static_cast<std::int64_t>(broken))).error->code, ErrorCode::kCorrupt);
    EXPECT_EQ(fetch_at("a", Offset(3)).records.size(), 1u);
    log_.reset();
  }
}

TEST_F(LogRecovery, LeavesTheFileAloneWhenReadOnly) {
  reopen();
  create("a");
  write_many("a", 2);
  const disk::Path segment = segments("a").back();
  log_.reset();
  const std::string torn = bytes_of(segment) + "torn";
  replace(segment, torn);
  options_.read_only = true;
  reopen();
  EXPECT_EQ(values("a").size(), 2u);
  EXPECT_EQ(bytes_of(segment), torn);
}

TEST_F(LogRecovery, GoesOnWithoutATopicThatCannotBeRead) {
  reopen();
  create("a");
  create("b");
  write("a", "x");
  write("b", "y");
  const disk::Path manifest = partition_folder("a").parent_path() / "topic.json";
  log_.reset();
  const std::string whole = bytes_of(manifest);
  for (std::size_t position = 0; position < whole.size(); ++position) {
    replace(manifest, whole);
    disk_.flip_byte(manifest, position);
    reopen();
    EXPECT_EQ(log_->recovery().damage.size(), 1u);
    EXPECT_THAT(values("b"), ElementsAre("y"));
    EXPECT_EQ(log_->topic("a").error().code, ErrorCode::kNotFound);
    log_.reset();
  }
  replace(manifest, whole);
  reopen();
  EXPECT_THAT(values("a"), ElementsAre("x"));
}

TEST_F(LogRecovery, KeepsTheFilesOfATopicWhoseManifestIsLost) {
  reopen();
  create("a");
  write("a", "x");
  const disk::Path segment = segments("a").back();
  log_.reset();
  ASSERT_TRUE(disk_.remove(segment.parent_path().parent_path() / "topic.json"));
  reopen();
  EXPECT_EQ(log_->recovery().damage.size(), 1u);
  EXPECT_GT(size_of(segment), 0u);
}

TEST_F(LogRecovery, FencesAPartitionWhoseFolderIsMissing) {
  reopen();
  create("a", 2);
  write("a", "x");
  const disk::Path folder = partition_folder("a");
  log_.reset();
  ASSERT_TRUE(disk_.remove_tree(folder));
  reopen();
  EXPECT_EQ(log_->recovery().damage.size(), 1u);
  EXPECT_EQ(write("a", "y"), -1);
  EXPECT_TRUE(produce("a", {text("z")}, PartitionId(1))[0]);
}

TEST_F(LogRecovery, CutsTheTornTailOfTheGroupPositionsAtEveryLength) {
  reopen();
  create("a");
  const auto commit = [&](std::int64_t offset) {
    ASSERT_TRUE(log_->commit_offsets("group", {{{"a", PartitionId(0)}, Offset(offset)}}));
  };
  commit(1);
  const disk::Path journal = "/log/groups.journal";
  const std::size_t first = size_of(journal);
  commit(2);
  log_.reset();
  const std::string whole = bytes_of(journal);
  for (std::size_t length = first; length <= whole.size(); ++length) {
    replace(journal, whole.substr(0, length));
    reopen();
    EXPECT_EQ(log_->committed_offsets("group")->front().offset, Offset(length == whole.size() ? 2 : 1));
    EXPECT_TRUE(log_->recovery().damage.empty());
    commit(3);
    reopen();
    EXPECT_EQ(log_->committed_offsets("group")->front().offset, Offset(3));
    log_.reset();
  }
}

TEST_F(LogRecovery, ReportsDamagedGroupPositionsAndKeepsTheRest) {
  reopen();
  create("a");
  for (const char* group : {"x", "y", "z"})
    ASSERT_TRUE(log_->commit_offsets(group, {{{"a", PartitionId(0)}, Offset(5)}}));
  log_.reset();
  const disk::Path journal = "/log/groups.journal";
  const std::string whole = bytes_of(journal);
  const std::size_t frame = whole.size() / 3;
  for (std::size_t position = frame; position < 2 * frame; ++position) {
    replace(journal, whole);
    disk_.flip_byte(journal, position);
    reopen();
    EXPECT_EQ(log_->recovery().damage.size(), 1u);
    EXPECT_EQ(log_->committed_offsets("x")->size(), 1u);
    EXPECT_TRUE(log_->committed_offsets("y")->empty());
    EXPECT_EQ(log_->committed_offsets("z")->size(), 1u);
    EXPECT_EQ(bytes_of("/log/groups.journal.damaged").size(), whole.size());
    reopen();
    EXPECT_TRUE(log_->recovery().damage.empty());
    EXPECT_EQ(log_->committed_offsets("z")->size(), 1u);
    log_.reset();
  }
}

}  // namespace
}  // namespace pinflow::log
