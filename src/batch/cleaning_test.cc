// The SQL files of sql/clean over one record a line of testdata/cleaning.tsv.
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "records/raw_batch.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::batch {
namespace {

struct Case {
  std::string kind, members, column, expected, why;
};

std::vector<Case> read_cases() {
  std::ifstream file(std::string(PINFLOW_SOURCE_DIR) + "/src/batch/testdata/cleaning.tsv");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::vector<std::string> parts(1);
    for (const char c : line) {
      if (c == '\t') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    EXPECT_EQ(parts.size(), 5U) << line;
    if (parts.size() == 5) cases.push_back({parts[0], parts[1], parts[2], parts[3], parts[4]});
  }
  return cases;
}

class Cleaning : public testing::Test {
 protected:
  Cleaning()
      : engine_(sql::open_engine({}).value()),
        session_(engine_->connect().value()),
        statements_(sql::Statements::load(std::nullopt).value()) {
    EXPECT_TRUE(session_->run(statements_.prelude()));
  }

  // Cleans records of one kind, the ith with id i.
  sql::ResultTable clean(records::Kind kind, const std::vector<std::string>& members) {
    records::RawBatch rows(kind);
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::string json = fmt::format(R"({{"ind":{}{}{}}})", i, members[i].empty() ? "" : ",", members[i]);
      const auto added = rows.add(
          json, {.topic = "pinterest.pin", .partition = 2, .offset = 40 + static_cast<std::int64_t>(i), .arrived = {}});
      EXPECT_TRUE(added) << json << ": " << added.error().message;
    }
    const std::string kind_name(to_string(kind));
    EXPECT_TRUE(session_->load("raw_" + kind_name, rows.batch()));
    const sql::Statement statement = statements_.find("clean/" + kind_name).value();
    auto table = session_->query(fmt::format("SELECT * FROM (\n{}\n) AS cleaned ORDER BY ind", statement.text));
    EXPECT_TRUE(table) << table.error().message;
    EXPECT_EQ(table->columns, statement.columns);
    return *std::move(table);
  }

  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  sql::Statements statements_;
};

TEST_F(Cleaning, TreatsEveryKindOfDirtAsTheTableSays) {
  std::map<std::string, std::vector<Case>> by_kind;
  for (Case& one : read_cases()) by_kind[one.kind].push_back(std::move(one));
  std::size_t compared = 0;
  for (const records::Kind kind : records::kKinds) {
    const std::vector<Case>& cases = by_kind[std::string(to_string(kind))];
    std::vector<std::string> members;
    for (const Case& one : cases) members.push_back(one.members);
    const sql::ResultTable table = clean(kind, members);
    ASSERT_EQ(table.rows.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto column = std::ranges::find(table.columns, cases[i].column) - table.columns.begin();
      ASSERT_LT(column, std::ssize(table.columns)) << cases[i].column;
      std::string found;
      table.rows[i][static_cast<std::size_t>(column)].append_json(found);
      EXPECT_EQ(found, cases[i].expected) << cases[i].members << " (" << cases[i].why << ")";
      ++compared;
    }
  }
  EXPECT_GT(compared, 150U);
}

TEST_F(Cleaning, KeepsWhereARowComesFrom) {
  const sql::ResultTable table = clean(records::Kind::kGeo, {"", ""});
  EXPECT_EQ(std::get<std::string>(table.rows[1][4].data), "pinterest.pin");
  EXPECT_EQ(std::get<std::int64_t>(table.rows[1][5].data), 2);
  EXPECT_EQ(std::get<std::int64_t>(table.rows[1][6].data), 41);
  EXPECT_TRUE(table.rows[1][7].is_null());
}

TEST_F(Cleaning, GivesTheTypesThatTablesKeep) {
  EXPECT_EQ(clean(records::Kind::kPin, {}).types,
            (std::vector<std::string>{"BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", "VARCHAR",
                                      "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT",
                                      "TIMESTAMP WITH TIME ZONE"}));
  EXPECT_EQ(clean(records::Kind::kGeo, {}).types,
            (std::vector<std::string>{"BIGINT", "VARCHAR", "DOUBLE[]", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "INTEGER",
                                      "BIGINT", "TIMESTAMP WITH TIME ZONE"}));
  EXPECT_EQ(clean(records::Kind::kUser, {}).types,
            (std::vector<std::string>{"BIGINT", "VARCHAR", "INTEGER", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "INTEGER",
                                      "BIGINT", "TIMESTAMP WITH TIME ZONE"}));
}

}  // namespace
}  // namespace pinflow::batch
