// What a commit does about commits of others that come before it (PROTOCOL.md leaves it to writers; docs/formats/delta.md says what ours do).
#include "delta/check.h"
#include "delta/maintenance.h"
#include "delta/table_fixture.h"

namespace pinflow::delta {
namespace {

class Conflicts : public DeltaTable {
 protected:
  // Another writer commits these lines, as the next version, just before our next try.
  void slip_in(std::string lines) {
    store_->before_put_new = [this, lines = std::move(lines)] {
      const int next = static_cast<int>(read().version.value()) + 1;
      EXPECT_TRUE(real_store_->put_new(log_file(next), lines).has_value());
    };
  }
  // The table's metaData with another text in place of one.
  std::string metadata_with(std::string_view from, std::string_view to) {
    const std::string commit = get(log_file(0));
    const std::size_t begin = commit.find(R"({"metaData")");
    std::string line = commit.substr(begin, commit.find('\n', begin) - begin + 1);
    const std::size_t at = line.find(from);
    EXPECT_NE(at, line.npos) << line;
    return line.replace(at, from.size(), to);
  }
  Result<Version> append_rows(Table& table, std::vector<Transaction> transactions = {}) {
    return table.append(write(table, rows(0, 10)), std::move(transactions));
  }
  void expect_nothing_of_ours(int version) { EXPECT_FALSE(real_store_->describe(log_file(version)).has_value()); }
};

TEST_F(Conflicts, AFeatureThatSomebodyTurnedOnStopsUs) {
  auto table = open();
  slip_in(R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],)"
          R"("writerFeatures":["deletionVectors"]}})");
  const auto refused = append_rows(*table, {{"app:0", 9}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message.find("deletionVectors"), std::string::npos) << refused.error().message;
  expect_nothing_of_ours(2);
}

TEST_F(Conflicts, DutiesThatSomebodyLaidOnWritersStopUs) {
  auto table = open();
  slip_in(R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["domainMetadata"]}})"
          "\n"
          R"({"domainMetadata":{"domain":"delta.clustering","configuration":"{}","removed":false}})");
  const auto refused = append_rows(*table);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message.find("domainMetadata"), std::string::npos) << refused.error().message;
  expect_nothing_of_ours(2);
}

TEST_F(Conflicts, AColumnThatSomebodyAddedIsNoObstacle) {
  auto table = open();
  slip_in(metadata_with(
      R"(]}","partitionColumns")",
      R"(,{\"name\":\"more\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns")"));
  const auto done = append_rows(*table);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(*done, Version(2));
  EXPECT_EQ(ask(fmt::format("SELECT count(*), count(more) FROM ({})", all_rows())).rows, ask("SELECT 10, 0").rows);
}

TEST_F(Conflicts, AColumnThatSomebodyChangedIsOne) {
  auto table = open();
  slip_in(metadata_with(R"(\"name\":\"said\")", R"(\"name\":\"told\")"));
  const auto refused = append_rows(*table);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message.find("told"), std::string::npos) << refused.error().message;
  expect_nothing_of_ours(2);
}

TEST_F(Conflicts, APartitioningThatSomebodyChangedIsOne) {
  auto table = open();
  slip_in(metadata_with(R"("partitionColumns":[])", R"("partitionColumns":["said"])"));
  const auto refused = append_rows(*table);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("partitioned by said"), std::string::npos) << refused.error().message;
  expect_nothing_of_ours(2);
}

TEST_F(Conflicts, ARewriteGivesWayToAnotherSchema) {
  auto table = open();
  for (int i = 0; i < 8; ++i) append(*table, i, i + 1);
  slip_in(metadata_with(R"("configuration":{})", R"("configuration":{"delta.dataSkippingNumIndexedCols":"3"})"));
  const auto report = optimize(*table, context(), "pins", {});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->conflicts, 1U);
  EXPECT_EQ(read().files.size(), 8U);
}

TEST_F(Conflicts, RowsThatSomebodyElseRemovedDoNotHinderAnAppend) {
  auto table = open();
  append(*table, 10, 20);
  slip_in(fmt::format(R"({{"remove":{{"path":"{}","deletionTimestamp":1,"dataChange":true}}}})",
                      table->snapshot().files.begin()->first));
  ASSERT_TRUE(append_rows(*table).has_value());
  expect_rows(0, 10);
}

TEST_F(Conflicts, ALostPutWhosePlaceAnotherTookIsTriedBehindIt) {
  auto table = open();
  auto other = open();
  store_->answer = StageStore::Answer::kLostBeforePut;
  store_->before_put_new = [&] {
    // The other's own put is not to be lost.
    const auto fault = std::exchange(store_->answer, StageStore::Answer::kTrue);
    append(*other, 10, 20, {{"app:1", 19}});
    store_->answer = fault;
  };
  const auto done = append_rows(*table, {{"app:0", 9}});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(*done, Version(2));
  expect_rows(0, 20);
}

TEST_F(Conflicts, ALostPutWhosePositionATwinMovedIsAConflict) {
  auto table = open();
  auto twin = open();
  store_->answer = StageStore::Answer::kLostBeforePut;
  store_->before_put_new = [&] {
    const auto fault = std::exchange(store_->answer, StageStore::Answer::kTrue);
    append(*twin, 0, 10, {{"app:0", 9}});
    store_->answer = fault;
  };
  const auto late = append_rows(*table, {{"app:0", 9}});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  expect_rows(0, 10);
}

TEST_F(Conflicts, ManyWritersTakeEachVersionOnce) {
  std::vector<std::unique_ptr<Table>> writers;
  for (int i = 0; i < 3; ++i) writers.push_back(open());
  Random order(5);
  for (int n = 0; n < 12; ++n) {
    // Each sees only what it saw at its own last commit.
    append(*writers[order.below(3)], n * 10, n * 10 + 10, {{fmt::format("app:{}", n), 1}});
  }
  EXPECT_EQ(read().version, Version(12));
  expect_rows(0, 120);
  EXPECT_TRUE(check_table(*real_store_, *engine_, "pins")->findings.empty());
}

TEST_F(Conflicts, ADurationThatForgetsPositionsIsWarnedOf) {
  open();
  ASSERT_TRUE(
      real_store_
          ->put_new(log_file(1),
                    metadata_with(R"("configuration":{})",
                                  R"("configuration":{"delta.setTransactionRetentionDuration":"interval 7 days"})"))
          .has_value());
  struct Kept final : Logger {
    void write(Severity, std::string_view message, std::span<const LogField>) override {
      messages.emplace_back(message);
    }
    std::vector<std::string> messages;
  } kept;
  ASSERT_TRUE(open_table({*store_, *engine_, clock_, random_, kept}, spec()).has_value());
  ASSERT_EQ(kept.messages.size(), 1U);
  EXPECT_NE(kept.messages[0].find("delta.setTransactionRetentionDuration"), std::string::npos);
}

}  // namespace
}  // namespace pinflow::delta
