#include <map>

#include <gtest/gtest.h>

#include "log/log_fixture.h"

namespace pinflow::log {
namespace {

// What the embedded log keeps of consumer groups.
class GroupPositions : public LogFixture {
 protected:
  using Call = std::function<void(Done)>;

  // Calls, and gives what was answered.
  Result<void> ask(const Call& call) {
    std::promise<Result<void>> answer;
    call([&](Result<void> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  Result<void> commit(const std::string& group, std::vector<GroupOffset> offsets) {
    return ask([&](Done done) { log_->commit_offsets_later(group, std::move(offsets), std::move(done)); });
  }
  static GroupOffset at(const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
    return {{topic, PartitionId(partition)}, Offset(offset), 4, "a note"};
  }
  std::vector<GroupOffset> committed(const std::string& group) { return log_->committed_offsets(group).value(); }
};

TEST_F(GroupPositions, KeepEpochAndMetadata) {
  reopen();
  create("b", 2);
  create("a");
  ASSERT_TRUE(commit("g", {at("b", 5, 1), at("a", 7), at("b", 6)}));
  for (const bool restarted : {false, true}) {
    if (restarted) reopen();
    const auto positions = committed("g");
    ASSERT_EQ(positions.size(), 3u);
    EXPECT_EQ(positions[0].partition.topic, "a");
    EXPECT_EQ(positions[2].offset, Offset(5));
    for (const GroupOffset& position : positions) {
      EXPECT_EQ(position.leader_epoch, 4);
      EXPECT_EQ(position.metadata, "a note");
    }
  }
}

TEST_F(GroupPositions, RefuseWhatCannotBe) {
  reopen();
  create("a");
  EXPECT_EQ(commit("", {at("a", 1)}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(commit(std::string(1'025, 'g'), {at("a", 1)}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(commit("g", {at("a", -1)}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(commit("g", {at("a", 1, 1)}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(commit("g", {at("x", 1)}).error().code, ErrorCode::kNotFound);
  GroupOffset long_note = at("a", 1);
  long_note.metadata = std::string(70'000, 'n');
  EXPECT_EQ(commit("g", {long_note}).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(log_->groups().empty());
}

TEST_F(GroupPositions, AreDeletedOneByOneByAgeAndByGroup) {
  reopen();
  create("a", 3);
  ASSERT_TRUE(commit("g", {at("a", 1, 0), at("a", 2, 1)}));
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(commit("g", {at("a", 3, 2)}));
  ASSERT_TRUE(commit("h", {at("a", 1)}));
  ASSERT_TRUE(ask([&](Done done) {
    log_->delete_offsets("g", {{"a", PartitionId(0)}, {"gone", PartitionId(0)}}, std::move(done));
  }));
  EXPECT_EQ(committed("g").size(), 2u);
  ASSERT_TRUE(ask([&](Done done) { log_->delete_old_offsets("g", clock_.now(), std::move(done)); }));
  ASSERT_EQ(committed("g").size(), 1u);
  EXPECT_EQ(committed("g")[0].offset, Offset(3));
  ASSERT_TRUE(ask([&](Done done) { log_->store_group_state("h", "state", std::move(done)); }));
  ASSERT_TRUE(ask([&](Done done) { log_->delete_group("h", std::move(done)); }));
  reopen();
  EXPECT_EQ(committed("g").size(), 1u);
  EXPECT_EQ(log_->groups(), std::vector<std::string>{"g"});
  EXPECT_TRUE(log_->group_states().empty());
}

TEST_F(GroupPositions, GoWithTheirTopic) {
  reopen();
  create("a");
  create("b");
  ASSERT_TRUE(commit("g", {at("a", 1), at("b", 2)}));
  ASSERT_TRUE(commit("h", {at("a", 1)}));
  ASSERT_TRUE(log_->delete_topic("a"));
  for (const bool restarted : {false, true}) {
    if (restarted) reopen();
    ASSERT_EQ(committed("g").size(), 1u);
    EXPECT_EQ(committed("g")[0].partition.topic, "b");
    EXPECT_EQ(log_->groups(), std::vector<std::string>{"g"});
  }
  create("a");
  EXPECT_EQ(committed("g").size(), 1u);
}

TEST_F(GroupPositions, ShareTheCommitOfRecords) {
  reopen();
  create("a");
  write("a", "first");
  const auto syncs = [&] { return disk_.count(disk::Operation::kSync); };
  ASSERT_TRUE(commit("g", {at("a", 1)}));
  const auto before = syncs();
  auto produced = produce_later("a", {text("second")});
  ASSERT_TRUE(commit("g", {at("a", 2)}));
  ASSERT_TRUE(produced.get()[0]);
  EXPECT_LE(syncs() - before, 2u);
}

// What was acknowledged is there after the power was cut at any operation, and what was deleted is not.
TEST_F(GroupPositions, SurviveThePowerCutAtEveryOperation) {
  for (std::uint64_t cut = 1; cut < 60; ++cut) {
    SCOPED_TRACE(cut);
    options_.folder = fmt::format("/log{}", cut);
    reopen();
    create("a", 2);
    std::int64_t stored = -1;
    std::int64_t tried = -1;
    std::string state;
    std::string tried_state;
    bool deleted = false;
    disk_.lose_power_at(cut);
    for (int i = 0; i < 8; ++i) {
      tried = i;
      if (!commit("g", {at("a", i)})) break;
      stored = i;
      tried_state = std::to_string(i);
      if (!ask([&](Done done) { log_->store_group_state("s", tried_state, std::move(done)); })) break;
      state = tried_state;
      if (i != 4) continue;
      (void)commit("d", {at("a", 1, 1)});
      deleted = ask([&](Done done) { log_->delete_group("d", std::move(done)); }).has_value();
      if (!deleted) break;
    }
    Random random(cut);
    crash(random);
    reopen();
    const auto positions = committed("g");
    const std::int64_t found = positions.empty() ? -1 : positions[0].offset.value();
    EXPECT_GE(found, stored);
    EXPECT_LE(found, tried);
    const auto states = log_->group_states();
    const std::string found_state = states.empty() ? "" : states[0].second;
    EXPECT_TRUE(found_state == state || found_state == tried_state) << found_state;
    if (deleted) EXPECT_TRUE(committed("d").empty());
    EXPECT_TRUE(commit("g", {at("a", 100)}));
    log_.reset();
  }
}

}  // namespace
}  // namespace pinflow::log
