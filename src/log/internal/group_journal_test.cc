#include "log/internal/group_journal.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"

namespace pinflow::log {
namespace {

constexpr WallTime kNow(std::chrono::milliseconds(1'700'000'000'000));

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}
std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

class GroupJournalTest : public testing::Test {
 protected:
  std::unique_ptr<GroupJournal> open() {
    auto journal =
        std::make_unique<GroupJournal>(GroupJournal::Options{disk_, logger_, "/j", Durability::kPower, false, 4'096});
    report_ = {};
    EXPECT_TRUE(journal->load(report_, kNow));
    return journal;
  }
  static GroupChange commit(std::string group, std::uint8_t topic, std::int64_t offset, WallTime time = kNow) {
    return {GroupChange::Kind::kCommit, std::move(group), {{{topic}, 0, Offset(offset), 3, time, "note"}}, {}, {}};
  }
  static GroupChange state(std::string group, std::string state) {
    return {GroupChange::Kind::kState, std::move(group), {}, {}, std::move(state)};
  }
  static void store(GroupJournal& journal, const GroupChange& change) {
    ASSERT_TRUE(journal.append({change}));
    ASSERT_TRUE(journal.sync());
  }

  disk::MemoryDisk disk_;
  NullLogger logger_;
  RecoveryReport report_;
};

GroupChange random_change(Random& random) {
  GroupChange change;
  change.kind = static_cast<GroupChange::Kind>(1 + random.below(5));
  change.group = std::string(random.below(300), 'g');
  if (change.kind == GroupChange::Kind::kForgetOld) change.before = kNow;
  if (change.kind == GroupChange::Kind::kState) change.state = std::string(random.below(3'000), 's');
  if (change.kind != GroupChange::Kind::kCommit && change.kind != GroupChange::Kind::kForgetPositions) return change;
  change.positions.resize(random.below(5));
  for (GroupPosition& position : change.positions) {
    position.topic[3] = static_cast<std::uint8_t>(random());
    position.partition = static_cast<std::int32_t>(random.below(100));
    if (change.kind != GroupChange::Kind::kCommit) continue;
    position.offset = Offset(static_cast<std::int64_t>(random() >> 1));
    position.leader_epoch = static_cast<std::int32_t>(random.below(10)) - 1;
    position.committed = kNow;
    position.metadata = std::string(random.below(200), 'm');
  }
  return change;
}

TEST(GroupJournalFrame, HoldsWhatWasPutIn) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<GroupChange> changes;
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i) changes.push_back(random_change(random));
    const std::string frame = encode_frame(changes);
    const JournalScan scan = scan_journal(frame);
    EXPECT_EQ(scan.changes, changes);
    EXPECT_EQ(scan.valid_size, frame.size());
    EXPECT_FALSE(scan.damaged);
    EXPECT_FALSE(scan.old_format);
  }
}

TEST(GroupJournalFrame, IsWrittenAsDocumented) {
  const GroupChange change{GroupChange::Kind::kCommit, "g", {{{}, 0, Offset(7), 2, kNow, "ab"}}, {}, {}};
  EXPECT_EQ(hex(encode_frame({&change, 1})),
            "50464732"
            "00000034"
            "f218d189"
            "01"
            "0001"
            "67"
            "00000001"
            "00000000000000000000000000000000"
            "00000000"
            "0000000000000007"
            "00000002"
            "0000018bcfe56800"
            "0002"
            "6162");
}

TEST(GroupJournalFrame, CutShortAnywhereIsNoFrame) {
  Random random(2);
  for (int round = 0; round < 20; ++round) {
    const GroupChange change = random_change(random);
    const std::string frame = encode_frame({&change, 1});
    for (std::size_t size = 0; size < frame.size(); ++size)
      ASSERT_TRUE(scan_journal(std::string_view(frame).substr(0, size)).changes.empty());
  }
}

TEST_F(GroupJournalTest, ReadsFramesOfFormat1AndWritesThemAnew) {
  const std::string frame = unhex(
      "5046473100000023"
      "e25eac50"
      "0001"
      "67"
      "00000001"
      "01000000000000000000000000000000"
      "00000000"
      "0000000000000007");
  ASSERT_TRUE(disk_.write_file("/j", frame));
  const auto journal = open();
  const GroupPosition expected{{1}, 0, Offset(7), -1, kNow, ""};
  EXPECT_EQ(journal->positions("g"), std::vector{expected});
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_EQ(disk_.read_file("/j")->substr(0, 4), "PFG2");
}

TEST_F(GroupJournalTest, KeepsEpochMetadataAndTimeOverARestart) {
  auto journal = open();
  store(*journal, commit("g", 1, 7, kNow - std::chrono::hours(1)));
  journal = open();
  const GroupPosition expected{{1}, 0, Offset(7), 3, kNow - std::chrono::hours(1), "note"};
  EXPECT_EQ(journal->positions("g"), std::vector{expected});
}

TEST_F(GroupJournalTest, KeepsTheLastStateOfAGroupOverARestart) {
  auto journal = open();
  store(*journal, state("g", "first"));
  store(*journal, state("h", "other"));
  store(*journal, state("g", "second"));
  store(*journal, state("h", ""));
  journal = open();
  const std::vector<std::pair<std::string, std::string>> expected{{"g", "second"}};
  EXPECT_EQ(journal->states(), expected);
  EXPECT_EQ(journal->groups(), std::vector<std::string>{"g"});
}

TEST_F(GroupJournalTest, ForgetsWhatItIsToldToAlsoAfterARestart) {
  for (const bool restart : {false, true}) {
    disk_.remove("/j").value();
    auto journal = open();
    for (std::uint8_t topic = 1; topic < 4; ++topic) store(*journal, commit("g", topic, topic));
    store(*journal, {GroupChange::Kind::kForgetPositions, "g", {{{2}, 0, {}, -1, {}, ""}}, {}, {}});
    store(*journal, commit("old", 1, 1, kNow - std::chrono::hours(2)));
    store(*journal, commit("old", 2, 1, kNow));
    EXPECT_TRUE(journal->has_older("old", kNow));
    store(*journal, {GroupChange::Kind::kForgetOld, "old", {}, kNow, {}});
    store(*journal, commit("gone", 1, 1));
    store(*journal, state("gone", "state"));
    store(*journal, {GroupChange::Kind::kForgetGroup, "gone", {}, {}, {}});
    if (restart) journal = open();
    ASSERT_EQ(journal->positions("g").size(), 2u);
    EXPECT_EQ(journal->positions("g")[1].topic[0], 3);
    ASSERT_EQ(journal->positions("old").size(), 1u);
    EXPECT_EQ(journal->positions("old")[0].topic[0], 2);
    EXPECT_FALSE(journal->has_older("old", kNow));
    EXPECT_FALSE(journal->knows("gone"));
    EXPECT_TRUE(journal->states().empty());
  }
}

TEST_F(GroupJournalTest, KeepsPositionsOfKnownTopicsOnly) {
  auto journal = open();
  store(*journal, commit("g", 1, 7));
  store(*journal, commit("g", 2, 8));
  store(*journal, commit("h", 1, 9));
  journal->keep_topics({{Uuid{{2}}}});
  EXPECT_EQ(journal->groups(), std::vector<std::string>{"g"});
  EXPECT_EQ(journal->positions("g").size(), 1u);
}

TEST_F(GroupJournalTest, LosesOnlyTheFrameThatIsDamaged) {
  auto journal = open();
  store(*journal, commit("a", 1, 7));
  const std::uint64_t middle = disk_.describe("/j")->size + 20;
  store(*journal, commit("b", 1, 8));
  store(*journal, state("c", "state"));
  disk_.flip_byte("/j", middle);
  journal = open();
  EXPECT_EQ(report_.damage.size(), 1u);
  EXPECT_EQ(journal->groups(), (std::vector<std::string>{"a", "c"}));
  EXPECT_TRUE(disk_.describe("/j.damaged"));
  journal = open();
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_EQ(journal->groups(), (std::vector<std::string>{"a", "c"}));
}

TEST_F(GroupJournalTest, StaysSmallUnderManyCommits) {
  auto journal = open();
  for (int i = 0; i < 2'000; ++i) {
    store(*journal, commit(fmt::format("group {}", i % 5), 1, i));
    ASSERT_LT(disk_.describe("/j")->size, 6'000u);
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
