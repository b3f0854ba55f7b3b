#include "sql/engine.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "sql/internal/statistics.h"

namespace pinflow::sql {
namespace {

using namespace pinflow::literals;
namespace fs = std::filesystem;

class Sql : public testing::Test {
 protected:
  Sql() {
    std::string pattern = (fs::temp_directory_path() / "pinflow_sql_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    engine_ = open_engine({.memory_limit = 512_MiB}).value();
    session_ = engine_->connect().value();
  }
  ~Sql() override { fs::remove_all(folder_); }

  ResultTable ask(std::string_view statement) {
    auto result = session_->query(statement);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result ? *std::move(result) : ResultTable{};
  }
  Value ask_one(std::string_view statement) {
    ResultTable table = ask(statement);
    return table.rows.empty() ? Value{std::string("no row")} : table.rows[0][0];
  }
  Error refuse(std::string_view statement) {
    auto result = session_->query(statement);
    EXPECT_FALSE(result.has_value());
    return result ? Error{} : result.error();
  }
  std::string json(std::string_view statement) {
    std::string out;
    ask_one(statement).append_json(out);
    return out;
  }
  ParquetFile write(std::string_view select) {
    auto file = session_->write_parquet(select, folder_ / "t.parquet");
    EXPECT_TRUE(file.has_value()) << file.error().message;
    return file ? *std::move(file) : ParquetFile{};
  }
  std::string file_rows() { return "SELECT * FROM read_parquet(" + quote_text((folder_ / "t.parquet").string()) + ")"; }

  fs::path folder_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
};

constexpr std::size_t kRows = 5000;  // Over two whole chunks and a part of a third.

// A batch whose cells say where they are; every third row null, another third in each column.
ColumnBatch every_type() {
  ColumnBatch batch({Column("flag", ColumnType::kBoolean), Column("small", ColumnType::kInt32),
                     Column("big", ColumnType::kInt64), Column("ratio", ColumnType::kDouble),
                     Column("said \"so\"", ColumnType::kText), Column("raw", ColumnType::kBytes),
                     Column("at", ColumnType::kTimestamp)});
  for (std::size_t row = 0; row < kRows; ++row) {
    const auto n = static_cast<std::int64_t>(row);
    for (std::size_t i = 0; i < batch.columns().size(); ++i) {
      Column& column = batch.column(i);
      if ((row + i) % 3 == 0) {
        column.append_null();
        continue;
      }
      switch (column.type()) {
        case ColumnType::kBoolean:
          column.append_integer(n % 2);
          break;
        case ColumnType::kInt32:
          column.append_integer(std::numeric_limits<std::int32_t>::min() + n);
          break;
        case ColumnType::kInt64:
          column.append_integer(std::numeric_limits<std::int64_t>::max() - n);
          break;
        case ColumnType::kDouble:
          column.append_double(static_cast<double>(n) / 7);
          break;
        case ColumnType::kText:
          column.append_text(row % 5 == 0 ? "" : std::string("zażółć 🦆\0 ", 18) + std::string(row % 40, 'x'));
          break;
        case ColumnType::kBytes:
          column.append_text(std::string("\0\xff\xfe", 3) + std::string(row % 20, '\0'));
          break;
        case ColumnType::kTimestamp:
          column.append_integer(-1'000'000'000 + n * 123'456'789);
          break;
      }
    }
  }
  return batch;
}

void expect_same(const ColumnBatch& batch, const ResultTable& table, std::size_t first_row = 0) {
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    for (std::size_t i = 0; i < batch.columns().size(); ++i) {
      const Column& column = batch.columns()[i];
      const Value& cell = table.rows.at(first_row + row)[i];
      Value expected;
      if (!column.is_null(row)) {
        switch (column.type()) {
          case ColumnType::kBoolean:
            expected.data = column.integer_at(row) == 1;
            break;
          case ColumnType::kInt32:
          case ColumnType::kInt64:
            expected.data = column.integer_at(row);
            break;
          case ColumnType::kDouble:
            expected.data = column.double_at(row);
            break;
          case ColumnType::kText:
            expected.data = std::string(column.text_at(row));
            break;
          case ColumnType::kBytes:
            expected.data = Bytes{std::string(column.text_at(row))};
            break;
          case ColumnType::kTimestamp:
            expected.data = Timestamp{column.integer_at(row)};
            break;
        }
      }
      ASSERT_EQ(cell, expected) << column.name() << " row " << row;
    }
  }
}

TEST_F(Sql, LoadsEveryColumnTypeAndReadsItBackExactly) {
  const ColumnBatch batch = every_type();
  ASSERT_TRUE(session_->load("raw_pin", batch));
  const ResultTable table = ask("SELECT * FROM raw_pin");
  EXPECT_EQ(table.columns[4], "said \"so\"");
  EXPECT_EQ(table.types, (std::vector<std::string>{"BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "BLOB",
                                                   "TIMESTAMP WITH TIME ZONE"}));
  ASSERT_EQ(table.rows.size(), kRows);
  expect_same(batch, table);
}

TEST_F(Sql, LoadReplacesAndAppendAdds) {
  const ColumnBatch batch = every_type();
  ASSERT_TRUE(session_->load("t", batch));
  ASSERT_TRUE(session_->load("t", batch));
  ASSERT_TRUE(session_->append("t", batch));
  const ResultTable table = ask("SELECT * FROM t");
  ASSERT_EQ(table.rows.size(), 2 * kRows);
  expect_same(batch, table);
  expect_same(batch, table, kRows);
}

TEST_F(Sql, AppendReachesTablesThatAStatementMade) {
  ASSERT_TRUE(session_->run("CREATE TABLE kept (n BIGINT); CREATE TEMP TABLE mine (n BIGINT)"));
  ColumnBatch batch({Column("n", ColumnType::kInt64)});
  batch.column(0).append_integer(7);
  EXPECT_TRUE(session_->append("kept", batch));
  EXPECT_TRUE(session_->append("mine", batch));
  EXPECT_EQ(ask("SELECT n FROM kept UNION ALL SELECT n FROM mine").rows.size(), 2U);
}

TEST_F(Sql, LentRowsAreReadWhereTheyLieInTheirOrder) {
  const ColumnBatch batch = every_type();
  ASSERT_TRUE(session_->lend("lent", batch));
  const ResultTable table = ask("SELECT * FROM lent");
  ASSERT_EQ(table.rows.size(), kRows);
  expect_same(batch, table);
  EXPECT_EQ(ask_one("SELECT count(*) FROM lent"), Value{std::int64_t{kRows}});
  EXPECT_EQ(ask_one("SELECT count(*) FROM lent AS a JOIN lent AS b ON a.big = b.big"),
            ask_one("SELECT count(big) FROM lent"));
  const std::string some = "SELECT \"at\", big FROM lent WHERE \"said \"\"so\"\"\" LIKE '%xxxxxxxx'";
  ASSERT_TRUE(session_->load("loaded", batch));
  EXPECT_EQ(ask(some).rows, ask("SELECT \"at\", big FROM loaded WHERE \"said \"\"so\"\"\" LIKE '%xxxxxxxx'").rows);
  EXPECT_GT(ask(some).rows.size(), 100U);
}

TEST_F(Sql, LendingAgainShowsTheOtherRows) {
  ColumnBatch batch = every_type();
  ASSERT_TRUE(session_->lend("lent", batch));
  ASSERT_TRUE(session_->run("CREATE TEMP TABLE kept AS SELECT * FROM lent"));
  ColumnBatch none = every_type();
  none.clear();
  ASSERT_TRUE(session_->lend("lent", none));
  EXPECT_EQ(ask_one("SELECT count(*) FROM lent"), Value{std::int64_t{0}});
  // What a statement took is its own.
  const ColumnBatch same = every_type();
  batch.clear();
  expect_same(same, ask("SELECT * FROM kept"));
}

TEST_F(Sql, ALentBatchIsSeenByItsSessionAlone) {
  const ColumnBatch batch = every_type();
  auto other = engine_->connect().value();
  ASSERT_TRUE(other->lend("lent", batch));
  EXPECT_NE(refuse("SELECT * FROM lent").message.find("lent"), std::string::npos);
  EXPECT_EQ(ask_one("SELECT count(*) FROM pinflow_batch(0)"), Value{std::int64_t{kRows}});
  other.reset();
  EXPECT_NE(refuse("SELECT * FROM pinflow_batch(0)").message.find("no rows are lent"), std::string::npos);
}

TEST_F(Sql, ATextThatIsNoUtf8IsNotLent) {
  ColumnBatch batch({Column("text", ColumnType::kText)});
  batch.column(0).append_text("\xff");
  const auto lent = session_->lend("lent", batch);
  ASSERT_FALSE(lent);
  EXPECT_EQ(lent.error().code, ErrorCode::kInvalid);
}

TEST_F(Sql, LoadOfNoRowsMakesAnEmptyTable) {
  ASSERT_TRUE(session_->load("t", ColumnBatch({Column("n", ColumnType::kInt64)})));
  EXPECT_EQ(ask_one("SELECT count(*) FROM t"), Value{std::int64_t{0}});
}

TEST_F(Sql, AppendOfOtherColumnsIsRefusedWhole) {
  ASSERT_TRUE(session_->run("CREATE TABLE t (n BIGINT, said VARCHAR)"));
  ColumnBatch fewer({Column("n", ColumnType::kInt64)});
  fewer.column(0).append_integer(1);
  auto refused = session_->append("t", fewer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "table t has 2 columns, the batch 1");
  ColumnBatch other({Column("n", ColumnType::kDouble), Column("said", ColumnType::kText)});
  other.column(0).append_double(1.5);
  other.column(1).append_text("x");
  refused = session_->append("t", other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "table t: column 1 of the batch (n) is DOUBLE, the table has BIGINT");
  EXPECT_FALSE(session_->append("missing", fewer));
  EXPECT_EQ(ask_one("SELECT count(*) FROM t"), Value{std::int64_t{0}});
}

TEST_F(Sql, TextThatIsNotUtf8IsRefusedAndLeavesNothing) {
  for (const std::string_view bad :
       {"ok then \xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "cut \xe2\x82", "\x80"}) {
    ColumnBatch batch({Column("said", ColumnType::kText)});
    for (int i = 0; i < 3000; ++i) batch.column(0).append_text("fine");
    batch.column(0).append_text(bad);
    const auto refused = session_->load("t", batch);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    EXPECT_NE(refused.error().message.find("column said row 3000: the text is not UTF-8 at byte"), std::string::npos)
        << refused.error().message;
    EXPECT_NE(refuse("SELECT * FROM t").message.find("does not exist"), std::string::npos);
  }
}

TEST_F(Sql, AnAppendInsideTheCallersTransactionIsUndoneWithIt) {
  ASSERT_TRUE(session_->run("CREATE TABLE t (n BIGINT); BEGIN"));
  ColumnBatch batch({Column("n", ColumnType::kInt64)});
  batch.column(0).append_integer(7);
  ASSERT_TRUE(session_->append("t", batch));
  EXPECT_EQ(ask_one("SELECT count(*) FROM t"), Value{std::int64_t{1}});
  ASSERT_TRUE(session_->run("ROLLBACK"));
  EXPECT_EQ(ask_one("SELECT count(*) FROM t"), Value{std::int64_t{0}});
}

TEST_F(Sql, ReadsNumbersOfEveryWidth) {
  EXPECT_EQ(ask_one("SELECT (-7)::TINYINT"), Value{std::int64_t{-7}});
  EXPECT_EQ(ask_one("SELECT (-7)::SMALLINT"), Value{std::int64_t{-7}});
  EXPECT_EQ(ask_one("SELECT 200::UTINYINT"), Value{std::int64_t{200}});
  EXPECT_EQ(ask_one("SELECT 40000::USMALLINT"), Value{std::int64_t{40000}});
  EXPECT_EQ(ask_one("SELECT 4000000000::UINTEGER"), Value{std::int64_t{4'000'000'000}});
  EXPECT_EQ(ask_one("SELECT 18446744073709551615::UBIGINT"), Value{std::string("18446744073709551615")});
  EXPECT_EQ(ask_one("SELECT sum(n) FROM range(5) r(n)"), Value{std::int64_t{10}});  // HUGEINT in the engine.
  EXPECT_EQ(ask_one("SELECT -170141183460469231731687303715884105727::HUGEINT"),
            Value{std::string("-170141183460469231731687303715884105727")});
  EXPECT_EQ(ask_one("SELECT 340282366920938463463374607431768211455::UHUGEINT"),
            Value{std::string("340282366920938463463374607431768211455")});
  EXPECT_EQ(ask_one("SELECT 1.5::FLOAT"), Value{1.5});
  EXPECT_EQ(ask_one("SELECT -12.25::DECIMAL(4,2)"), Value{-12.25});
  EXPECT_EQ(ask_one("SELECT 12.25::DECIMAL(9,2)"), Value{12.25});
  EXPECT_EQ(ask_one("SELECT 12.25::DECIMAL(18,2)"), Value{12.25});
  EXPECT_EQ(ask_one("SELECT -12.25::DECIMAL(38,2)"), Value{-12.25});
  EXPECT_EQ(ask_one("SELECT 12::DECIMAL(38,0)"), Value{std::int64_t{12}});
}

TEST_F(Sql, ReadsTimesAsUtc) {
  EXPECT_EQ(ask_one("SELECT TIMESTAMP '1970-01-02 00:00:00.000001'"), (Value{Timestamp{86'400'000'001}}));
  EXPECT_EQ(ask_one("SELECT TIMESTAMPTZ '1970-01-02 02:00:00+02'"), (Value{Timestamp{86'400'000'000}}));
  // Session time zone: a zone-less text becomes the same instant wherever the machine stands.
  EXPECT_EQ(ask_one("SELECT '1970-01-02 00:00:00'::TIMESTAMPTZ"), (Value{Timestamp{86'400'000'000}}));
  EXPECT_EQ(ask_one("SELECT DATE '2026-11-22'"), Value{std::string("2026-11-22")});
  EXPECT_EQ(ask_one("SELECT TIME '10:15:00.5'"), Value{std::string("10:15:00.5")});
  EXPECT_EQ(ask_one("SELECT '2026-11-22 10:15:00'::TIMESTAMP_S"), Value{std::string("2026-11-22 10:15:00")});
  EXPECT_EQ(ask_one("SELECT '2026-11-22 10:15:00.123'::TIMESTAMP_MS"), Value{std::string("2026-11-22 10:15:00.123")});
  EXPECT_EQ(ask_one("SELECT '2026-11-22 10:15:00.123456789'::TIMESTAMP_NS"),
            Value{std::string("2026-11-22 10:15:00.123456789")});
  EXPECT_EQ(ask_one("SELECT INTERVAL 3 DAY"), Value{std::string("3 days")});
  EXPECT_EQ(ask_one("SELECT '10:15:00+00'::TIMETZ"), Value{std::string("10:15:00+00")});
}

TEST_F(Sql, ReadsListsAndOtherNests) {
  EXPECT_EQ(ask_one("SELECT ['a', NULL, 'żółw']"),
            (Value{List{Value{std::string("a")}, Value{}, Value{std::string("żółw")}}}));
  EXPECT_EQ(ask_one("SELECT [1.5::DOUBLE, 2]"), (Value{List{Value{1.5}, Value{2.0}}}));
  EXPECT_EQ(ask_one("SELECT []::INTEGER[]"), (Value{List{}}));
  EXPECT_EQ(ask_one("SELECT NULL::INTEGER[]"), Value{});
  EXPECT_EQ(ask_one("SELECT [1, 2]::INTEGER[2]"), (Value{List{Value{std::int64_t{1}}, Value{std::int64_t{2}}}}));
  EXPECT_EQ(ask_one("SELECT {'a': 1, 'b': {'c': ['x', NULL]}}"), Value{std::string(R"({"a":1,"b":{"c":["x",null]}})")});
  EXPECT_EQ(ask_one("SELECT MAP {'k \"q\"': {'v': 1}}"), Value{std::string(R"({"k \"q\"":{"v":1}})")});
  EXPECT_EQ(ask_one("SELECT 'two'::ENUM('one', 'two')"), Value{std::string("two")});
  EXPECT_EQ(ask_one("SELECT 'ee1b6f8d-7a4b-4e36-8b5c-1f2e3d4c5b6a'::UUID"),
            Value{std::string("ee1b6f8d-7a4b-4e36-8b5c-1f2e3d4c5b6a")});
  EXPECT_EQ(ask_one("SELECT union_value(n := 7)"), Value{std::string(R"({"n":7})")});
  EXPECT_EQ(ask("SELECT [1.5::DOUBLE] AS a, {'x y': 1} AS b, 1.5 AS c, MAP {'a': 1} AS d, [1]::TINYINT[1] AS e").types,
            (std::vector<std::string>{"DOUBLE[]", "STRUCT(\"x y\" INTEGER)", "DECIMAL(2,1)", "MAP(VARCHAR, INTEGER)",
                                      "TINYINT[1]"}));
}

TEST_F(Sql, ReadsListsOverSeveralChunks) {
  const ResultTable table = ask("SELECT [n, n + 1]::BIGINT[] FROM range(5000) r(n) ORDER BY n");
  ASSERT_EQ(table.rows.size(), 5000U);
  for (std::int64_t n = 0; n < 5000; ++n) {
    ASSERT_EQ(table.rows[static_cast<std::size_t>(n)][0], (Value{List{Value{n}, Value{n + 1}}}));
  }
}

TEST_F(Sql, ValuesHaveTextAndJson) {
  EXPECT_EQ(ask_one("SELECT ['a', NULL, 'b']").to_text(), "[a, NULL, b]");
  EXPECT_EQ(ask_one("SELECT NULL").to_text(), "");
  EXPECT_EQ(ask_one("SELECT TIMESTAMP '2026-11-22 10:15:00'").to_text(), "2026-11-22 10:15:00");
  EXPECT_EQ(ask_one("SELECT TIMESTAMP '1969-12-31 23:59:59.5'").to_text(), "1969-12-31 23:59:59.500000");
  EXPECT_EQ(ask_one("SELECT TIMESTAMP '2024-02-29 00:00:00'").to_text(), "2024-02-29 00:00:00");
  EXPECT_EQ(ask_one("SELECT 'infinity'::TIMESTAMP").to_text(), "infinity");
  EXPECT_EQ(json("SELECT TIMESTAMPTZ '2026-11-22 10:15:00.25+00'"), R"("2026-11-22T10:15:00.250000Z")");
  EXPECT_EQ(json("SELECT '\\xAA\\x00'::BLOB"), R"("qgA=")");
  EXPECT_EQ(json("SELECT [1.5::DOUBLE, NULL, 'nan'::DOUBLE]"), "[1.5,null,null]");
  EXPECT_EQ(json("SELECT 'q\"'"), R"("q\"")");
  EXPECT_EQ(json("SELECT true"), "true");
}

TEST_F(Sql, ErrorsTellTheEnginesWordsAndTheStatement) {
  Error error = refuse("SELECT colour FROM (SELECT 1 AS color)");
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_NE(error.message.find("colour"), std::string::npos);
  EXPECT_NE(error.message.find("[in: SELECT colour FROM"), std::string::npos) << error.message;
  EXPECT_EQ(refuse("SELECT 'x'::INTEGER").code, ErrorCode::kInvalid);
  EXPECT_NE(refuse("SELECT 1; SELECT 2").message.find("exactly one statement"), std::string::npos);
  EXPECT_EQ(refuse("").code, ErrorCode::kInvalid);
  EXPECT_EQ(refuse(std::string_view("SELECT 1\0, 2", 12)).code, ErrorCode::kInvalid);
  error = refuse("SELECT nonsense, '" + std::string(59, 'x') + "żółć żółć żółć żółć żółć żółć żółć żółć'");
  EXPECT_TRUE(error.message.ends_with("...]")) << error.message;
  // The session lives on.
  EXPECT_EQ(ask_one("SELECT 1"), Value{std::int64_t{1}});
}

TEST(SqlEngine, MemoryLimitIsAnOverload) {
  auto engine = open_engine({.memory_limit = 20_MiB, .threads = 1}).value();
  auto session = engine->connect().value();
  const auto result =
      session->query("SELECT count(*) FROM (SELECT DISTINCT n, repeat('x', 100) || n AS t FROM range(2000000) r(n))");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kOverloaded) << result.error().message;
}

TEST_F(Sql, StatementsCannotReachTheNetworkNorChangeTheEngine) {
  EXPECT_FALSE(session_->query("SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')"));
  EXPECT_FALSE(session_->run("INSTALL httpfs"));
  EXPECT_FALSE(session_->run("LOAD httpfs"));
  EXPECT_FALSE(session_->run("SET memory_limit = '100GB'"));
  EXPECT_FALSE(session_->run("SET enable_external_access = true"));
  EXPECT_EQ(ask_one("SELECT current_setting('TimeZone')"), Value{std::string("UTC")});
}

TEST_F(Sql, FoldersBoundWhatStatementsTouch) {
  fs::create_directories(folder_ / "in");
  fs::create_directories(folder_ / "out");
  auto engine = open_engine({.folders = {folder_ / "in"}}).value();
  auto session = engine->connect().value();
  EXPECT_TRUE(session->write_parquet("SELECT 1 AS a", folder_ / "in" / "a.parquet"));
  const auto refused = session->write_parquet("SELECT 1 AS a", folder_ / "out" / "a.parquet");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(session->write_parquet("SELECT 1 AS a", folder_ / "in" / ".." / "out" / "a.parquet"));
}

TEST_F(Sql, DatabaseFilesAreKeptAndLocked) {
  const fs::path path = folder_ / "source.duckdb";
  {
    auto engine = open_engine({.database = path}).value();
    auto session = engine->connect().value();
    ASSERT_TRUE(session->run("CREATE TABLE t AS SELECT 42 AS n"));
  }
  auto engine = open_engine({.database = path, .read_only = true}).value();
  auto session = engine->connect().value();
  EXPECT_EQ(session->query("SELECT n FROM t").value().rows[0][0], Value{std::int64_t{42}});
  EXPECT_FALSE(session->run("INSERT INTO t VALUES (1)"));
  const auto missing = open_engine({.database = folder_ / "no.duckdb", .read_only = true});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound) << missing.error().message;
  std::ofstream(folder_ / "bad.duckdb") << std::string(10'000, 'x');
  const auto bad = open_engine({.database = folder_ / "bad.duckdb"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kCorrupt) << bad.error().message;
}

TEST_F(Sql, TwoSessionsWorkOnTwoThreads) {
  const auto work = [this](std::int64_t factor) {
    auto session = engine_->connect().value();
    for (std::int64_t round = 0; round < 10; ++round) {
      ColumnBatch batch({Column("n", ColumnType::kInt64)});
      for (std::int64_t i = 1; i <= 3000; ++i) batch.column(0).append_integer(i * factor);
      ASSERT_TRUE(session->load("mine", batch));  // Each session its own, though the name is one.
      EXPECT_EQ(session->query("SELECT sum(n) FROM mine").value().rows[0][0], Value{factor * 4'501'500});
    }
  };
  std::thread one(work, 1);
  std::thread two(work, 1000);
  one.join();
  two.join();
  EXPECT_FALSE(session_->query("SELECT * FROM mine"));
}

TEST_F(Sql, ParquetKeepsEveryTypeAndTellsStatistics) {
  const ColumnBatch batch = every_type();
  ASSERT_TRUE(session_->load("t", batch));
  const ParquetFile file = write("SELECT *, [ratio, small] AS list FROM t  -- all of it");
  EXPECT_EQ(file.rows, kRows);
  EXPECT_EQ(file.bytes, fs::file_size(folder_ / "t.parquet"));
  ASSERT_EQ(file.schema.size(), 8U);
  EXPECT_EQ(file.schema[6], (ColumnInfo{"at", "TIMESTAMP WITH TIME ZONE"}));
  EXPECT_EQ(file.schema[7], (ColumnInfo{"list", "DOUBLE[]"}));
  const ResultTable table = ask(file_rows());
  expect_same(batch, table);
  EXPECT_EQ(table.types[6], "TIMESTAMP WITH TIME ZONE");

  EXPECT_FALSE(file.columns.contains("list"));
  for (const char* name : {"small", "big", "ratio", "at"}) {
    const ResultTable truth = ask("SELECT min(" + quote_name(name) + "), max(" + quote_name(name) +
                                  "), count(*) - count(" + quote_name(name) + ") FROM t");
    const ColumnStatistics& told = file.columns.at(name);
    EXPECT_EQ(told.minimum, truth.rows[0][0]) << name << told.minimum.value_or(Value{}).to_text();
    EXPECT_EQ(told.maximum, truth.rows[0][1]) << name;
    EXPECT_EQ(Value{told.null_count}, truth.rows[0][2]) << name;
  }
  const ColumnStatistics& said = file.columns.at("said \"so\"");
  EXPECT_EQ(said.minimum, Value{std::string()});
  EXPECT_EQ(said.maximum, ask_one("SELECT max(\"said \"\"so\"\"\") FROM t"));
  EXPECT_FALSE(file.columns.at("flag").minimum);
  EXPECT_FALSE(file.columns.at("raw").minimum);
  EXPECT_GT(file.columns.at("raw").null_count, 0);
}

TEST_F(Sql, NanTakesAwayTheBoundsOfItsColumn) {
  const ParquetFile file =
      write("SELECT * FROM (VALUES (1.5::DOUBLE, 1.5::DOUBLE), ('nan'::DOUBLE, 2.5)) v(tainted, clean)");
  EXPECT_FALSE(file.columns.at("tainted").minimum);
  EXPECT_FALSE(file.columns.at("tainted").maximum);
  EXPECT_EQ(file.columns.at("clean").maximum, Value{2.5});
  const ParquetFile infinite = write("SELECT 'infinity'::DOUBLE AS a");
  EXPECT_FALSE(infinite.columns.at("a").maximum);
}

TEST_F(Sql, AllNullColumnsHaveNoBounds) {
  const ParquetFile file = write("SELECT NULL::BIGINT AS a, NULL::VARCHAR AS b FROM range(3) ; ");
  EXPECT_FALSE(file.columns.at("a").minimum);
  EXPECT_EQ(file.columns.at("a").null_count, 3);
  EXPECT_EQ(file.columns.at("b").null_count, 3);
}

TEST_F(Sql, NoRowsAreAFileToo) {
  const ParquetFile file = write("SELECT 1::BIGINT AS a WHERE false");
  EXPECT_EQ(file.rows, 0U);
  EXPECT_EQ(ask(file_rows()).rows.size(), 0U);
  EXPECT_EQ(ask(file_rows()).types[0], "BIGINT");
}

TEST_F(Sql, OnlyASelectBecomesParquet) {
  EXPECT_FALSE(session_->write_parquet("CREATE TABLE x (a INTEGER)", folder_ / "t.parquet"));
  EXPECT_FALSE(session_->write_parquet("SELECT nothing", folder_ / "t.parquet"));
  EXPECT_FALSE(session_->write_parquet("", folder_ / "t.parquet"));
  EXPECT_FALSE(fs::exists(folder_ / "t.parquet"));
  const auto unwritable = session_->write_parquet("SELECT 1 AS a", folder_ / "missing" / "t.parquet");
  ASSERT_FALSE(unwritable);
  EXPECT_EQ(unwritable.error().code, ErrorCode::kUnavailable);
}

TEST(SqlTimestamps, AreReadAsTheEngineSpellsThem) {
  EXPECT_EQ(internal::parse_timestamp("1970-01-01 00:00:01+00"), Timestamp{1'000'000});
  EXPECT_EQ(internal::parse_timestamp("1969-12-31 23:59:59.5"), Timestamp{-500'000});
  EXPECT_EQ(internal::parse_timestamp("2026-11-22 10:15:00.000001+00"), Timestamp{1'795'342'500'000'001});
  for (const char* bad : {"", "infinity", "2026-11-22", "2026-11-22 10:15:00+01", "2026-13-22 10:15:00",
                          "2026-11-22 10:15:00.1234567", "0044-03-15 (BC) 00:00:00"}) {
    EXPECT_FALSE(internal::parse_timestamp(bad)) << bad;
  }
}

TEST(SqlNames, AreQuoted) {
  EXPECT_EQ(quote_text("it's"), "'it''s'");
  EXPECT_EQ(quote_name("a \"b\""), "\"a \"\"b\"\"\"");
}

}  // namespace
}  // namespace pinflow::sql
