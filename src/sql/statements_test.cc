#include "sql/statements.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/internal/statement_text.h"

namespace pinflow::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kFront = "-- name: mine\n-- description: What it says.\n-- columns: a, b\n";

// A user's folder of SQL files.
class StatementFiles : public testing::Test {
 protected:
  StatementFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pinflow_sql_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~StatementFiles() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  std::string load_error() {
    auto loaded = Statements::load(folder_);
    if (!loaded) return loaded.error().message;
    return loaded->broken().empty() ? "" : loaded->broken().front().error.message;
  }

  std::filesystem::path folder_;
};

TEST_F(StatementFiles, ProgramCarriesTheSourceTreesFiles) {
  const Statements statements = Statements::load(std::nullopt).value();
  const std::filesystem::path root = std::filesystem::path(PINFLOW_SOURCE_DIR) / "sql";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".sql") continue;
    const std::string name = entry.path().lexically_relative(root).replace_extension().generic_string();
    if (name.starts_with("prelude/")) continue;
    ++files;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const Statement statement = statements.find(name).value();
    EXPECT_THAT(text.str(), HasSubstr(statement.text)) << name;
    EXPECT_FALSE(statement.columns.empty()) << name;
  }
  EXPECT_GE(files, 25U);
  EXPECT_THAT(statements.prelude(), HasSubstr("pf_follower_count"));
  EXPECT_EQ(statements.in_folder("questions").size(), 10U);
  EXPECT_EQ(statements.in_folder("clean").size(), 3U);
}

TEST_F(StatementFiles, UsersFolderLiesOverTheBuiltInOne) {
  write("questions/category_by_country.sql", "-- description: Mine.\nSELECT 1 AS one;\n");
  write("questions/mine.sql", std::string(kFront) + "SELECT a, b\nFROM posts;\n");
  write("prelude/duckdb.sql", "-- nothing");
  write("notes.txt", "ignored");
  const Statements statements = Statements::load(folder_).value();
  EXPECT_EQ(statements.find("questions/category_by_country")->text, "SELECT 1 AS one");
  EXPECT_FALSE(statements.find("questions/category_by_country")->built_in);
  EXPECT_TRUE(statements.find("questions/category_by_year")->built_in);
  EXPECT_EQ(statements.prelude(), "-- nothing");
  const Statement mine = statements.find("questions/mine").value();
  EXPECT_EQ(mine.description, "What it says.");
  EXPECT_THAT(mine.columns, ElementsAre("a", "b"));
  EXPECT_EQ(mine.text, "SELECT a, b\nFROM posts");
  EXPECT_EQ(statements.in_folder("questions").size(), 11U);
  EXPECT_EQ(statements.in_folder("questions").back().name, "questions/users_joined_by_year");
}

TEST_F(StatementFiles, ChecksOfRawTablesAreNotChecksOfTheModel) {
  const Statements statements = Statements::load(std::nullopt).value();
  EXPECT_EQ(statements.in_folder("checks/raw").size(), 3U);
  for (const Statement& check : statements.in_folder("checks"))
    EXPECT_THAT(check.name, testing::Not(HasSubstr("raw/")));
}

TEST_F(StatementFiles, MistakesNameFileAndLine) {
  write("questions/mine.sql", std::string(kFront) + "SELECT 1;\nDROP TABLE posts;\n");
  EXPECT_THAT(load_error(), testing::AllOf(HasSubstr("mine.sql: line 5"), HasSubstr("second statement")));
  write("questions/mine.sql", "-- name: other\n-- description: x\nSELECT 1");
  EXPECT_THAT(load_error(), HasSubstr("name: other"));
  write("questions/mine.sql", std::string(kFront) + "SELECT 1");
  EXPECT_EQ(load_error(), "");
  write("question/mine.sql", "SELECT 1");
  EXPECT_THAT(load_error(), testing::AllOf(HasSubstr("question/mine.sql"), HasSubstr("questions")));
}

TEST_F(StatementFiles, ABrokenQuestionOrCheckLeavesTheOthersAsTheyAre) {
  write("questions/mine.sql", "SELECT 1");
  write("checks/raw/odd.sql", "-- description: x\n-- severity: loud\nSELECT 1");
  write("questions/fine.sql", "-- description: x\nSELECT 1");
  const Statements statements = Statements::load(folder_).value();
  ASSERT_EQ(statements.broken().size(), 2U);
  EXPECT_EQ(statements.broken()[0].name, "checks/raw/odd");
  EXPECT_THAT(statements.broken()[0].error.message, HasSubstr("line 2: severity loud"));
  EXPECT_EQ(statements.broken()[1].name, "questions/mine");
  EXPECT_TRUE(statements.find("questions/fine"));
  EXPECT_FALSE(statements.find("questions/mine"));
  // What the cleaning and the model need is needed.
  write("model/posts.sql", "SELECT 1");
  EXPECT_THAT(load_error(), HasSubstr("model/posts.sql"));
}

TEST_F(StatementFiles, ChecksMayStopARun) {
  write("checks/hard.sql", "-- description: x\n-- severity: stop\n\nSELECT 1");
  write("questions/fine.sql", "-- description: x\n-- severity: stop\nSELECT 1");
  const Statements statements = Statements::load(folder_).value();
  EXPECT_TRUE(statements.find("checks/hard")->stops);
  EXPECT_EQ(statements.find("checks/hard")->first_line, 4U);
  EXPECT_FALSE(statements.find("checks/records_without_post")->stops);
  EXPECT_THAT(load_error(), HasSubstr("only a check has a severity"));
}

TEST_F(StatementFiles, NamesThatCannotBeTableNamesAreRefused) {
  write("questions/My question.sql", std::string(kFront) + "SELECT 1");
  EXPECT_THAT(load_error(), HasSubstr("My question.sql"));
}

TEST_F(StatementFiles, MissingFolderAndMissingStatementAreNotFound) {
  EXPECT_EQ(Statements::load(folder_ / "gone").error().code, ErrorCode::kNotFound);
  const auto missing = Statements::load(std::nullopt)->find("questions/category_by_contry");
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("did you mean questions/category_by_country?"));
}

TEST(FrontComments, LongValuesGoOnInTheNextLine) {
  const auto comment =
      internal::parse_front_comment("-- description: One\n--   two.\n-- columns: a,\n--   b\n-- name: n\n\nSELECT")
          .value();
  EXPECT_EQ(comment.description, "One two.");
  EXPECT_THAT(comment.columns, ElementsAre("a", "b"));
  EXPECT_EQ(comment.name, "n");
}

TEST(FrontComments, AreStrict) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1", "description"},
      {"-- description:\nSELECT 1", "line 1: `description` has no value"},
      {"-- descrption: x\nSELECT 1", "line 1: expected"},
      {"-- description: x\n-- hello\nSELECT 1", "line 2: expected"},
      {"-- description: x\n-- description: y\nSELECT 1", "line 2: `description` is given twice"},
      {"-- description: x\n-- columns: a, , b\nSELECT 1", "line 2: \"\" is no column"},
      {"-- description: x\n-- columns: a, a\nSELECT 1", "line 2: column a is given twice"},
      {"-- description: x\n-- columns: a b\nSELECT 1", "line 2: \"a b\" is no column"},
  };
  for (const auto& [text, words] : cases) {
    const auto comment = internal::parse_front_comment(text);
    ASSERT_FALSE(comment) << text;
    EXPECT_THAT(comment.error().message, HasSubstr(words));
  }
}

TEST(SingleSelects, EndAtTheSemicolonThatEndsThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1", "SELECT 1"},
      {"\n  select 1 ;\n-- bye; bye\n/* and ; more /* inner */ */ \n", "select 1"},
      {"WITH t AS (SELECT 1) SELECT * FROM t;", "WITH t AS (SELECT 1) SELECT * FROM t"},
      {"(SELECT 1) UNION ALL (SELECT 2);", "(SELECT 1) UNION ALL (SELECT 2)"},
      {"SELECT ';', 'it''s;', \"a;\"\"b\", `c;` FROM t;", "SELECT ';', 'it''s;', \"a;\"\"b\", `c;` FROM t"},
      {"SELECT 1 -- a; b\n, 2;", "SELECT 1 -- a; b\n, 2"},
      {"SELECT /* ; */ 1;", "SELECT /* ; */ 1"},
      {"SELECT $$a;b$$, $x$;$$;$x$;", "SELECT $$a;b$$, $x$;$$;$x$"},
      {"SELECT a$b, c$d;", "SELECT a$b, c$d"},
  };
  for (const auto& [text, expected] : cases) {
    const auto found = internal::single_select(text);
    ASSERT_TRUE(found) << text << ": " << found.error().message;
    EXPECT_EQ(*found, expected);
  }
}

TEST(SingleSelects, RefuseEverythingElse) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no statement"},
      {"-- only a comment", "no statement"},
      {";", "no statement"},
      {"DROP TABLE posts", "DROP"},
      {"INSERT INTO t SELECT 1", "INSERT"},
      {"SELECT 1; SELECT 2", "second statement"},
      {"SELECT 1;;", "second statement"},
      {"SELECT 'a'';'; DELETE FROM t", "second statement"},
      {"SELECT a$1; DELETE FROM t; SELECT b$1", "second statement"},
      {"SELECT 1 /* x */; /* y */ DELETE FROM t", "second statement"},
  };
  for (const auto& [text, words] : cases) {
    const auto found = internal::single_select(text);
    ASSERT_FALSE(found) << text;
    EXPECT_THAT(found.error().message, HasSubstr(words));
  }
}

}  // namespace
}  // namespace pinflow::sql
