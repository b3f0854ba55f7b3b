#include <string>

#include <gtest/gtest.h>

#include "batch/questions.h"

namespace pinflow::batch {
namespace {

using sql::ResultTable;
using sql::Value;

Value text(std::string value) {
  return {std::move(value)};
}
Value number(std::int64_t value) {
  return {value};
}

TEST(AnswerTables, PutNumbersRightAndTextLeft) {
  const ResultTable table{
      .columns = {"country", "category_count", "tied"},
      .types = {"VARCHAR", "BIGINT", "BOOLEAN"},
      .rows = {{text("Chad"), number(7), {true}}, {text("Cote d'Ivoire"), number(12345), {false}}, {{}, {}, {}}}};
  EXPECT_EQ(format_table(table),
            "country        category_count  tied\n"
            "-------------  --------------  -----\n"
            "Chad                        7  true\n"
            "Cote d'Ivoire           12345  false\n"
            "\n");
}

TEST(AnswerTables, AlignByWhatATerminalShows) {
  const ResultTable table{.columns = {"name", "n"},
                          .types = {"VARCHAR", "BIGINT"},
                          .rows = {{text("日本"), number(1)},
                                   {text("e\u0301t"), number(2)},
                                   {text("🌱\u200b"), number(3)},
                                   {text("שלום"), number(4)},
                                   {text("plain"), number(5)}}};
  EXPECT_EQ(format_table(table),
            "name   n\n"
            "-----  -\n"
            "日本   1\n"
            "e\u0301t     2\n"
            "🌱\u200b     3\n"
            "שלום   4\n"
            "plain  5\n");
}

TEST(AnswerTables, ShowControlCharactersInsteadOfObeyingThem) {
  const ResultTable table{.columns = {"a"}, .types = {"VARCHAR"}, .rows = {{text("x\x1b[2Jy\nz\u202e\u0099")}}};
  EXPECT_EQ(format_table(table), "a\n--------------------------\nx\\u001b[2Jy\\nz\\u202e\\u0099\n");
}

TEST(AnswerCsv, QuotesAndTellsNullFromEmpty) {
  const ResultTable table{.columns = {"a", "b"},
                          .types = {"VARCHAR", "BIGINT"},
                          .rows = {{text("x,y"), number(-1)},
                                   {text("say \"hi\""), {}},
                                   {text("two\nlines"), number(0)},
                                   {{}, {}},
                                   {text(""), {}}}};
  EXPECT_EQ(format_csv(table), "a,b\r\n\"x,y\",-1\r\n\"say \"\"hi\"\"\",\r\n\"two\nlines\",0\r\n,\r\n\"\",\r\n");
}

TEST(AnswerCsv, LetsNoTextRunAsAFormula) {
  for (const std::string start : {"=", "+", "-", "@", "\t"}) {
    const ResultTable table{.columns = {"a"}, .types = {"VARCHAR"}, .rows = {{text(start + "cmd|' /C calc'!A0")}}};
    EXPECT_EQ(format_csv(table), "a\r\n'" + start + "cmd|' /C calc'!A0\r\n");
  }
  const ResultTable quoted{
      .columns = {"a"}, .types = {"VARCHAR"}, .rows = {{text("=1,2")}, {text("a=1")}, {text("'=1")}}};
  EXPECT_EQ(format_csv(quoted), "a\r\n\"'=1,2\"\r\na=1\r\n'=1\r\n");
  const ResultTable numbers{.columns = {"a"}, .types = {"DOUBLE"}, .rows = {{Value{-1.5}}}};
  EXPECT_EQ(format_csv(numbers), "a\r\n-1.5\r\n");
}

TEST(AnswerJson, IsAnArrayOfObjects) {
  const ResultTable table{
      .columns = {"a", "b"}, .types = {"VARCHAR", "BIGINT"}, .rows = {{text("x\"y"), number(1)}, {{}, {}}}};
  EXPECT_EQ(format_json(table), "[\n{\"a\":\"x\\\"y\",\"b\":1},\n{\"a\":null,\"b\":null}\n]\n");
  EXPECT_EQ(format_json({.columns = {"a"}, .types = {"BIGINT"}, .rows = {}}), "[]\n");
}

}  // namespace
}  // namespace pinflow::batch
