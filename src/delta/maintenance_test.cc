#include "delta/maintenance.h"

#include "delta/history.h"
#include "delta/internal/properties.h"
#include "delta/table_fixture.h"

namespace pinflow::delta {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;

class Maintenance : public DeltaTable {
 protected:
  // Appends files of ten rows each: rows [0, 10 * files).
  void append_files(Table& table, int files, int from = 0) {
    for (int i = from; i < from + files; ++i) append(table, i * 10, i * 10 + 10);
  }
  OptimizeReport optimized(Table& table, OptimizeOptions options) {
    auto report = optimize(table, context(), "pins", options);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.value_or(OptimizeReport{});
  }
  VacuumReport vacuumed(VacuumOptions options = {}) {
    auto report = vacuum(context(), "pins", options);
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report.value_or(VacuumReport{});
  }
  // Makes all files of the log as old as if they had been written so many days ago.
  void age_log(int days) {
    for (const auto& file : fs::directory_iterator(folder_ / "tables/pins/_delta_log")) {
      fs::last_write_time(file, fs::last_write_time(file) - hours(24 * days));
    }
  }
  // Files carry the real time, so the clock starts there.
  void start_clock() { clock_.jump_wall(SystemClock().now() - clock_.now()); }
};

TEST_F(Maintenance, OptimizePutsSmallFilesTogetherInOneCommitThatChangesNoRows) {
  auto table = open();
  append_files(*table, 9);
  const auto report = optimized(*table, {});
  EXPECT_EQ(report.commits, 1U);
  EXPECT_EQ(report.removed_files, 9U);
  EXPECT_EQ(report.added_files, 1U);
  EXPECT_EQ(read().files.size(), 1U);
  expect_rows(0, 90);
  const std::string commit = get(log_file(10));
  EXPECT_NE(commit.find(R"("operation":"OPTIMIZE")"), commit.npos);
  EXPECT_EQ(commit.find(R"("dataChange":true)"), commit.npos) << "readers of changes would see the rows again";
}

TEST_F(Maintenance, OptimizeLeavesAFewFilesForLater) {
  auto table = open();
  append_files(*table, 7);
  EXPECT_EQ(optimized(*table, {}).commits, 0U);
  EXPECT_EQ(optimized(*table, {.least_files = 2}).commits, 1U);
  EXPECT_EQ(optimized(*table, {.least_files = 2}).commits, 0U);
  expect_rows(0, 70);
}

TEST_F(Maintenance, EachRowIsRewrittenOnceForEachStepOfSize) {
  auto table = open();
  std::size_t removed = 0;
  for (int i = 0; i < 64; ++i) {
    append_files(*table, 1, i);
    removed += optimized(*table, {.target = 100_KiB, .least_files = 4}).removed_files;
  }
  // 64 files of about a kilobyte are one step: each run of four is put together, and the results are of the same step again.
  EXPECT_LE(removed, 64U + 64U / 3U);
  EXPECT_LT(read().files.size(), 5U);
  expect_rows(0, 640);
}

TEST_F(Maintenance, AppendsOfOthersDoNotDisturbARewrite) {
  auto table = open();
  append_files(*table, 8);
  auto other = open();
  store_->before_put_new = [&] { append(*other, 80, 90); };
  const auto report = optimized(*table, {});
  EXPECT_EQ(report.commits, 1U);
  EXPECT_EQ(read().files.size(), 2U);
  expect_rows(0, 90);
}

TEST_F(Maintenance, TwoWhoOptimizeTheSameFilesDoItOnce) {
  auto table = open();
  append_files(*table, 8);
  auto other = open();
  store_->before_put_new = [&] { EXPECT_EQ(optimized(*other, {}).commits, 1U); };
  const auto report = optimized(*table, {});
  EXPECT_EQ(report.commits, 0U);
  EXPECT_EQ(report.conflicts, 1U);
  EXPECT_EQ(read().files.size(), 1U);
  expect_rows(0, 80);
  EXPECT_EQ(data_files(), 9U) << "the file of the one who lost is taken away";
}

TEST_F(Maintenance, ARewriteThatWouldLoseRowsIsRefused) {
  auto table = open();
  append_files(*table, 2);
  const auto refused = table->rewrite({table->snapshot().files.begin()->first}, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("would lose 10 rows"), std::string::npos) << refused.error().message;
  expect_rows(0, 20);
}

TEST_F(Maintenance, AppendOnlyTablesMayBeOptimized) {
  TableSpec wanted = spec();
  wanted.append_only = true;
  auto table = open(wanted);
  append_files(*table, 8);
  EXPECT_EQ(optimized(*table, {}).commits, 1U);
}

TEST_F(Maintenance, VacuumRemovesWhatNobodyMayNeedAndNothingElse) {
  start_clock();
  auto table = open();
  append_files(*table, 8);
  const auto orphan = write(*table, rows(0, 5));  // Perhaps about to be committed.
  optimized(*table, {});
  EXPECT_TRUE(vacuumed().files.empty()) << "versions of today can still be read";
  EXPECT_EQ(vacuumed().kept, 1U);

  clock_.advance(hours(8 * 24));
  const auto planned = vacuumed({.dry_run = true});
  EXPECT_EQ(planned.files.size(), 9U);
  EXPECT_EQ(data_files(), 10U);
  const auto done = vacuumed();
  EXPECT_EQ(done.files, planned.files);
  EXPECT_EQ(done.bytes, planned.bytes);
  EXPECT_EQ(data_files(), 1U);
  EXPECT_FALSE(real_store_->describe("pins/" + orphan[0].path).has_value());
  expect_rows(0, 80);
}

TEST_F(Maintenance, VacuumKeepsWhatWasRemovedWithinTheRetentionHoweverOldTheFile) {
  start_clock();
  auto table = open();
  append_files(*table, 8);
  clock_.advance(hours(30 * 24));
  optimized(*table, {});
  EXPECT_TRUE(vacuumed().files.empty());
  EXPECT_EQ(data_files(), 9U);
}

TEST_F(Maintenance, VacuumDoesNotTouchHiddenNames) {
  start_clock();
  auto table = open();
  append_files(*table, 1);
  ASSERT_TRUE(real_store_->put("pins/_change_data/x.parquet", "x").has_value());
  clock_.advance(hours(30 * 24));
  EXPECT_TRUE(vacuumed().files.empty());
  EXPECT_TRUE(real_store_->get(log_file(0)).has_value());
}

TEST_F(Maintenance, AShortRetentionIsRefusedUnlessItIsAllowed) {
  start_clock();
  auto table = open();
  append_files(*table, 8);
  optimized(*table, {});
  clock_.advance(hours(2));
  const auto refused = vacuum(context(), "pins", {.retention = hours(1)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(vacuumed({.retention = hours(1), .allow_short = true}).files.size(), 8U);
  expect_rows(0, 80);
}

TEST_F(Maintenance, OldCommitsGoBehindACheckpointAndOnlyThere) {
  start_clock();
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 10;
  auto table = open(wanted);
  append_files(*table, 15);  // Checkpoint at 10; commits 0 to 15.
  age_log(32);
  clock_.advance(hours(24));  // The next day's first checkpoint looks at the age of the log.
  append_files(*table, 5, 15);
  EXPECT_FALSE(real_store_->describe(log_file(9)).has_value());
  EXPECT_TRUE(real_store_->describe(log_file(10)).has_value()) << "the checkpoint's own commit stays with it";
  EXPECT_TRUE(real_store_->describe(log_file(15)).has_value());
  expect_rows(0, 200);
  EXPECT_EQ(read_snapshot(*real_store_, *engine_, "pins", Version(12)).value().rows(), 120);
  const auto gone = read_snapshot(*real_store_, *engine_, "pins", Version(5));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound) << gone.error().message;
}

TEST_F(Maintenance, TheLogStaysWhereNoCheckpointIsOldEnough) {
  start_clock();
  TableSpec wanted = spec();
  wanted.checkpoint_interval = 10;
  auto table = open(wanted);
  append_files(*table, 5);
  age_log(32);
  append_files(*table, 5, 5);
  EXPECT_TRUE(real_store_->describe(log_file(0)).has_value());
}

TEST_F(Maintenance, AStateIsReadAsOfAVersionOrATime) {
  auto table = open();
  append_files(*table, 3);
  const auto at = [&](const AsOf& as_of) { return read_snapshot(*real_store_, *engine_, "pins", as_of); };
  EXPECT_EQ(at(Version(2)).value().rows(), 20);
  EXPECT_EQ(at(Version(0)).value().rows(), 0);
  EXPECT_EQ(at({}).value().rows(), 30);
  EXPECT_EQ(at(Version(9)).error().code, ErrorCode::kNotFound);
  const auto history = read_history(*real_store_, *engine_, "pins", 10).value();
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(at(history[1].time).value().version, Version(2));
  EXPECT_EQ(at(history[0].time + hours(1)).value().version, Version(3));
  EXPECT_EQ(at(history[3].time - hours(1)).error().code, ErrorCode::kNotFound);
}

TEST_F(Maintenance, HistoryTellsWhatEachCommitDid) {
  auto table = open();
  append(*table, 0, 10, {{"lane:pins:0", 9}});
  append_files(*table, 7, 1);
  optimized(*table, {});
  const auto history = read_history(*real_store_, *engine_, "pins", 100).value();
  ASSERT_EQ(history.size(), 10U);
  EXPECT_EQ(history[0].operation, "OPTIMIZE");
  EXPECT_EQ(history[0].removed_files, 8);
  EXPECT_FALSE(history[0].data_change);
  EXPECT_EQ(history[8].operation, "STREAMING UPDATE");
  EXPECT_EQ(history[8].added_rows, 10);
  ASSERT_EQ(history[8].transactions.size(), 1U);
  EXPECT_EQ(history[8].transactions[0].version, 9);
  EXPECT_EQ(history[9].operation, "CREATE TABLE");
  for (std::size_t i = 1; i < history.size(); ++i) EXPECT_LT(history[i].time, history[i - 1].time);
  EXPECT_EQ(read_history(*real_store_, *engine_, "pins", 2).value().size(), 2U);
  EXPECT_EQ(read_history(*real_store_, *engine_, "none", 2).error().code, ErrorCode::kNotFound);
}

TEST_F(Maintenance, AColumnIsAddedAtTheEndAndOlderFilesReadAsNull) {
  append_files(*open(), 2);
  TableSpec wider = spec();
  wider.schema.push_back({"since", "date"});
  auto table = open(wider);
  EXPECT_EQ(table->snapshot().version, Version(3));
  EXPECT_EQ(ask(fmt::format("SELECT count(*), count(since) FROM ({})", all_rows())).rows, ask("SELECT 20, 0").rows);
  const auto refused = table->write_files(*session_, rows(20, 21));
  EXPECT_FALSE(refused.has_value());
}

TEST_F(Maintenance, ATableWithMoreColumnsThanOursIsWrittenWithoutThem) {
  TableSpec wider = spec();
  wider.schema.push_back({"since", "date"});
  open(wider);
  auto table = open();
  append_files(*table, 8);
  EXPECT_EQ(read().schema.size(), 5U);
  EXPECT_EQ(optimized(*table, {}).commits, 1U) << "a rewrite keeps all columns";
  EXPECT_EQ(ask(fmt::format("SELECT count(*), count(since) FROM ({})", all_rows())).rows, ask("SELECT 80, 0").rows);
}

TEST(TableProperties, IntervalsAreReadAsOtherWritersSpellThem) {
  EXPECT_EQ(internal::parse_interval("interval 30 days"), hours(720));
  EXPECT_EQ(internal::parse_interval("interval 1 week"), hours(168));
  EXPECT_EQ(internal::parse_interval("12 hours"), hours(12));
  EXPECT_EQ(internal::parse_interval("interval 5 fortnights"), std::nullopt);
  EXPECT_EQ(internal::parse_interval("30"), std::nullopt);
  EXPECT_EQ(internal::parse_interval("interval -1 days"), std::nullopt);
}

}  // namespace
}  // namespace pinflow::delta
