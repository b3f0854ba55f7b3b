// What stands in answers: text of all scripts, large numbers, NULL and nested values, in each format; and which limit an error names.
#include <fstream>

#include <gmock/gmock.h>

#include "query/query_fixture.h"

namespace pinflow::query {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kOdd =
    "SELECT 'Zażółć 漢字 🧵 \"q\", x' AS t, 9007199254740993 AS n, "
    "CAST('170141183460469231731687303715884105727' AS HUGEINT) AS h, "
    "CAST(12345678901234567890.12 AS DECIMAL(38, 2)) AS d, CAST(NULL AS VARCHAR) AS nothing, '' AS empty, "
    "[1, NULL, 3] AS list, {'k': 'ü', 'l': [true]} AS nested, MAP {'a': 1} AS map, 'nan'::DOUBLE AS nan, "
    "TIMESTAMP '2026-11-22 10:15:00.123456' AS at, DATE '0001-01-01' AS day";

class QueryAnswers : public QueryFixture {
 protected:
  std::string body(const std::string& sql, AnswerFormat format) {
    const auto answer = ask(sql, format);
    return answer ? answer->body : answer.error().message;
  }
  Error error(const std::string& sql, AnswerFormat format = AnswerFormat::kCsv) {
    const auto answer = ask(sql, format);
    return answer ? Error{ErrorCode::kUnknownOutcome, "it was answered"} : answer.error();
  }
};

TEST_F(QueryAnswers, KeepOddValuesInJson) {
  const std::string json = body(kOdd, AnswerFormat::kJson);
  for (const char* const part :
       {R"("t":"Zażółć 漢字 🧵 \"q\", x")", R"("n":9007199254740993)", "170141183460469231731687303715884105727",
        R"("d":"12345678901234567890.12")", R"("nothing":null)", R"("empty":"")", R"("list":[1,null,3])",
        R"("nested":"{\"k\":\"ü\",\"l\":[true]}")", R"("nan":null)"})
    EXPECT_THAT(json, HasSubstr(part));
}

TEST_F(QueryAnswers, KeepOddValuesInCsv) {
  const std::string csv = body(kOdd, AnswerFormat::kCsv);
  EXPECT_THAT(csv, AllOf(HasSubstr("\"Zażółć 漢字 🧵 \"\"q\"\", x\",9007199254740993,"
                                   "170141183460469231731687303715884105727,12345678901234567890.12,"),
                         HasSubstr("\"[1, NULL, 3]\",\"{\"\"k\"\":\"\"ü\"\",\"\"l\"\":[true]}\"")))
      << csv;
  EXPECT_EQ(body("SELECT NULL AS a, '' AS b", AnswerFormat::kCsv), "a,b\r\n,\"\"\r\n");
}

TEST_F(QueryAnswers, KeepOddValuesInParquet) {
  const auto answer = ask(kOdd, AnswerFormat::kParquet);
  ASSERT_TRUE(answer) << answer.error().message;
  std::ofstream(root_ / "tables" / "answer.parquet", std::ios::binary) << answer->body;
  const auto session = engine_->connect().value();
  const auto read = session->query(fmt::format(
      "SELECT CAST(count(*) AS BIGINT) FROM ({}) AS wanted, read_parquet({}) AS got WHERE (wanted.t, wanted.n, "
      "wanted.d, wanted.empty, wanted.list, wanted.nested, wanted.map, wanted.at, wanted.day) = (got.t, got.n, got.d, "
      "got.empty, "
      "got.list, got.nested, got.map, got.at, got.day) AND got.nothing IS NULL AND isnan(got.nan)",
      kOdd, sql::quote_text((root_ / "tables" / "answer.parquet").string())));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->rows.at(0).at(0).to_text(), "1");
}

TEST_F(QueryAnswers, AnEmptyAnswerHasItsColumns) {
  EXPECT_EQ(body("SELECT 1 AS a WHERE false", AnswerFormat::kCsv), "a\r\n");
  EXPECT_EQ(body("SELECT 1 AS a WHERE false", AnswerFormat::kJson), "[]\n");
  EXPECT_THAT(body("SELECT 1 AS a WHERE false", AnswerFormat::kParquet), ::testing::StartsWith("PAR1"));
}

TEST_F(QueryAnswers, ALimitOfTimeIsNamed) {
  options_.limits.time = std::chrono::milliseconds(300);
  const Error late = error("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7");
  EXPECT_EQ(late.code, ErrorCode::kOverloaded);
  EXPECT_THAT(late.message, HasSubstr("longer than 300 ms"));
}

TEST_F(QueryAnswers, ALimitOfMemoryIsNamed) {
  options_.limits.memory = ByteCount(std::uint64_t{32} << 20);
  options_.limits.spill = ByteCount(std::uint64_t{1} << 20);
  const Error large = error("SELECT list(range ORDER BY hash(range)) FROM range(10000000)");
  EXPECT_EQ(large.code, ErrorCode::kOverloaded) << large.message;
  EXPECT_THAT(large.message, AllOf(HasSubstr("33554432 bytes of memory"), HasSubstr("1048576 bytes beside it")));
}

TEST_F(QueryAnswers, SmallAndNegativeDecimalsAreNumbersAndLargeOnesKeepTheirDigits) {
  EXPECT_EQ(body("SELECT 12.50::DECIMAL(9, 2) AS a, -0.05::DECIMAL(38, 2) AS b, "
                 "-90071992547409.93::DECIMAL(38, 2) AS c, "
                 "'-0.12345678901234567890'::DECIMAL(38, 20) AS e",
                 AnswerFormat::kCsv),
            "a,b,c,e\r\n12.5,-0.05,'-90071992547409.93,'-0.12345678901234567890\r\n");
}

TEST_F(QueryAnswers, ALimitOfProcessorTimeIsNamedAsOneOfTime) {
  options_.worker = {"/bin/sh", "-c", "kill -XCPU $$"};
  const Error late = error("SELECT 1");
  EXPECT_EQ(late.code, ErrorCode::kOverloaded);
  EXPECT_THAT(late.message, HasSubstr("longer than 30000 ms"));
}

TEST_F(QueryAnswers, LimitsOfRowsAndBytesAreNamedInEachFormat) {
  options_.limits.rows = 3;
  for (const AnswerFormat format : {AnswerFormat::kTable, AnswerFormat::kCsv, AnswerFormat::kJson,
                                    AnswerFormat::kDocument, AnswerFormat::kParquet}) {
    options_.limits.answer = ByteCount(std::uint64_t{1} << 20);
    EXPECT_THAT(error("FROM range(4)", format).message, HasSubstr("more than 3 rows"));
    options_.limits.answer = ByteCount(100);
    const Error large = error("SELECT string_agg(hash(range)::VARCHAR, '') FROM range(100)", format);
    EXPECT_EQ(large.code, ErrorCode::kOverloaded);
    EXPECT_THAT(large.message, HasSubstr("larger than 100 bytes"));
  }
}

}  // namespace
}  // namespace pinflow::query
