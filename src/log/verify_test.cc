#include "log/verify.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

using testing::HasSubstr;

// A log with one topic of two partitions and a second topic, closed, to be damaged.
class Verify : public LogFixture {
 protected:
  Verify() { options_.topic_defaults.segment_bytes = 600; }

  void SetUp() override {
    reopen();
    create("a", 2);
    create("b");
    for (int i = 0; i < 20; ++i) {
      write("a", "value " + std::to_string(i));
      write("b", "other " + std::to_string(i));
    }
    ASSERT_TRUE(produce("a", {text("second")}, PartitionId(1))[0]);
    ASSERT_TRUE(log_->commit_offsets("g", {{{"a", PartitionId(0)}, Offset(5)}}));
    log_.reset();
    ASSERT_GT(segments("a").size(), 2u);
  }

  VerifyReport verify() {
    auto report = verify_log("/log", disk_);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : VerifyReport{};
  }
  RepairReport repair(RepairMode mode = RepairMode::kDo) {
    auto report = repair_log("/log", disk_, mode);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : RepairReport{};
  }
  // Repairs, and holds the log to what repair promises.
  void repair_and_reopen() {
    EXPECT_TRUE(repair().left.empty());
    const VerifyReport after = verify();
    EXPECT_FALSE(after.damaged()) << after.findings.front().what;
    EXPECT_TRUE(repair().steps.empty());
    reopen();
    EXPECT_TRUE(log_->recovery().damage.empty()) << log_->recovery().damage.front();
  }
  std::map<std::int64_t, std::string> records(const std::string& topic) {
    std::map<std::int64_t, std::string> all;
    for (const StoredRecord& record : read_all(topic)) all.emplace(record.offset.value(), *record.value);
    return all;
  }
  std::vector<disk::Path> files_below(const disk::Path& folder) {
    std::vector<disk::Path> paths;
    const auto entries = disk_.list(folder);
    if (!entries) return paths;
    for (const disk::Entry& entry : *entries) {
      if (entry.is_directory) {
        std::ranges::copy(files_below(folder / entry.name), std::back_inserter(paths));
      } else if (entry.name != "LOCK") {
        paths.push_back(folder / entry.name);
      }
    }
    return paths;
  }
  std::map<disk::Path, std::string> all_bytes() {
    std::map<disk::Path, std::string> bytes;
    for (const disk::Path& path : files_below("/log")) bytes.emplace(path, disk_.read_file(path).value());
    return bytes;
  }
};

TEST_F(Verify, ASoundLogHasNoFindingsAndIsNotTouched) {
  const auto before = all_bytes();
  const VerifyReport report = verify();
  EXPECT_TRUE(report.findings.empty()) << report.findings.front().what;
  EXPECT_FALSE(report.in_use);
  EXPECT_EQ(report.topics, 2u);
  EXPECT_EQ(report.partitions, 3u);
  EXPECT_EQ(report.records, 41u);
  EXPECT_TRUE(repair().steps.empty());
  EXPECT_EQ(all_bytes(), before);
}

TEST_F(Verify, ThereMustBeALog) {
  EXPECT_EQ(verify_log("/nowhere", disk_).error().code, ErrorCode::kNotFound);
}

TEST_F(Verify, ALogInUseIsReadAndNotRepaired) {
  reopen();
  EXPECT_TRUE(verify().in_use);
  EXPECT_EQ(repair_log("/log", disk_, RepairMode::kPlan).error().code, ErrorCode::kConflict);
}

TEST_F(Verify, ABrokenBatchInAClosedSegmentIsNamedAndSetAside) {
  const disk::Path path = segments("a")[1];
  disk_.flip_byte(path, 65);
  const VerifyReport report = verify();
  ASSERT_EQ(report.findings.size(), 1u);
  const Finding& finding = report.findings[0];
  EXPECT_TRUE(finding.damage);
  EXPECT_EQ(finding.topic, "a");
  EXPECT_EQ(finding.partition, 0);
  EXPECT_EQ(finding.file, path);
  EXPECT_EQ(finding.position, 0u);
  EXPECT_THAT(finding.remedy, HasSubstr("pinflow log repair"));

  const std::string before = disk_.read_file(path).value();
  const auto plan = all_bytes();
  EXPECT_FALSE(repair(RepairMode::kPlan).steps.empty());
  EXPECT_EQ(all_bytes(), plan);

  repair_and_reopen();
  const auto left = records("a");
  EXPECT_EQ(left.size(), 19u);
  for (const auto& [offset, value] : left) EXPECT_EQ(value, "value " + std::to_string(offset));
  EXPECT_EQ(write("a", "goes on"), 20);
  const auto aside = files_below("/log/damaged");
  ASSERT_EQ(aside.size(), 2u);
  const std::string bytes = disk_.read_file(aside[0]).value();
  EXPECT_EQ(bytes, before.substr(0, bytes.size()));
  EXPECT_THAT(disk_.read_file(aside[1]).value(), HasSubstr("position 0"));
  EXPECT_EQ(records("b").size(), 20u);
}

TEST_F(Verify, DamageInTheLastSegmentLetsThePartitionGoOnBehindIt) {
  const disk::Path path = segments("a").back();
  const std::uint64_t first = size_of(path);
  reopen();
  write("a", "one more");
  write("a", "and one");
  log_.reset();
  ASSERT_EQ(segments("a").back(), path);
  disk_.flip_byte(path, first + 63);
  EXPECT_TRUE(verify().damaged());
  reopen();
  EXPECT_FALSE(log_->recovery().damage.empty());
  EXPECT_EQ(write("a", "refused"), -1);
  EXPECT_THAT(last_error_.message, HasSubstr("pinflow log repair"));
  log_.reset();
  repair_and_reopen();
  EXPECT_FALSE(records("a").contains(20));
  EXPECT_EQ(records("a").at(21), "and one");
  EXPECT_EQ(write("a", "goes on"), 22);
  reopen();
  EXPECT_EQ(records("a").size(), 22u);
}

TEST_F(Verify, AnUnfinishedWriteIsNoDamage) {
  const disk::Path path = segments("a").back();
  auto file = disk_.open_append(path).value();
  ASSERT_TRUE(file->append("torn"));
  file.reset();
  const VerifyReport report = verify();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_FALSE(report.damaged());
  EXPECT_TRUE(repair().steps.empty());
}

TEST_F(Verify, AMissingSegmentLeavesAGap) {
  const auto paths = segments("a");
  ASSERT_TRUE(disk_.remove(paths[1]));
  EXPECT_TRUE(verify().damaged());
  repair_and_reopen();
  EXPECT_LT(records("a").size(), 20u);
  EXPECT_EQ(records("a").begin()->first, 0);
  EXPECT_EQ(records("a").rbegin()->first, 19);
  EXPECT_EQ(write("a", "goes on"), 20);
}

TEST_F(Verify, AMissingFirstSegmentMovesTheLogStart) {
  ASSERT_TRUE(disk_.remove(segments("a")[0]));
  EXPECT_TRUE(verify().damaged());
  repair_and_reopen();
  EXPECT_GT(log_->offsets({"a", PartitionId(0)})->begin, Offset(0));
  EXPECT_EQ(write("a", "goes on"), 20);
}

TEST_F(Verify, AMissingPartitionIsMadeAnew) {
  ASSERT_TRUE(disk_.remove_tree(partition_folder("a", 1)));
  EXPECT_TRUE(verify().damaged());
  repair_and_reopen();
  EXPECT_EQ(produce("a", {text("x")}, PartitionId(1))[0]->offset, Offset(0));
}

TEST_F(Verify, AManifestIsMadeFromTheFolder) {
  const disk::Path path = partition_folder("a").parent_path() / "topic.json";
  disk_.flip_byte(path, 20);
  const VerifyReport report = verify();
  ASSERT_TRUE(report.damaged());
  EXPECT_EQ(report.findings[0].file, path);
  repair_and_reopen();
  EXPECT_EQ(log_->topic("a")->partitions, 2);
  EXPECT_EQ(records("a").size(), 20u);
}

TEST_F(Verify, AnIndexIsBuiltAgainByItself) {
  for (const disk::Path& path : files_below("/log/topics"))
    if (path.extension() == ".index") disk_.flip_byte(path, 6);
  const VerifyReport report = verify();
  EXPECT_FALSE(report.findings.empty());
  EXPECT_FALSE(report.damaged());
  repair_and_reopen();
  EXPECT_EQ(records("a").size(), 20u);
}

TEST_F(Verify, AStateThatCannotBeReadIsMadeAnew) {
  reopen();
  ASSERT_TRUE(log_->delete_records({"a", PartitionId(0)}, Offset(3)));
  log_.reset();
  disk_.flip_byte(partition_folder("a") / "partition.state", 6);
  EXPECT_TRUE(verify().damaged());
  repair_and_reopen();
  EXPECT_EQ(records("a").rbegin()->first, 19);
  EXPECT_EQ(write("a", "goes on"), 20);
}

// Whatever byte of whatever file is flipped: it is found or harmless; after repair all opens, what was not hit is there, and
// records are taken.
TEST_F(Verify, AnyFlippedByteCanBeRepaired) {
  const auto sound = all_bytes();
  Random random(5);
  for (int round = 0; round < 150; ++round) {
    for (const disk::Path& path : files_below("/log"))
      if (!sound.contains(path)) ASSERT_TRUE(disk_.remove(path));
    for (const auto& [path, bytes] : sound) ASSERT_TRUE(disk_.write_file(path, bytes));
    auto victim = sound.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(random.below(sound.size())));
    if (victim->second.empty() || victim->first.filename() == "format") continue;
    const std::uint64_t at = random.below(victim->second.size());
    disk_.flip_byte(victim->first, at);
    SCOPED_TRACE(fmt::format("round {}: {} at {}", round, victim->first.string(), at));
    repair_and_reopen();
    const auto left = records("a");
    EXPECT_GE(left.size(), 19u);
    for (const auto& [offset, value] : left) EXPECT_EQ(value, "value " + std::to_string(offset));
    EXPECT_GE(write("a", "goes on"), 19) << last_error_.message;
    EXPECT_GE(write("b", "goes on"), 19) << last_error_.message;
    log_.reset();
  }
}

// The power goes at each disk operation of a repair; the next one finishes the work.
TEST_F(Verify, AnInterruptedRepairIsFinishedByTheNext) {
  disk_.flip_byte(segments("a")[1], 65);
  ASSERT_TRUE(disk_.remove(segments("b")[0]));
  const auto damaged = all_bytes();
  constexpr std::uint64_t kOperations = 100;  // More than there are.
  for (std::uint64_t cut = 1; cut <= kOperations; ++cut) {
    for (const disk::Path& path : files_below("/log"))
      if (!damaged.contains(path)) ASSERT_TRUE(disk_.remove(path));
    for (const auto& [path, bytes] : damaged) ASSERT_TRUE(disk_.write_file(path, bytes));
    disk_.lose_power_at(cut);
    (void)repair_log("/log", disk_, RepairMode::kDo);
    Random random(cut);
    disk_.crash(random);
    SCOPED_TRACE(cut);
    repair_and_reopen();
    EXPECT_EQ(records("a").size(), 19u);
    log_.reset();
  }
}

}  // namespace
}  // namespace pinflow::log
