#include "delta/internal/partition.h"

#include <set>

#include "delta/check.h"
#include "delta/maintenance.h"
#include "delta/table_fixture.h"

namespace pinflow::delta {
namespace {

class Partitions : public DeltaTable {
 protected:
  static TableSpec by_day() {
    TableSpec wanted = spec();
    wanted.schema = {{"ind", "long"}, {"day", "date"}, {"said", "string"}, {"country", "string"}};
    wanted.partition_columns = {"day"};
    return wanted;
  }
  // Rows [from, to), ten a day from 2026-11-20 on.
  static std::string days(int from, int to) {
    return fmt::format(
        "SELECT n::BIGINT AS ind, DATE '2026-11-20' + (n // 10)::INTEGER AS day, 'said ' || n AS said, "
        "CASE WHEN n % 4 = 3 THEN NULL ELSE 'c' || n % 4 END AS country FROM range({}, {}) r(n)",
        from, to);
  }
  void expect_days(int from, int to) {
    const auto read = ask(all_rows() + " ORDER BY ind");
    const auto wanted = ask(days(from, to) + " ORDER BY ind");
    EXPECT_EQ(read.columns, wanted.columns);
    EXPECT_EQ(read.types, wanted.types);
    EXPECT_EQ(read.rows, wanted.rows);
  }
  void append_days(Table& table, int from, int to) {
    const auto done = table.append(write(table, days(from, to)), {});
    EXPECT_TRUE(done.has_value()) << done.error().message;
  }
  void expect_sound() {
    const auto report = check_table(*real_store_, *engine_, "pins");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    for (const CheckFinding& finding : report->findings) ADD_FAILURE() << finding.file << ": " << finding.what;
  }
  std::string refusal(const TableSpec& wanted) {
    const auto table = open_table(context(), wanted);
    EXPECT_FALSE(table.has_value());
    return table ? "" : table.error().message;
  }
  static testing::AssertionResult says(const std::string& text, std::string_view words) {
    if (text.find(words) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it says: " << text;
  }
};

TEST_F(Partitions, AFileHoldsTheRowsOfOneValueAndItsPathShowsIt) {
  auto table = open(by_day());
  const auto files = write(*table, days(0, 25));
  ASSERT_EQ(files.size(), 3U);
  EXPECT_TRUE(files[1].path.starts_with("day=2026-11-21/part-")) << files[1].path;
  EXPECT_EQ(files[1].rows, 10);
  EXPECT_EQ(files[1].partition_values, (PartitionValues{{"day", "2026-11-21"}}));
  EXPECT_EQ(files[1].statistics.find("day"), std::string::npos) << files[1].statistics;
  const auto stored =
      ask("DESCRIBE SELECT * FROM read_parquet(" + sql::quote_text((folder_ / "tables/pins" / files[1].path).string()) +
          ", hive_partitioning = false)");
  ASSERT_EQ(stored.rows.size(), 3U) << "the partition column lies in the log alone";
  ASSERT_TRUE(table->append(files, {}).has_value());
  EXPECT_TRUE(says(get(log_file(0)), R"("partitionColumns":["day"])"));
  EXPECT_TRUE(says(get(log_file(0)), R"("partitionBy":"[\"day\"]")"));
  EXPECT_TRUE(says(get(log_file(1)), R"("partitionValues":{"day":"2026-11-22"})"));
  expect_days(0, 25);
  expect_sound();
}

TEST_F(Partitions, RowsOfOneValueMakeOneFileAndNoRowsNone) {
  auto table = open(by_day());
  EXPECT_EQ(write(*table, days(3, 9)).size(), 1U);
  EXPECT_TRUE(write(*table, days(3, 3)).empty());
  EXPECT_TRUE(ask(all_rows()).rows.empty());
}

TEST_F(Partitions, SurviveACheckpointAndReopening) {
  TableSpec wanted = by_day();
  wanted.partition_columns = {"day", "country"};
  wanted.checkpoint_interval = 3;
  {
    auto table = open(wanted);
    append_days(*table, 0, 12);
    append_days(*table, 12, 21);
    ASSERT_TRUE(table->replace(write(*table, days(0, 30)), {}).has_value());
    append_days(*table, 30, 35);
  }
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(real_store_->remove(log_file(i)).has_value());
  EXPECT_EQ(read().version, Version(4));
  const auto& files = read().files;
  EXPECT_EQ(files.size(), 12U + 4U);
  std::set<std::string> countries;
  for (const auto& [path, file] : files) countries.insert(file.partition_values.at("country"));
  EXPECT_EQ(countries, (std::set<std::string>{"", "c0", "c1", "c2"}));
  expect_days(0, 35);
  expect_sound();
  auto table = open(wanted);
  append_days(*table, 35, 40);
  expect_days(0, 40);
}

TEST_F(Partitions, NullsAndOddTextsComeBackAsTheyWere) {
  TableSpec wanted = spec();
  wanted.schema = {{"ind", "long"}, {"tag", "string"}};
  wanted.partition_columns = {"tag"};
  auto table = open(wanted);
  const std::string select =
      "SELECT * FROM (VALUES (1::BIGINT, NULL), (2, 'Côte d''Ivoire'), (3, 'a/b=c%20?'), (4, '..'), (5, repeat('long', "
      "99)), "
      "(6, E'a\\nb')) r(ind, tag)";
  const auto files = write(*table, select);
  ASSERT_EQ(files.size(), 6U);
  for (const DataFile& file : files) {
    EXPECT_EQ(file.path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=-/"),
              std::string::npos)
        << file.path;
    EXPECT_LT(file.path.size(), 130U);
  }
  EXPECT_TRUE(files[0].path.starts_with("tag=") && files.back().path.starts_with("tag=__HIVE_DEFAULT_PARTITION__/"));
  ASSERT_TRUE(table->append(files, {}).has_value());
  EXPECT_TRUE(says(get(log_file(1)), R"("partitionValues":{"tag":null})"));
  EXPECT_EQ(ask(all_rows() + " ORDER BY ind").rows, ask(select + " ORDER BY ind").rows);
  // A null beside one other value, and null alone.
  for (const DataFile& file : files) {
    const auto one = select_files(*real_store_, "pins", read(), {file.path});
    ASSERT_TRUE(one.has_value());
    EXPECT_EQ(ask(*one).rows.size(), 1U);
  }
  expect_sound();
}

TEST_F(Partitions, TheEmptyTextBecomesNull) {
  TableSpec wanted = spec();
  wanted.schema = {{"ind", "long"}, {"tag", "string"}};
  wanted.partition_columns = {"tag"};
  auto table = open(wanted);
  const auto files = write(*table, "SELECT * FROM (VALUES (1::BIGINT, NULL), (2, ''), (3, 'x')) r(ind, tag)");
  EXPECT_EQ(files.size(), 2U) << "the protocol has no spelling of its own for the empty text";
  ASSERT_TRUE(table->append(files, {}).has_value());
  EXPECT_EQ(ask(fmt::format("SELECT count(*), count(tag) FROM ({})", all_rows())).rows, ask("SELECT 3, 1").rows);
}

TEST_F(Partitions, KeepTheTypesOfTheirColumns) {
  for (const auto& [type, low, high] :
       std::vector<std::array<const char*, 3>>{{"long", "(-9223372036854775808)::BIGINT", "7::BIGINT"},
                                               {"integer", "(-5)::INTEGER", "5::INTEGER"},
                                               {"short", "(-5)::SMALLINT", "5::SMALLINT"},
                                               {"byte", "(-128)::TINYINT", "5::TINYINT"},
                                               {"boolean", "false", "true"},
                                               {"date", "DATE '1969-12-31'", "DATE '9999-12-31'"}}) {
    TableSpec wanted = spec();
    wanted.name = type;
    wanted.schema = {{"part", type}, {"ind", "long"}};
    wanted.partition_columns = {"part"};
    auto table = open(wanted);
    const std::string select =
        fmt::format("SELECT * FROM (VALUES ({}, 1::BIGINT), ({}, 2), (NULL, 3)) r(part, ind)", low, high);
    ASSERT_TRUE(table->append(write(*table, select), {}).has_value());
    const auto snapshot = read_snapshot(*real_store_, *engine_, type).value();
    EXPECT_EQ(snapshot.files.size(), 3U);
    const auto rows = ask(select_all(*real_store_, type, snapshot).value() + " ORDER BY ind");
    const auto expected = ask(select + " ORDER BY ind");
    EXPECT_EQ(rows.types, expected.types) << type;
    EXPECT_EQ(rows.rows, expected.rows) << type;
  }
}

TEST_F(Partitions, BadColumnsAreRefusedByName) {
  TableSpec wanted = by_day();
  wanted.partition_columns = {"week"};
  EXPECT_TRUE(says(refusal(wanted), "partition column week is no column of the table"));
  wanted.partition_columns = {"day", "day"};
  EXPECT_TRUE(says(refusal(wanted), "partition column day is named twice"));
  wanted.schema.push_back({"at", "timestamp"});
  wanted.partition_columns = {"at"};
  EXPECT_TRUE(says(refusal(wanted), "partition column at is of type timestamp"));
  wanted.schema = {{"day", "date"}};
  wanted.partition_columns = {"day"};
  EXPECT_TRUE(says(refusal(wanted), "all columns are partition columns"));
  EXPECT_FALSE(real_store_->describe(log_file(0)).has_value()) << "nothing was made";
}

TEST_F(Partitions, AnotherPartitioningThanStoredIsRefused) {
  open(by_day());
  TableSpec other = by_day();
  other.partition_columns.clear();
  EXPECT_TRUE(says(refusal(other), "is partitioned by day, expected nothing"));
  other.partition_columns = {"country"};
  EXPECT_TRUE(says(refusal(other), "is partitioned by day, expected country"));
}

TEST_F(Partitions, RowsOfTooManyValuesAreRefusedAndLeaveNoFile) {
  TableSpec wanted = spec();
  wanted.schema = {{"ind", "long"}, {"part", "long"}};
  wanted.partition_columns = {"part"};
  auto table = open(wanted);
  const auto refused = table->write_files(*session_, "SELECT n AS ind, n AS part FROM range(1001) r(n)");
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(says(refused.error().message, "more than 1000 values of part"));
  EXPECT_TRUE(real_store_->list("pins/part").value().empty());
}

TEST_F(Partitions, AFailedWriteLeavesNoFile) {
  auto table = open(by_day());
  store_->refused_file = "day=2026-11-22";
  EXPECT_FALSE(table->write_files(*session_, days(0, 30)).has_value());
  EXPECT_TRUE(real_store_->list("pins/day").value().empty());
}

TEST_F(Partitions, AFileOfOtherColumnsIsRefused) {
  auto table = open(by_day());
  const auto refused =
      table->write_files(*session_, "SELECT 1::BIGINT AS ind, '2026-11-20' AS day, 'x' AS said, 'y' AS country");
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(says(refused.error().message, "column 2 is to be day DATE, the SELECT gives day VARCHAR"));
}

TEST_F(Partitions, ASelectThatChangesBetweenItsRunsIsRefused) {
  auto table = open(by_day());
  ASSERT_TRUE(session_->run("CREATE SEQUENCE turn").has_value());
  const auto refused =
      table->write_files(*session_,
                         "SELECT n AS ind, DATE '2026-11-20' AS day, 'x' AS said, 'y' AS country FROM range(100) r(n) "
                         "WHERE nextval('turn') < 150");
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(says(refused.error().message, "other rows each time"));
  EXPECT_TRUE(real_store_->list("pins/day").value().empty());
}

TEST_F(Partitions, OptimizeStaysWithinAPartition) {
  auto table = open(by_day());
  for (int i = 0; i < 8; ++i) {
    append_days(*table, i, i + 1);
    append_days(*table, 10 + i, 11 + i);
  }
  append_days(*table, 20, 22);
  const auto report = optimize(*table, context(), "pins", {});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->commits, 2U);
  EXPECT_EQ(report->removed_files, 16U);
  const auto snapshot = read();
  EXPECT_EQ(snapshot.files.size(), 3U);
  for (const auto& [path, file] : snapshot.files) {
    EXPECT_TRUE(path.starts_with("day=" + file.partition_values.at("day") + "/")) << path;
  }
  EXPECT_EQ(
      ask(all_rows() + " ORDER BY ind").rows,
      ask(fmt::format("({}) UNION ALL ({}) UNION ALL ({}) ORDER BY ind", days(0, 8), days(10, 18), days(20, 22))).rows);
  EXPECT_TRUE(says(get(log_file(18)), R"("remove":{"path":"day=2026-11-2)"));
  expect_sound();
}

TEST_F(Partitions, ARewriteMovesNoRowFromOnePartitionToAnother) {
  auto table = open(by_day());
  append_days(*table, 0, 10);
  const auto files = write(*table, days(10, 20));
  const auto refused = table->rewrite({table->snapshot().files.begin()->first}, files);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TEST_F(Partitions, VacuumFindsFilesInTheirFolders) {
  clock_.jump_wall(SystemClock().now() - clock_.now());
  auto table = open(by_day());
  append_days(*table, 0, 20);
  write(*table, days(20, 30));  // Nobody commits it.
  clock_.advance(std::chrono::hours(30 * 24));
  const auto report = vacuum(context(), "pins", {});
  ASSERT_TRUE(report.has_value()) << report.error().message;
  ASSERT_EQ(report->files.size(), 1U);
  EXPECT_TRUE(report->files[0].starts_with("day=2026-11-22/part-"));
  expect_days(0, 20);
}

TEST_F(Partitions, AColumnThatCameLaterIsNullInOlderFiles) {
  auto table = open(by_day());
  append_days(*table, 0, 10);
  TableSpec wider = by_day();
  wider.schema.push_back({"late", "long"});
  table = open(wider);
  ASSERT_TRUE(
      table->append(write(*table, fmt::format("SELECT *, ind AS late FROM ({})", days(10, 20))), {}).has_value());
  EXPECT_EQ(ask(fmt::format("SELECT count(*), count(late), count(day) FROM ({})", all_rows())).rows,
            ask("SELECT 20, 10, 20").rows);
}

TEST_F(Partitions, ValuesCountAsTheLogHasThemWhateverFileOrPathSay) {
  auto table = open(by_day());
  append_days(*table, 0, 20);
  // Another writer keeps the column in its file as well, and puts the file wherever it likes.
  const auto scratch = real_store_->scratch(".parquet").value();
  ASSERT_TRUE(session_->write_parquet("SELECT 77::BIGINT AS ind, DATE '1999-01-01' AS day", scratch).has_value());
  ASSERT_TRUE(real_store_->put_file("pins/day=2001-01-01/theirs.parquet", scratch).has_value());
  ASSERT_TRUE(
      real_store_
          ->put(log_file(2),
                R"({"add":{"path":"day=2001-01-01/theirs.parquet","partitionValues":{"day":"2026-11-30"},"size":1,)"
                R"("modificationTime":1,"dataChange":true}})")
          .has_value());
  EXPECT_EQ(ask(fmt::format("SELECT day, said FROM ({}) WHERE ind = 77", all_rows())).rows,
            ask("SELECT DATE '2026-11-30', NULL").rows);
  const auto alone = select_files(*real_store_, "pins", read(), {"day=2001-01-01/theirs.parquet"});
  EXPECT_EQ(ask(fmt::format("SELECT day, said FROM ({})", *alone)).rows, ask("SELECT DATE '2026-11-30', NULL").rows);
}

TEST_F(Partitions, CheckNamesValuesThatAreNone) {
  auto table = open(by_day());
  append_days(*table, 0, 10);
  std::string text = get(log_file(1));
  const std::string good = R"("partitionValues":{"day":"2026-11-20"})";
  const auto with = [&](const std::string& values) {
    std::string changed = text;
    EXPECT_TRUE(real_store_->put(log_file(1), changed.replace(changed.find(good), good.size(), values)).has_value());
    const auto report = check_table(*real_store_, *engine_, "pins");
    EXPECT_TRUE(report.has_value()) << report.error().message;
    return report && !report->findings.empty() ? report->findings[0].what : std::string("nothing");
  };
  EXPECT_TRUE(says(with(R"("partitionValues":{"day":"soon"})"), "has day = soon, which is no date"));
  EXPECT_TRUE(says(with(R"("partitionValues":{})"), "partition values of other columns than day"));
  EXPECT_TRUE(says(with(R"("partitionValues":{"day":"2026-11-20","week":"1"})"), "other columns than day"));
  EXPECT_EQ(with(good), "nothing");
}

TEST(PartitionFolder, HasPlainNamesOnly) {
  EXPECT_EQ(internal::partition_folder({}, {}), "");
  EXPECT_EQ(internal::partition_folder({"day", "n"}, {{"day", "2026-11-22"}, {"n", "-7"}}), "day=2026-11-22/n=-7/");
  EXPECT_EQ(internal::partition_folder({"_a b"}, {{"_a b", "x/y"}}), "x_a_b=x_y/");
  EXPECT_EQ(internal::partition_folder({"a"}, {{"a", ""}}), "a=__HIVE_DEFAULT_PARTITION__/");
}

}  // namespace
}  // namespace pinflow::delta
