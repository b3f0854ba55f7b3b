#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/internal/partition_log.h"
#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const TopicPartition kA0{"a", PartitionId(0)};

// What stands beside the segments: indexes, times, the log start, epochs.
class PartitionFilesTest : public LogFixture {
 protected:
  void SetUp() override { options_.topic_defaults.segment_bytes = 300; }

  void write_many(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(write("a", fmt::format("value {}", i)), i);
      clock_.advance(1s);
    }
  }
  std::vector<std::string> names_with(std::string_view extension) {
    std::vector<std::string> names;
    for (const disk::Entry& entry : *disk_.list(partition_folder("a")))
      if (entry.name.ends_with(extension)) names.push_back(entry.name);
    return names;
  }
  std::int64_t offset_at(WallTime time) {
    const auto found = log_->find_time(kA0, time);
    EXPECT_TRUE(found) << found.error().message;
    return *found ? (*found)->offset.value() : -1;
  }
};

TEST_F(PartitionFilesTest, OpensWithoutALookIntoClosedSegments) {
  reopen();
  create("a");
  write_many(40);
  EXPECT_GT(names_with(".log").size(), 8u);
  EXPECT_EQ(names_with(".index").size() + 1, names_with(".log").size());
  reopen();
  EXPECT_EQ(log_->recovery().segments_scanned, 1u);
  EXPECT_LE(log_->recovery().bytes_scanned, 300u);
  EXPECT_EQ(values("a").size(), 40u);
}

TEST_F(PartitionFilesTest, BuildsWhatIsMissingOrBrokenAgain) {
  reopen();
  create("a");
  write_many(40);
  log_.reset();
  const disk::Path folder = partition_folder("a");
  const auto indexes = names_with(".index");
  ASSERT_TRUE(disk_.remove(folder / indexes[1]));
  disk_.flip_byte(folder / indexes[2], 20);
  ASSERT_TRUE(
      disk_.write_file(folder / indexes[3], disk_.read_file(folder / indexes[4]).value()));  // Of another segment.
  reopen();
  EXPECT_TRUE(log_->recovery().damage.empty());
  EXPECT_EQ(log_->recovery().segments_scanned, 4u);
  EXPECT_EQ(values("a").size(), 40u);
  reopen();
  EXPECT_EQ(log_->recovery().segments_scanned, 1u);
}

TEST_F(PartitionFilesTest, NeverTrustsAnIndexOverTheData) {
  options_.topic_defaults.segment_bytes = 100'000;
  reopen();
  create("a");
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(append("a", batch_of({std::string(5'000, 'x')})));
  log_.reset();
  const disk::Path path = partition_folder("a") / names_with(".index")[0];
  const auto closed = SegmentIndex::decode(disk_.read_file(path).value());
  ASSERT_TRUE(closed);
  SegmentIndex lies;
  for (std::int64_t offset = 0; offset < closed->end.value(); ++offset)
    lies.note({Offset(offset), static_cast<std::uint64_t>(offset) * 4'999, 0}, true);
  ASSERT_TRUE(disk_.write_file(path, lies.encode(closed->base, closed->end, closed->size)));
  for (int way = 0; way < 3; ++way) {
    reopen();
    if (way == 0) EXPECT_EQ(fetch_at("a", Offset(7)).records.at(0).offset, Offset(7));
    if (way == 1) EXPECT_FALSE(log_->read_batches(kA0, Offset(7), 1 << 20, true)->bytes.empty());
    if (way == 2) EXPECT_TRUE(log_->find_time(kA0, WallTime(0ms)));
    EXPECT_EQ(values("a").size(), 40u);
  }
}

TEST_F(PartitionFilesTest, OpensALogOfTheOldFormat) {
  reopen();
  create("a");
  write_many(20);
  log_.reset();
  for (const disk::Entry& entry : *disk_.list(partition_folder("a")))
    if (!entry.name.ends_with(".log")) ASSERT_TRUE(disk_.remove(partition_folder("a") / entry.name));
  ASSERT_TRUE(disk_.write_file("/log/format", "pinflow log format 1\n"));
  reopen();
  EXPECT_TRUE(log_->recovery().damage.empty());
  EXPECT_EQ(values("a").size(), 20u);
  EXPECT_EQ(disk_.read_file("/log/format").value(), "pinflow log format 2\n");
  reopen();
  EXPECT_EQ(log_->recovery().segments_scanned, 1u);
}

TEST_F(PartitionFilesTest, FindsTheFirstRecordOfATime) {
  reopen();
  create("a");
  EXPECT_FALSE(*log_->find_time(kA0, WallTime(0ms)));
  EXPECT_FALSE(*log_->find_latest_time(kA0));
  const WallTime start = clock_.now();
  write_many(40);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(offset_at(WallTime(0ms)), 0);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(offset_at(start + i * 1s), i);
      EXPECT_EQ(offset_at(start + i * 1s - 1ms), i);
    }
    EXPECT_EQ(offset_at(start + 40s), -1);
    EXPECT_EQ((*log_->find_latest_time(kA0))->offset, Offset(39));
    EXPECT_EQ((*log_->find_latest_time(kA0))->timestamp, start + 39s);
    reopen();
  }
}

TEST_F(PartitionFilesTest, FindsTimesThatGoBackAndForth) {
  reopen();
  create("a");
  Random random(3);
  std::vector<std::int64_t> times;
  for (int i = 0; i < 120; ++i) {
    std::vector<Record> records;
    for (std::uint64_t n = 0; n <= random.below(3); ++n) {
      times.push_back(static_cast<std::int64_t>(1'000 + random.below(50)));
      records.push_back({std::nullopt, "x", {}, WallTime(std::chrono::milliseconds(times.back()))});
    }
    ASSERT_TRUE(produce("a", std::move(records))[0]);
  }
  std::int64_t begin = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t time = 995; time < 1'055; ++time) {
      const auto first = std::find_if(times.begin() + begin, times.end(), [&](std::int64_t t) { return t >= time; });
      EXPECT_EQ(offset_at(WallTime(std::chrono::milliseconds(time))),
                first == times.end() ? -1 : first - times.begin());
    }
    const auto latest = *log_->find_latest_time(kA0);
    EXPECT_EQ(latest->offset.value(), std::max_element(times.begin() + begin, times.end()) - times.begin());
    // What was deleted has no time any more, also within a batch and where it was the greatest.
    begin = latest->offset.value() + 1;
    ASSERT_TRUE(log_->delete_records(kA0, Offset(begin)));
    if (round == 1) reopen();
  }
}

TEST_F(PartitionFilesTest, DeletesRecordsAtOnceAndTheirFilesWithThem) {
  reopen();
  create("a");
  write_many(40);
  const std::size_t files = names_with(".log").size();
  EXPECT_EQ(*log_->delete_records(kA0, Offset(21)), Offset(21));
  EXPECT_LT(names_with(".log").size(), files / 2 + 2);
  EXPECT_EQ(names_with(".index").size() + 1, names_with(".log").size());
  EXPECT_EQ(*log_->delete_records(kA0, Offset(10)), Offset(21));
  EXPECT_EQ(log_->delete_records(kA0, Offset(41)).error().code, ErrorCode::kInvalid);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(log_->offsets(kA0)->begin, Offset(21));
    EXPECT_EQ(fetch_at("a", Offset(20)).error->code, ErrorCode::kInvalid);
    EXPECT_EQ(values("a").size(), 19u);
    EXPECT_EQ(values("a")[0], "value 21");
    EXPECT_EQ(append("a", batch_of({"x"}))->log_start, Offset(21));
    ASSERT_TRUE(log_->delete_records(kA0, Offset(21)));
    reopen();
    if (round == 0) EXPECT_EQ(values("a").size(), 20u);
    break;
  }
  const Offset end = log_->offsets(kA0)->end;
  EXPECT_EQ(*log_->delete_records(kA0, end), end);
  reopen();
  EXPECT_TRUE(log_->recovery().damage.empty());
  EXPECT_TRUE(values("a").empty());
  EXPECT_EQ(write("a", "next"), end.value());
}

TEST_F(PartitionFilesTest, FinishesADeletionThatWasInterrupted) {
  reopen();
  create("a");
  write_many(40);
  disk_.fail_nth(disk::Operation::kRemove, 3, ErrorCode::kUnavailable);
  EXPECT_EQ(*log_->delete_records(kA0, Offset(30)), Offset(30));
  const std::size_t files = names_with(".log").size();
  reopen();
  EXPECT_TRUE(log_->recovery().damage.empty());
  EXPECT_LT(names_with(".log").size(), files);
  EXPECT_EQ(values("a").size(), 10u);
}

TEST_F(PartitionFilesTest, FencesWhenTheStateIsDamaged) {
  reopen();
  create("a");
  write_many(20);
  ASSERT_TRUE(log_->delete_records(kA0, Offset(10)));
  const disk::Path state = partition_folder("a") / "partition.state";
  log_.reset();
  for (std::uint64_t position = 0; position < size_of(state); ++position) {
    disk_.flip_byte(state, position);
    reopen();
    ASSERT_EQ(log_->recovery().damage.size(), 1u);
    EXPECT_THAT(log_->recovery().damage[0], HasSubstr("partition.state"));
    EXPECT_EQ(write("a", "x"), -1);
    EXPECT_EQ(values("a").back(), "value 19");
    log_.reset();
    disk_.flip_byte(state, position);
  }
  reopen();
  EXPECT_EQ(write("a", "x"), 20);
}

TEST_F(PartitionFilesTest, BeginsAnEpochWhenReadersMayHaveSeenWhatIsLost) {
  for (const Durability level : {Durability::kPower, Durability::kOs, Durability::kInterval}) {
    SCOPED_TRACE(static_cast<int>(level));
    options_.durability = level;
    reopen();
    create("a");
    create("empty");
    write_many(5);
    reopen();  // In order.
    EXPECT_EQ(*log_->leader_epoch(kA0), 0);
    Random random(7);
    crash(random);
    reopen();
    const std::int64_t end = log_->offsets(kA0)->end.value();
    EXPECT_EQ(end, 5);  // Closed in order once.
    const std::int32_t epoch = level == Durability::kPower ? 0 : 1;
    EXPECT_EQ(*log_->leader_epoch(kA0), epoch);
    EXPECT_EQ(*log_->leader_epoch({"empty", PartitionId(0)}), 0);
    ASSERT_EQ(write("a", "new"), end);
    reopen();
    EXPECT_EQ(*log_->leader_epoch(kA0), epoch);
    EXPECT_EQ(log_->epoch_end(kA0, 0)->end, Offset(epoch == 0 ? end + 1 : end));
    EXPECT_EQ(log_->epoch_end(kA0, 7)->leader_epoch, epoch);
    EXPECT_EQ(log_->epoch_end(kA0, 7)->end, Offset(end + 1));
    const std::string bytes = log_->read_batches(kA0, Offset(0), 1 << 20, true)->bytes;
    EXPECT_EQ(read_batch_header(bytes)->leader_epoch, 0);
    EXPECT_EQ(read_batch_header(log_->read_batches(kA0, Offset(end), 1 << 20, true)->bytes)->leader_epoch, epoch);
    ASSERT_TRUE(log_->delete_topic("a"));
    ASSERT_TRUE(log_->delete_topic("empty"));
  }
}

TEST_F(PartitionFilesTest, SyncsWithinTheIntervalAndAtTheEnd) {
  options_.durability = Durability::kInterval;
  options_.topic_defaults.segment_bytes = 1 << 20;
  options_.sync_interval = 1h;
  Random random(1);
  reopen();
  create("a");
  ASSERT_EQ(write("a", "x"), 0);
  const std::uint64_t before = disk_.count(disk::Operation::kSync);
  ASSERT_EQ(write("a", "y"), 1);
  EXPECT_EQ(disk_.count(disk::Operation::kSync), before);
  log_.reset();  // Syncs.
  disk_.crash(random);
  reopen();
  EXPECT_THAT(values("a"), ElementsAre("x", "y"));
  options_.sync_interval = 0ms;  // It is always time.
  reopen();
  ASSERT_EQ(write("a", "z"), 2);
  ASSERT_EQ(write("a", "the commit before is synced when this is taken"), 3);
  crash(random);
  reopen();
  EXPECT_THAT(values("a")[2], "z");
}

TEST_F(PartitionFilesTest, FencesWhenTheSyncOfTheIntervalFails) {
  options_.durability = Durability::kInterval;
  options_.sync_interval = 0ms;
  options_.topic_defaults.segment_bytes = 1 << 20;
  reopen();
  create("a");
  ASSERT_EQ(write("a", "x"), 0);
  ASSERT_EQ(write("a", "y"), 1);
  // Is taken when what was written before is synced.
  ASSERT_TRUE(log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(0)}}));
  disk_.fail_sync(segments("a").front());
  ASSERT_EQ(write("a", "z"), 2);
  EXPECT_EQ(write("a", "refused"), -1);
  EXPECT_EQ(last_error_.code, ErrorCode::kUnavailable);
  EXPECT_THAT(values("a"), ElementsAre("x", "y", "z"));
}

// A partition by itself, for the verbs of those who clean up.
class PartitionUpkeep : public testing::Test {
 protected:
  PartitionUpkeep() { EXPECT_TRUE(disk_.create_folders("/p")); }

  PartitionOptions options() {
    TopicSettings settings;
    settings.segment_bytes = 200;  // Two batches.
    return {disk_, logger_, clock_, "/p", kA0, std::make_shared<LiveSettings>(settings), Durability::kPower, false};
  }
  void reopen() {
    report_ = {};
    auto opened = PartitionLog::open(options(), false, report_);
    ASSERT_TRUE(opened) << opened.error().message;
    partition_ = std::move(*opened);
  }
  std::string batch_at(std::int64_t offset) {
    std::string bytes;
    BatchBuilder batch(bytes, Offset(offset), 0);
    batch.add({std::nullopt, fmt::format("value {}", offset), {}, std::nullopt}, clock_.now());
    batch.finish();
    return bytes;
  }
  void write(int count) {
    for (int i = 0; i < count; ++i) {
      const Offset offset = partition_->next_offset();
      const std::vector<BatchMark> marks = {{offset, 0, clock_.now().time_since_epoch().count()}};
      ASSERT_TRUE(partition_->append(batch_at(offset.value()), marks, offset + 1));
      ASSERT_TRUE(partition_->sync());
      partition_->publish();
    }
  }
  std::vector<std::int64_t> offsets(std::int64_t from = 0) {
    std::vector<std::int64_t> found;
    FetchedPartition out;
    ReadBudget budget{1 << 20, 1'000, true};
    partition_->read(std::max(Offset(from), partition_->range().begin), budget, out);
    EXPECT_FALSE(out.error) << out.error->message;
    EXPECT_EQ(out.next, partition_->range().end);
    for (const StoredRecord& record : out.records) {
      EXPECT_EQ(record.value, fmt::format("value {}", record.offset));
      found.push_back(record.offset.value());
    }
    return found;
  }
  // Leaves one in `keep` of the records in [base, end).
  Result<void> rewrite(Offset base, Offset end, std::int64_t keep) {
    std::string bytes;
    for (std::int64_t offset = base.value(); offset < end.value(); ++offset)
      if (offset % keep == 0) bytes += batch_at(offset);
    TRY(disk_.write_file(partition_->rewrite_path(base, end), bytes));
    return partition_->replace_segments(base, end);
  }

  ManualClock clock_;
  disk::MemoryDisk disk_{&clock_};
  NullLogger logger_;
  RecoveryReport report_;
  std::unique_ptr<PartitionLog> partition_;
};

TEST_F(PartitionUpkeep, RollsBetweenCommits) {
  reopen();
  ASSERT_TRUE(partition_->roll());
  EXPECT_TRUE(partition_->closed_segments().empty());
  write(1);
  ASSERT_TRUE(partition_->roll());
  ASSERT_TRUE(partition_->roll());
  ASSERT_EQ(partition_->closed_segments().size(), 1u);
  EXPECT_EQ(partition_->closed_segments()[0].end, Offset(1));
  EXPECT_EQ(partition_->closed_segments()[0].max_timestamp, clock_.now().time_since_epoch().count());
  EXPECT_EQ(partition_->open_segment()->segment.base, Offset(1));
  write(1);
  EXPECT_THAT(offsets(), ElementsAre(0, 1));
  reopen();
  EXPECT_THAT(offsets(), ElementsAre(0, 1));
}

TEST_F(PartitionUpkeep, ReadsWhatACleaningLeft) {
  reopen();
  write(20);
  const auto closed = partition_->closed_segments();
  ASSERT_GE(closed.size(), 6u);
  ASSERT_TRUE(rewrite(closed[0].base, closed[1].end, 3));
  ASSERT_TRUE(rewrite(closed[3].base, closed[3].end, 1'000));  // Nothing is left.
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 20; ++i)
    if (Offset(i) < closed[1].end ? i % 3 == 0 : Offset(i) < closed[3].base || Offset(i) >= closed[3].end)
      expected.push_back(i);
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(offsets(), expected);
    for (std::int64_t from = 0; from < 20; ++from) {
      std::vector<std::int64_t> rest;
      for (const std::int64_t offset : expected)
        if (offset >= from) rest.push_back(offset);
      EXPECT_EQ(offsets(from), rest);
      const auto raw = partition_->read_batches(Offset(from), 1 << 20, true);
      ASSERT_TRUE(raw) << raw.error().message;
      if (!rest.empty()) EXPECT_EQ(read_batch_header(raw->bytes)->base_offset, Offset(rest[0]));
    }
    EXPECT_EQ(partition_->closed_segments().size(), closed.size() - (round < 3 ? 1 : 2));
    if (round == 1)  // Without their indexes.
      for (const SegmentInfo& segment : partition_->closed_segments())
        ASSERT_TRUE(disk_.remove(disk::Path(segment.path).replace_extension(".index")));
    reopen();
    EXPECT_TRUE(report_.damage.empty()) << report_.damage[0];
    if (round == 2) {  // Again, over what was rewritten before.
      ASSERT_TRUE(rewrite(closed[0].base, closed[2].end, 5));
      std::erase_if(expected, [&](std::int64_t i) { return Offset(i) < closed[2].end && i % 5 != 0; });
    }
  }
}

TEST_F(PartitionUpkeep, RefusesARewriteThatFitsNoSegmentsOrIsBroken) {
  reopen();
  write(20);
  const auto closed = partition_->closed_segments();
  EXPECT_EQ(rewrite(closed[0].base, closed[0].end + 1, 2).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(rewrite(closed[0].base + 1, closed[0].end, 2).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(rewrite(closed[0].base, partition_->range().end, 2).error().code, ErrorCode::kInvalid);
  const disk::Path path = partition_->rewrite_path(closed[0].base, closed[0].end);
  ASSERT_TRUE(disk_.write_file(path, batch_at(0) + "x"));
  EXPECT_EQ(partition_->replace_segments(closed[0].base, closed[0].end).error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(disk_.write_file(path, batch_at(closed[0].end.value())));
  EXPECT_EQ(partition_->replace_segments(closed[0].base, closed[0].end).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(offsets().size(), 20u);
  reopen();
  EXPECT_EQ(offsets().size(), 20u);
  for (const disk::Entry& entry : *disk_.list("/p")) EXPECT_FALSE(entry.name.ends_with(".rewrite"));
}

TEST_F(PartitionUpkeep, ReplacesWhollyOrNotAtAllWhenThePowerGoes) {
  Random random(5);
  for (std::uint64_t nth = 1; nth <= 25; ++nth) {
    for (int times = 0; times < 4; ++times) {
      SCOPED_TRACE(nth);
      ASSERT_TRUE(disk_.remove_tree("/p"));
      ASSERT_TRUE(disk_.create_folders("/p"));
      reopen();
      write(12);
      const auto closed = partition_->closed_segments();
      ASSERT_GE(closed.size(), 4u);
      if (times % 2 == 1) ASSERT_TRUE(rewrite(closed[0].base, closed[2].end, 2));  // The second under the same name.
      const auto before = offsets();
      disk_.lose_power_at(nth);
      const bool done = rewrite(closed[0].base, closed[2].end, 4).has_value();
      disk_.crash(random);
      reopen();
      EXPECT_TRUE(report_.damage.empty()) << report_.damage[0];
      std::vector<std::int64_t> after = before;
      std::erase_if(after, [&](std::int64_t i) { return Offset(i) < closed[2].end && i % 4 != 0; });
      const auto found = offsets();
      EXPECT_TRUE(found == after || (!done && found == before));
      write(1);
      EXPECT_EQ(offsets().back(), 12);
    }
  }
}

TEST_F(PartitionUpkeep, MovesTheLogStartBeforeFilesGoWhenThePowerGoes) {
  Random random(6);
  for (std::uint64_t nth = 1; nth <= 25; ++nth) {
    SCOPED_TRACE(nth);
    ASSERT_TRUE(disk_.remove_tree("/p"));
    ASSERT_TRUE(disk_.create_folders("/p"));
    reopen();
    write(12);
    disk_.lose_power_at(nth);
    const bool moved = partition_->advance_log_start(Offset(7)).has_value();
    if (moved) (void)partition_->drop_old_segments();
    disk_.crash(random);
    reopen();
    EXPECT_TRUE(report_.damage.empty()) << report_.damage[0];
    if (moved) EXPECT_EQ(partition_->range().begin, Offset(7));
    EXPECT_EQ(partition_->range().end, Offset(12));
    EXPECT_EQ(std::ssize(offsets()), 12 - partition_->range().begin.value());
  }
}

}  // namespace
}  // namespace pinflow::log
