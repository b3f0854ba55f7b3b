#include "log/internal/group_journal.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"

namespace pinflow::log {
namespace {

class GroupJournalTest : public testing::Test {
 protected:
  std::unique_ptr<GroupJournal> open() {
    auto journal =
        std::make_unique<GroupJournal>(GroupJournal::Options{disk_, logger_, "/j", Durability::kPower, false, 4'096});
    report_ = {};
    EXPECT_TRUE(journal->load(report_));
    return journal;
  }
  static GroupCommit commit(std::string group, std::uint8_t topic, std::int64_t offset) {
    return {std::move(group), {{{topic}, 0, Offset(offset)}}};
  }
  static void store(GroupJournal& journal, const GroupCommit& commit) {
    ASSERT_TRUE(journal.append({commit}));
    ASSERT_TRUE(journal.sync());
  }

  disk::MemoryDisk disk_;
  NullLogger logger_;
  RecoveryReport report_;
};

TEST(GroupJournalFrame, HoldsWhatWasPutIn) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    std::vector<GroupCommit> commits(1 + random.below(4));
    for (GroupCommit& commit : commits) {
      commit.group = std::string(random.below(300), 'g');
      commit.entries.resize(random.below(5));
      for (auto& entry : commit.entries) {
        entry.topic[3] = static_cast<std::uint8_t>(random());
        entry.partition = static_cast<std::int32_t>(random.below(100));
        entry.offset = Offset(static_cast<std::int64_t>(random() >> 1));
      }
    }
    const std::string frame = encode_frame(commits);
    const JournalScan scan = scan_journal(frame);
    EXPECT_EQ(scan.commits, commits);
    EXPECT_EQ(scan.valid_size, frame.size());
    EXPECT_FALSE(scan.damaged);
  }
}

TEST_F(GroupJournalTest, StaysSmallUnderManyCommits) {
  auto journal = open();
  for (int i = 0; i < 2'000; ++i) {
    store(*journal, commit(fmt::format("group {}", i % 5), 1, i));
    ASSERT_LT(disk_.describe("/j")->size, 5'000u);
  }
  journal = open();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(journal->positions(fmt::format("group {}", i)).front().offset, Offset(1'995 + i));
}

TEST_F(GroupJournalTest, GrowsWithWhatIsLive) {
  auto journal = open();
  for (int i = 0; i < 500; ++i) store(*journal, commit(fmt::format("group {}", i), 1, i));
  journal = open();
  for (int i = 0; i < 500; ++i) EXPECT_EQ(journal->positions(fmt::format("group {}", i)).front().offset, Offset(i));
}

TEST_F(GroupJournalTest, ForgetsADeletedTopic) {
  auto journal = open();
  store(*journal, commit("g", 1, 7));
  store(*journal, commit("g", 2, 8));
  Uuid topic;
  topic.bytes = {1};
  journal->forget_topic(topic);
  ASSERT_EQ(journal->positions("g").size(), 1u);
  EXPECT_EQ(journal->positions("g").front().offset, Offset(8));
}

TEST_F(GroupJournalTest, ShowsNothingBeforeItIsDurable) {
  auto journal = open();
  ASSERT_TRUE(journal->append({commit("g", 1, 7)}));
  EXPECT_TRUE(journal->positions("g").empty());
  ASSERT_TRUE(journal->sync());
  EXPECT_EQ(journal->positions("g").size(), 1u);
}

}  // namespace
}  // namespace pinflow::log
