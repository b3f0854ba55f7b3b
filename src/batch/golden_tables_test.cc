// Result tables that authors of such pipelines printed, against ours for the same posts. docs/golden-tables.md says what is compared and
// what follows from other rules than ours.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "batch/internal/workspace.h"

namespace pinflow::batch {
namespace {

namespace fs = std::filesystem;
using Cells = std::vector<std::string>;

fs::path data_folder() {
  const char* folder = std::getenv("PINFLOW_TEST_DATA");
  return folder != nullptr ? fs::path(folder) : fs::path(PINFLOW_SOURCE_DIR) / "../shared/data";
}

// The lines of real/<kind>.jsonl by post.
std::map<std::int64_t, std::string> read_records(records::Kind kind) {
  std::map<std::int64_t, std::string> lines;
  std::ifstream file(data_folder() / "real" / fmt::format("{}.jsonl", to_string(kind)));
  for (std::string line; std::getline(file, line);) lines[std::atoll(line.c_str() + line.find(':') + 1)] = line;
  return lines;
}

std::string label(std::string text) {
  return text == "+50" ? "50+" : text;
}

// A cell as text; numbers without a fraction that is zero, also those that were printed as text.
std::string cell_text(simdjson::dom::element cell) {
  std::string_view text;
  if (cell.is_null()) return "null";
  if (cell.get(text) == simdjson::SUCCESS && (text.empty() || text.find_first_not_of("0123456789.") != text.npos))
    return label(std::string(text));
  double number = 0;
  if (cell.get(number) != simdjson::SUCCESS) number = std::stod(std::string(text));
  return fmt::format("{}", number);
}

struct Golden {
  std::string name;
  std::set<std::int64_t> posts;
  std::map<std::string, std::vector<Cells>> printed;  // "T4" and so on, with the cells as text.
  std::map<std::string, std::string> semantics;
  std::map<std::string, std::int64_t> people_by_joining_year;
};

Golden read_golden(const fs::path& path) {
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.load(path.string());
  Golden golden{
      .name = path.stem().string(), .posts = {}, .printed = {}, .semantics = {}, .people_by_joining_year = {}};
  for (const std::int64_t ind : root["inds"].get_array()) golden.posts.insert(ind);
  for (const auto [key, table] : root["printed"].get_object()) {
    const std::string task(key.substr(0, key.find('_')));
    for (const simdjson::dom::element row : table["rows"].get_array()) {
      Cells& cells = golden.printed[task].emplace_back();
      for (const simdjson::dom::element cell : row.get_array()) cells.push_back(cell_text(cell));
    }
    std::string_view semantics;
    if (table["semantics"].get(semantics) == simdjson::SUCCESS) golden.semantics[task] = semantics;
  }
  for (const auto [year, people] : root["computed_distinct_users_by_join_year"].get_object()) {
    golden.people_by_joining_year[std::string(year)] = people.get_int64();
  }
  return golden;
}

// The posts of one author, through cleaning and model.
struct Modelled {
  Golden golden;
  sql::Statements statements;
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<internal::Workspace> workspace;  // Last: leaves the engine first.
};

void load(Modelled& modelled, records::Kind kind) {
  internal::Slice slice;
  slice.rows = std::make_unique<records::RawBatch>(kind);
  for (const auto& [ind, line] : read_records(kind)) {
    if (!modelled.golden.posts.contains(ind)) continue;
    const auto added = slice.rows->add(line, {.topic = "real", .partition = 0, .offset = ind, .arrived = {}});
    ASSERT_TRUE(added) << added.error().message;
  }
  ASSERT_EQ(slice.rows->batch().rows(), modelled.golden.posts.size());
  ASSERT_TRUE(modelled.workspace->add_slice(slice));
}

class GoldenTables : public testing::TestWithParam<const char*> {
 protected:
  // The tests of one author ask one model: making it takes longer than asking.
  static std::map<std::string, Modelled>& all() {
    static std::map<std::string, Modelled> modelled;
    return modelled;
  }
  static void TearDownTestSuite() { all().clear(); }

  void SetUp() override {
    const fs::path path = data_folder() / "golden" / fmt::format("golden-{}.json", GetParam());
    if (!fs::exists(path)) GTEST_SKIP() << path << " is not there; set PINFLOW_TEST_DATA to the folder of test data";
    if (!all().contains(GetParam())) {
      Modelled& modelled = all()[GetParam()];
      modelled.golden = read_golden(path);
      ASSERT_FALSE(modelled.golden.posts.empty());
      modelled.statements = sql::Statements::load(std::nullopt).value();
      modelled.engine = sql::open_engine({}).value();
      modelled.workspace = internal::Workspace::open(*modelled.engine, modelled.statements).value();
      for (const records::Kind kind : records::kKinds) load(modelled, kind);
      ASSERT_TRUE(modelled.workspace->build_model());
    }
    golden_ = all().at(GetParam()).golden;
  }

  internal::Workspace& workspace() { return *all().at(GetParam()).workspace; }

  std::vector<Cells> query(const std::string& text) {
    auto table = workspace().session().query(text);
    EXPECT_TRUE(table) << table.error().message;
    std::vector<Cells> rows;
    for (const auto& values : table->rows) {
      Cells& cells = rows.emplace_back();
      for (const sql::Value& value : values) cells.push_back(value.is_null() ? "null" : value.to_text());
    }
    return rows;
  }
  std::vector<Cells> ask(const std::string& question) {
    EXPECT_TRUE(workspace().ask(all().at(GetParam()).statements.find("questions/" + question).value()));
    return query(fmt::format("SELECT * FROM question_{} ORDER BY rowid", question));
  }

  // Ours against a printed "most popular category per group": the same groups and counts, and the same category where we have no tie.
  void compare_most_popular(const std::vector<Cells>& ours, const std::vector<Cells>& printed,
                            const std::set<std::string>& groups) {
    std::map<std::string, std::int64_t> most;
    std::set<Cells> rows;
    for (const Cells& row : printed) {
      if (!groups.empty() && !groups.contains(row[0])) continue;
      most[row[0]] = std::max<std::int64_t>(most[row[0]], std::stoll(row[2]));
      rows.insert(row);
    }
    EXPECT_EQ(ours.size(), most.size());
    for (const Cells& row : ours) {
      EXPECT_EQ(std::stoll(row[2]), most[row[0]]) << row[0];
      if (row[3] == "false") EXPECT_TRUE(rows.contains({row[0], row[1], row[2]})) << row[0] << " " << row[1];
    }
  }

  // The author's own rule for medians, which weighs people by their posts.
  void compare_medians_by_post(const std::string& task, const std::string& group, const std::string& where) {
    const bool lower = golden_.semantics[task].starts_with("lower");
    const std::string median =
        lower ? "percentile_disc(0.5) WITHIN GROUP (ORDER BY follower_count)" : "median(follower_count)";
    const std::vector<Cells> ours =
        query(fmt::format("SELECT {0}, CAST({1} AS DOUBLE) FROM posts WHERE {2} GROUP BY {0}", group, median, where));
    EXPECT_EQ(std::set<Cells>(ours.begin(), ours.end()),
              std::set<Cells>(golden_.printed[task].begin(), golden_.printed[task].end()))
        << task;
  }

  Golden golden_;
};

TEST_P(GoldenTables, MostPopularCategoryByCountry) {
  compare_most_popular(ask("category_by_country"), golden_.printed["T4"], {});
}

TEST_P(GoldenTables, CategoriesByYear) {
  const std::vector<Cells> all = ask("posts_by_category_and_year");
  const std::set<Cells> ours(all.begin(), all.end());
  const std::set<std::string> years = {"2018", "2019", "2020", "2021", "2022"};
  for (const Cells& row : golden_.printed["T5"]) {
    // One author left 2017 in.
    if (years.contains(row[0])) EXPECT_TRUE(ours.contains(row)) << row[0] << " " << row[1];
  }
  compare_most_popular(ask("category_by_year"), golden_.printed["T5"], years);
  if (golden_.printed["T5"].size() > 10)
    EXPECT_EQ(all.size(), golden_.printed["T5"].size());  // This author lists all categories.
}

TEST_P(GoldenTables, MostFollowedByCountry) {
  if (!golden_.printed.contains("T6a")) GTEST_SKIP() << "this author printed no such table";
  std::map<std::string, std::int64_t> most;  // Some authors list every poster of a country.
  std::set<Cells> rows;
  for (const Cells& row : golden_.printed["T6a"]) {
    if (row[2] == "null") continue;
    most[row[0]] = std::max<std::int64_t>(most[row[0]], std::stoll(row[2]));
    rows.insert(row);
  }
  const std::vector<Cells> ours = ask("most_followed_by_country");
  EXPECT_EQ(ours.size(), most.size());
  for (const Cells& row : ours) {
    EXPECT_EQ(std::stoll(row[2]), most[row[0]]) << row[0];
    if (row[3] == "false") EXPECT_TRUE(rows.contains({row[0], row[1], row[2]})) << row[0] << " " << row[1];
  }
}

TEST_P(GoldenTables, CountryOfTheMostFollowed) {
  if (!golden_.printed.contains("T6b")) GTEST_SKIP() << "this author printed no such table";
  const std::vector<Cells> ours = ask("country_of_most_followed");
  ASSERT_EQ(ours.size(), 1U);
  const Cells printed = golden_.printed["T6b"].at(0);
  EXPECT_EQ(ours[0][1], printed[1]);
  if (ours[0][2] == "false") EXPECT_EQ(ours[0][0], printed[0]);
  const auto theirs = query(fmt::format("SELECT 1 FROM people WHERE country = {} AND follower_count = {}",
                                        sql::quote_text(printed[0]), printed[1]));
  EXPECT_FALSE(theirs.empty()) << printed[0];
}

TEST_P(GoldenTables, MostPopularCategoryByAgeGroup) {
  compare_most_popular(ask("category_by_age_group"), golden_.printed["T7"], {});
}

TEST_P(GoldenTables, UsersJoinedByYearArePeople) {
  std::map<std::string, std::int64_t> ours;
  for (const Cells& row : ask("users_joined_by_year")) ours[row[0]] = std::stoll(row[1]);
  EXPECT_EQ(ours, golden_.people_by_joining_year);
}

TEST_P(GoldenTables, AuthorsRulesOverOurPostsGiveTheirTables) {
  compare_medians_by_post("T8", "age_group", "TRUE");
  compare_medians_by_post("T10", "pf_year(date_joined)", "pf_year(date_joined) BETWEEN 2015 AND 2020");
  compare_medians_by_post("T11", "age_group, pf_year(date_joined)", "pf_year(date_joined) BETWEEN 2015 AND 2020");
  const std::vector<Cells> ours = query("SELECT pf_year(date_joined), count(*) FROM posts GROUP BY 1");
  EXPECT_EQ(std::set<Cells>(ours.begin(), ours.end()),
            std::set<Cells>(golden_.printed["T9"].begin(), golden_.printed["T9"].end()));
}

INSTANTIATE_TEST_SUITE_P(Authors, GoldenTables, testing::Values("148", "224", "564"));

// Cleaning takes away the known texts for "nothing" and touches no other text.
TEST(RealRecords, KeepTheirTextByteByByte) {
  if (!fs::exists(data_folder() / "real")) GTEST_SKIP() << "no test data; set PINFLOW_TEST_DATA to its folder";
  const auto engine = sql::open_engine({}).value();
  const sql::Statements statements = sql::Statements::load(std::nullopt).value();
  const auto session = engine->connect().value();
  ASSERT_TRUE(session->run(statements.prelude()));
  records::RawBatch rows(records::Kind::kPin);
  for (const auto& [ind, line] : read_records(records::Kind::kPin)) {
    ASSERT_TRUE(rows.add(line, {.topic = "real", .partition = 0, .offset = ind, .arrived = {}}));
  }
  ASSERT_TRUE(session->load("raw_pin", rows.batch()));
  ASSERT_TRUE(session->run(fmt::format("CREATE TEMP TABLE cleaned AS {}", statements.find("clean/pin")->text)));
  const std::map<std::string, std::string> nothing = {
      {"title", "'No Title Data Available', ''"},
      {"description", "'No description available Story format', 'No description available'"},
      {"poster_name", "'User Info Error'"},
      {"tag_list", "'N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e'"},
      {"image_src", "'Image src error.'"},
      {"is_image_or_video", "''"},
      {"unique_id", "''"},
      {"category", "''"}};
  for (const auto& [column, texts] : nothing) {
    const auto wrong = session->query(
        fmt::format("SELECT raw.index FROM raw_pin AS raw JOIN cleaned ON cleaned.ind = raw.index WHERE cleaned.{0} "
                    "IS DISTINCT FROM CASE WHEN raw.{0} IN ({1}) THEN NULL ELSE raw.{0} END",
                    column, texts));
    ASSERT_TRUE(wrong) << wrong.error().message;
    EXPECT_TRUE(wrong->rows.empty()) << column;
  }
  const auto paths =
      session->query("SELECT ind FROM cleaned WHERE save_location IS DISTINCT FROM '/data/' || category");
  EXPECT_TRUE(paths.value().rows.empty());
}

}  // namespace
}  // namespace pinflow::batch
