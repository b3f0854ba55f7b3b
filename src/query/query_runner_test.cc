#include "query/query_runner.h"

#include <csignal>
#include <fstream>
#include <thread>

#include "query/internal/sandbox_attempts.h"
#include "query/query_fixture.h"
#include "query/query_worker.h"
#include "query/statement_fence.h"

namespace pinflow::query {
namespace {

using std::chrono::milliseconds;

class QueryRunnerOverTables : public QueryFixture {
 protected:
  QueryRunnerOverTables() {
    make({.name = "shop", .schema = {{"a", "long"}, {"b", "string"}}},
         "SELECT i AS a, 'b' || i AS b FROM range(5) AS r(i)");
  }

  // The error of a statement that must not be answered.
  Error refused(const std::string& sql, AnswerFormat format = AnswerFormat::kCsv) {
    const auto answer = ask(sql, format);
    EXPECT_FALSE(answer) << sql;
    return answer ? Error{ErrorCode::kUnknownOutcome, "it was answered"} : answer.error();
  }
};

TEST_F(QueryRunnerOverTables, AnswersInEveryFormat) {
  EXPECT_EQ(ask("SELECT a, b FROM shop WHERE a < 2 ORDER BY a").value().body, "a,b\r\n0,b0\r\n1,b1\r\n");
  EXPECT_EQ(ask("SELECT 1 AS x, 2 AS x", AnswerFormat::kDocument).value().body,
            R"({"columns":[{"name":"x","type":"INTEGER"},{"name":"x","type":"INTEGER"}],"rows":[[1,2]],"row_count":1})"
            "\n");
  const auto parquet = ask("SELECT * FROM shop; -- all", AnswerFormat::kParquet);
  ASSERT_TRUE(parquet) << parquet.error().message;
  EXPECT_TRUE(parquet->body.starts_with("PAR1") && parquet->body.ends_with("PAR1"));
  EXPECT_EQ(parquet->rows, 5);
  EXPECT_EQ(parquet->versions, (std::map<std::string, std::int64_t>{{"shop", 1}}));
  EXPECT_TRUE(std::filesystem::is_empty(root_ / "scratch"));
}

TEST_F(QueryRunnerOverTables, AllowsWhatReadersNeed) {
  for (const char* const sql :
       {"SHOW TABLES", "DESCRIBE shop", "SUMMARIZE shop", "FROM shop", "VALUES (1)", "EXPLAIN SELECT * FROM shop",
        "explain analyze SELECT * FROM Shop",
        "WITH RECURSIVE c AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM c WHERE i < 9) FROM c",
        "SELECT b, count(*) FILTER (WHERE a > 1), max(b) AS m FROM shop GROUP BY ALL",
        "SELECT [x + 1 for x in [1, 2] if x > 1], {'k': 1}, DATE '2026-11-22' + INTERVAL 1 DAY, b LIKE '%1', a IN (1, "
        "2), "
        "CAST(a AS DECIMAL(9, 2)), b[1], coalesce(b, '') || 'x', "
        "median(a) OVER (), row_number() OVER (ORDER BY b DESC) FROM shop",
        "SELECT * FROM range(3) JOIN generate_series(1, 2) AS g(x) ON true", "SELECT unnest([1, 2])",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM shop",
        "SELECT * FROM (PIVOT shop ON a IN (1, 2) USING count(*))", "SELECT pf_follower_count('12k')",
        "SELECT extract(year FROM now()), substring('abc' FROM 2), position('b' IN 'abc'), trim('  x')",
        "SELECT json_extract_string('{\"a\": 1}', '$.a'), '{\"a\": 1}'::JSON ->> 'a'",
        "SELECT * FROM shop AS s JOIN shop AS t USING (a) WHERE EXISTS (SELECT 1 FROM shop WHERE a = s.a) USING SAMPLE "
        "50%",
        "SELECT b FROM shop WHERE b NOT LIKE 'x' AND b ILIKE 'B%' AND b ~ 'b' AND NOT b SIMILAR TO 'q' AND a BETWEEN 1 "
        "AND 3"}) {
    const auto answer = ask(sql);
    EXPECT_TRUE(answer) << sql << ": " << (answer ? "" : answer.error().message);
  }
}

TEST_F(QueryRunnerOverTables, RefusesEveryEscape) {
  std::ifstream file(PINFLOW_SOURCE_DIR "/src/query/testdata/escapes.sql");
  const auto session = engine_->connect().value();
  std::string sql;
  int count = 0;
  while (std::getline(file, sql)) {
    if (sql.starts_with("--")) continue;
    const auto tree =
        session->query(fmt::format("SELECT json_serialize_sql({})", sql::quote_text(split_explain(sql).query)));
    const auto checked = check_tree(tree.value().rows.at(0).at(0).to_text(), {{"shop", true}});
    EXPECT_FALSE(checked) << sql;  // By the fence alone, before the engine says a word.
    if (!checked) EXPECT_FALSE(checked.error().message.empty());
    if (++count % 8 != 0) continue;
    const Error error = refused(sql);
    EXPECT_EQ(error.message, checked ? "" : checked.error().message) << sql;
  }
  EXPECT_GE(count, 60);
}

TEST_F(QueryRunnerOverTables, TellsWhatItRefuses) {
  EXPECT_EQ(refused("SELECT * FROM read_text('/etc/passwd')").message,
            "the table function read_text() is not allowed; see docs/sql.md");
  EXPECT_EQ(refused("SELECT * FROM shops").message, "there is no table 'shops'. The tables are: shop");
  EXPECT_NE(refused("SELECT FROM WHERE").message.find("syntax error"), std::string::npos);
  EXPECT_NE(refused("DROP TABLE shop").message.find("SELECT, WITH, VALUES"), std::string::npos);
  EXPECT_NE(refused("SELECT no_such FROM shop").message.find("no_such"), std::string::npos);
}

TEST_F(QueryRunnerOverTables, EndsWhatBlowsUp) {
  options_.limits.time = milliseconds(1'500);
  options_.limits.memory = ByteCount(std::uint64_t{64} << 20);
  options_.limits.spill = ByteCount(std::uint64_t{16} << 20);
  for (const char* const sql :
       {"WITH RECURSIVE c AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7",
        "SELECT length(repeat('x', 100000000000))", "SELECT list(range) FROM range(100000000000)",
        "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)",
        "SELECT * FROM range(1000000) ORDER BY hash(range) DESC", "SELECT repeat('x', 1000000) FROM range(9000)"}) {
    const Error error = refused(sql);
    EXPECT_TRUE(error.code == ErrorCode::kOverloaded || error.code == ErrorCode::kInvalid)
        << sql << ": " << to_string(error.code) << " " << error.message;
  }
  EXPECT_EQ(ask("SELECT count(*) FROM shop").value().body, "count_star()\r\n5\r\n");
}

TEST_F(QueryRunnerOverTables, LimitsRowsBytesAndTheStatement) {
  options_.limits.rows = 10;
  EXPECT_EQ(ask("FROM range(10)").value().rows, 10);
  EXPECT_NE(refused("FROM range(11)").message.find("more than 10 rows"), std::string::npos);
  EXPECT_NE(refused("FROM range(11)", AnswerFormat::kParquet).message.find("more than 10 rows"), std::string::npos);
  options_.limits.answer = ByteCount(1'000);
  EXPECT_NE(refused("SELECT repeat('x', 2000)").message.find("larger than 1000 bytes"), std::string::npos);
  options_.limits.statement = ByteCount(20);
  EXPECT_NE(refused("SELECT 1 --                         ").message.find("more than 20"), std::string::npos);
}

TEST_F(QueryRunnerOverTables, ADyingProcessIsOneFailedStatement) {
  options_.worker = {"/bin/sh", "-c", "kill -SEGV $$"};
  const Error error = refused("SELECT 1");
  EXPECT_EQ(error.code, ErrorCode::kOverloaded);
  EXPECT_NE(error.message.find("signal 11"), std::string::npos);
  options_.worker = {"/bin/sh", "-c", "echo '{\"rows\":1}'; echo half; kill -KILL $$"};
  EXPECT_NE(refused("SELECT 1").message.find("signal 9"), std::string::npos);
}

TEST_F(QueryRunnerOverTables, StopsWhenNobodyWaits) {
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  const auto answer = ask("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7",
                          AnswerFormat::kCsv, source.get_token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
}

TEST_F(QueryRunnerOverTables, ReadsPartitionsAndColumnsThatCameLater) {
  make({.name = "parts", .schema = {{"v", "long"}, {"day", "date"}}, .partition_columns = {"day"}},
       "SELECT i AS v, DATE '2026-11-20' + CAST(i % 2 AS INTEGER) AS day FROM range(4) AS r(i)");
  EXPECT_EQ(ask("SELECT day, sum(v) AS s FROM parts GROUP BY day ORDER BY day").value().body,
            "day,s\r\n2026-11-20,2\r\n2026-11-21,4\r\n");
}

TEST_F(QueryRunnerOverTables, LogsWhoAskedWhat) {
  ASSERT_TRUE(ask("SELECT 41 + 1").has_value());
  EXPECT_TRUE(logger_.line().starts_with("statement caller=tester sql=SELECT 41 + 1 took_ms=")) << logger_.line();
  EXPECT_TRUE(logger_.line().ends_with("outcome=ok")) << logger_.line();
}

}  // namespace
}  // namespace pinflow::query

// The test's program is also the worker of its runners, and what tries the fences (internal/sandbox_test.cc).
int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == pinflow::query::kWorkerCommand) pinflow::query::run_query_worker();
  if (argc == 4 && argv[1] == pinflow::query::internal::kAttemptCommand)
    pinflow::query::internal::attempt_in_sandbox(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
