#include "emulator/source.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/internal/database_url.h"
#include "records/raw_batch.h"
#include "sql/engine.h"

namespace pinflow::emulator {
namespace {

using internal::DatabaseUrl;
using testing::HasSubstr;

// A folder of its own for each test, with sources in it.
class SourceTest : public testing::Test {
 protected:
  SourceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-source-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    location = (folder / "source.duckdb").string();
  }
  ~SourceTest() override { std::filesystem::remove_all(folder); }

  void write(std::string_view name, std::string_view text) { std::ofstream(folder / name) << text; }

  void create(std::int64_t posts) {
    const auto made = create_source(location, {.seed = 1, .posts = posts}, {});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->posts, posts);
  }

  std::unique_ptr<Source> open() {
    auto source = open_source(location);
    EXPECT_TRUE(source) << source.error().message;
    return source ? std::move(*source) : nullptr;
  }

  std::filesystem::path folder;
  std::string location;
};

// The records of the synthetic set as JSON, by index and kind.
std::vector<Post> synthetic(std::int64_t posts) {
  const auto set = records::SyntheticPosts({.seed = 1, .posts = posts}).next(SIZE_MAX);
  std::vector<Post> made(static_cast<std::size_t>(posts));
  for (std::size_t k = 0; k < records::kKinds.size(); ++k) {
    for (std::size_t row = 0; row < made.size(); ++row) {
      made[row].index = static_cast<std::int64_t>(row);
      records::append_json_record(made[row].records[k], set.at(records::kKinds[k]), row);
    }
  }
  return made;
}

void expect_equal(const std::vector<Post>& got, const std::vector<Post>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].index, expected[i].index);
    EXPECT_EQ(got[i].records, expected[i].records);
  }
}

TEST_F(SourceTest, GivesBackEveryRowThatWasMade) {
  create(300);
  const auto source = open();
  ASSERT_TRUE(source);
  EXPECT_EQ(source->extent().posts, 300);
  EXPECT_EQ(source->extent().first_index, 0);
  EXPECT_EQ(source->extent().end_index, 300);
  const auto all = source->read(0, 1'000);
  ASSERT_TRUE(all) << all.error().message;
  expect_equal(*all, synthetic(300));
  const auto some = source->read(7, 9);
  ASSERT_TRUE(some);
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ((*some)[0].index, 7);
}

TEST_F(SourceTest, PicksPostsInTheOrderAskedFor) {
  create(20);
  const auto source = open();
  ASSERT_TRUE(source);
  const std::int64_t wanted[] = {5, 3, 99, 5, 0};
  const auto picked = source->pick(wanted);
  ASSERT_TRUE(picked);
  std::vector<std::int64_t> indices;
  for (const Post& post : *picked) indices.push_back(post.index);
  EXPECT_THAT(indices, testing::ElementsAre(5, 3, 5, 0));
  EXPECT_EQ((*picked)[0].records, (*picked)[2].records);
  ASSERT_TRUE(source->pick({}));
}

TEST_F(SourceTest, KeepsTimesAsTimestamps) {
  create(10);
  const auto engine = sql::open_engine({.database = location, .read_only = true});
  ASSERT_TRUE(engine);
  const auto session = (*engine)->connect();
  const auto types =
      (*session)->query("SELECT DISTINCT typeof(timestamp), typeof(date_joined) FROM geolocation_data, user_data");
  ASSERT_TRUE(types) << types.error().message;
  EXPECT_EQ(types->rows.front()[0].to_text(), "TIMESTAMP");
  EXPECT_EQ(types->rows.front()[1].to_text(), "TIMESTAMP");
}

TEST_F(SourceTest, ReplacesTablesOnlyWhenTold) {
  create(10);
  const auto again = create_source(location, {.seed = 1, .posts = 20}, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_THAT(again.error().message, HasSubstr("pinterest_data"));
  EXPECT_EQ(open()->extent().posts, 10);
  ASSERT_TRUE(create_source(location, {.seed = 1, .posts = 20}, {.replace = true}));
  EXPECT_EQ(open()->extent().posts, 20);
}

TEST_F(SourceTest, LeavesTheOldTablesWhenStopped) {
  create(10);
  std::stop_source stop;
  stop.request_stop();
  const auto again = create_source(location, {.seed = 1, .posts = 20}, {.replace = true, .stop = stop.get_token()});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(open()->extent().posts, 10);
}

TEST_F(SourceTest, SaysHowToMakeWhatIsMissing) {
  const auto no_file = open_source(location);
  ASSERT_FALSE(no_file);
  EXPECT_EQ(no_file.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(no_file.error().message, HasSubstr("pinflow source create"));
  ASSERT_TRUE((*(*sql::open_engine({.database = location}))->connect())->run("CREATE TABLE pinterest_data (x INT)"));
  const auto no_table = open_source(location);
  ASSERT_FALSE(no_table);
  EXPECT_EQ(no_table.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(no_table.error().message, HasSubstr("geolocation_data"));
}

TEST_F(SourceTest, RefusesNumbersOfPostsThatCannotBeMade) {
  for (const std::int64_t posts : {std::int64_t{-1}, std::int64_t{1} << 40}) {
    const auto made = create_source(location, {.seed = 1, .posts = posts}, {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalid);
  }
}

TEST_F(SourceTest, OpensAnEmptySource) {
  create(0);
  const auto source = open();
  ASSERT_TRUE(source);
  EXPECT_EQ(source->extent().posts, 0);
}

TEST_F(SourceTest, ImportsFilesWhoseKindsHaveDifferentRows) {
  write("pin.jsonl", "{\"index\":4,\"title\":\"T\"}\n\n");
  write("geo.jsonl",
        "{\"ind\":4,\"timestamp\":\"2020-08-28T03:52:47\",\"latitude\":1.5}\n{\"ind\":9,\"timestamp\":null}\n"
        "{\"ind\":10,\"timestamp\":\"28.08.2020\"}\nnonsense\n{\"ind\":11,\"timestamp\":\"2020-02-30 00:00:00\"}");
  const auto report = import_source(location, folder, {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->rows, testing::ElementsAre(1, 2, 0));
  EXPECT_EQ(report->refused, 3);
  ASSERT_EQ(report->reasons.size(), 3u);
  EXPECT_EQ(report->reasons[0], "geo.jsonl, line 3: member 'timestamp' is not a time like 2022-10-19 17:54:26");
  EXPECT_EQ(report->reasons[1], "geo.jsonl, line 4: the record is not JSON");

  const auto source = open();
  ASSERT_TRUE(source);
  EXPECT_EQ(source->extent().posts, 2);
  EXPECT_EQ(source->extent().first_index, 4);
  EXPECT_EQ(source->extent().end_index, 10);
  const auto posts = source->read(0, 100);
  ASSERT_TRUE(posts);
  ASSERT_EQ(posts->size(), 2u);
  EXPECT_THAT((*posts)[0].records[0], HasSubstr(R"("title":"T","description":null)"));
  EXPECT_EQ((*posts)[0].records[1],
            R"({"ind":4,"timestamp":"2020-08-28 03:52:47","latitude":1.5,"longitude":null,"country":null})");
  EXPECT_EQ((*posts)[0].records[2], "");
  EXPECT_EQ((*posts)[1].records[0], "");
}

TEST_F(SourceTest, RefusesToImportFromAFolderWithoutFiles) {
  const auto report = import_source(location, folder, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(location));
}

TEST_F(SourceTest, ImportsTheRowsOfTestData) {
  const char* const set = std::getenv("PINFLOW_TEST_DATA");
  const std::filesystem::path data = set != nullptr ? set : PINFLOW_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::exists(data / "real")) GTEST_SKIP() << "no test data in " << data;
  const auto report = import_source(location, data / "real", {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->rows, testing::ElementsAre(2'366, 9'075, 9'075));
  EXPECT_EQ(report->refused, 0) << report->reasons.front();
  EXPECT_EQ(open()->extent().posts, 9'075);
}

TEST(DatabaseUrls, AreReadWithAllTheirParts) {
  const auto whole = DatabaseUrl::parse("mysql://an%40a:s%3Acret%2F@db.example:3307/site", "");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(
      *whole,
      (DatabaseUrl{.user = "an@a", .password = "s:cret/", .host = "db.example", .port = 3307, .database = "site"}));
  const auto least = DatabaseUrl::parse("mariadb://ana@[::1]/site", "other");
  ASSERT_TRUE(least) << least.error().message;
  EXPECT_EQ(*least, (DatabaseUrl{.user = "ana", .password = "other", .host = "::1", .port = 3306, .database = "site"}));
  EXPECT_EQ(whole->shown(), "mysql://db.example:3307/site");
}

TEST(DatabaseUrls, SayHowTheConnectionIsEncrypted) {
  using internal::SslMode;
  const auto read = [](const std::string& options) { return DatabaseUrl::parse("mysql://a:p%3F@h/db?" + options, ""); };
  EXPECT_EQ(read("")->ssl_mode, SslMode::kDisabled);
  EXPECT_EQ(read("ssl-mode=required")->ssl_mode, SslMode::kRequired);
  EXPECT_EQ(read("ssl-mode=verify-identity")->ssl_mode, SslMode::kVerifyIdentity);
  const auto with_authority = read("ssl-ca=/etc/rds%20bundle.pem");
  ASSERT_TRUE(with_authority) << with_authority.error().message;
  EXPECT_EQ(with_authority->ssl_ca, "/etc/rds bundle.pem");
  EXPECT_EQ(with_authority->ssl_mode, SslMode::kVerifyIdentity);
  EXPECT_EQ(with_authority->database, "db");
  EXPECT_EQ(with_authority->password, "p?");
  for (const auto* options : {"ssl-mode=yes", "ssl=1", "ssl-ca=", "ssl-mode=required&ssl-ca=/a", "ssl-ca=%zz"})
    EXPECT_THAT(read(options).error().message, HasSubstr("the address of the source")) << options;
}

TEST(DatabaseUrls, AreRefusedWithoutShowingThePassword) {
  for (const auto* text : {"mysql://ana:secret@host", "mysql://ana:secret@host/", "mysql://host/db",
                           "mysql://ana:secret@/db", "mysql://ana:secret@host:0/db", "mysql://ana:secret@host:99999/db",
                           "mysql://ana:secret%zz@host/db", "mysql://ana:secret%00@host/db"}) {
    const auto url = DatabaseUrl::parse(text, "");
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, HasSubstr("mysql://user[:password]@host[:port]/database"));
    EXPECT_THAT(url.error().message, testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace pinflow::emulator
