// Which state of a table a statement reads, and tables that lie in S3.
#include "query/table_views.h"

#include <gmock/gmock.h>

#include "batch/published.h"
#include "objects/s3_store.h"
#include "objects/testing/fake_s3.h"
#include "query/query_fixture.h"

namespace pinflow::query {
namespace {

using ::testing::HasSubstr;

const delta::TableSpec kShop{.name = "shop", .schema = {{"a", "long"}}};
const delta::TableSpec kOther{.name = "other", .schema = {{"a", "long"}}};

class TableViewsAsOf : public QueryFixture {
 protected:
  TableViewsAsOf() {
    // Each append is a version: shop 1 has one row, 2 has two, 3 has three; other 1 has one, 2 has two.
    for (int version = 1; version <= 3; ++version) {
      make(kShop, fmt::format("SELECT CAST({} AS BIGINT) AS a", version));
      if (version <= 2) make(kOther, fmt::format("SELECT CAST({} AS BIGINT) AS a", 10 * version));
    }
  }

  std::string count_at(const std::string& as_of, const std::string& table = "shop") {
    const auto at = parse_read_at(as_of);
    if (!at) return at.error().message;
    const auto answer = ask("SELECT count(*) AS n FROM " + table, AnswerFormat::kCsv, {}, *at);
    return answer ? answer->body : std::string(to_string(answer.error().code)) + ": " + answer.error().message;
  }
};

TEST_F(TableViewsAsOf, AVersionIsThatOfEachTableNamed) {
  EXPECT_EQ(count_at("1"), "n\r\n1\r\n");
  EXPECT_EQ(count_at("2"), "n\r\n2\r\n");
  EXPECT_EQ(count_at("2", "shop, other"), "n\r\n4\r\n");
  EXPECT_THAT(count_at("9"), HasSubstr("not_found: "));
}

TEST_F(TableViewsAsOf, VersionsOfTablesAreReadAsAnAnswerNamedThem) {
  const auto newest = ask("SELECT * FROM shop, other");
  EXPECT_EQ(newest->versions, (std::map<std::string, std::int64_t>{{"other", 2}, {"shop", 3}}));
  EXPECT_EQ(count_at("other=1, shop=3", "shop, other"), "n\r\n3\r\n");
  EXPECT_EQ(count_at("SHOP=1", "shop, other"), "n\r\n2\r\n");  // The other one as it is now.
  EXPECT_THAT(count_at("other=1"), HasSubstr("invalid: as_of gives a version of other, which the statement does not"));
  EXPECT_THAT(count_at("shop=9"), HasSubstr("not_found: "));
}

TEST_F(TableViewsAsOf, ATimeIsWhatReadersSawThen) {
  // The times of commits are those of their files.
  const auto log = root_ / "tables" / "shop" / "_delta_log";
  const auto at = [](int hour) {
    const std::chrono::sys_time<std::chrono::nanoseconds> time =
        std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours(hour);
    return std::filesystem::file_time_type::clock::from_sys(time);
  };
  for (int version = 0; version <= 3; ++version)
    std::filesystem::last_write_time(log / fmt::format("{:020}.json", version), at(10 + version));
  EXPECT_EQ(count_at("2026-11-22T12:00:00Z"), "n\r\n2\r\n");
  EXPECT_EQ(count_at("2026-11-22T12:59:59Z"), "n\r\n2\r\n");
  EXPECT_EQ(count_at("2026-11-22T13:00:00Z"), "n\r\n3\r\n");
  EXPECT_THAT(count_at("2026-11-22T09:59:59Z"), HasSubstr("not_found: "));
}

TEST_F(TableViewsAsOf, SaysWhatAsOfMayBe) {
  for (const char* const wrong : {"", "yesterday", "-1", "1.5", "shop", "shop=", "=1", "shop=-1", "shop=1, shop=2",
                                  "shop=1,,", "99999999999999999999", "2026-13-01T00:00:00Z"}) {
    const auto at = parse_read_at(wrong);
    ASSERT_FALSE(at) << wrong;
    EXPECT_EQ(at.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(at.error().message, HasSubstr("(shop=7, other=9)"));
  }
}

TEST_F(TableViewsAsOf, ATableOfTheBatchIsReadAsItWasPublishedUnlessAskedOtherwise) {
  batch::Publication publication;
  publication.run_id = "r1";
  publication.tables["shop"] = {.version = delta::Version(2), .rows = 2};
  ASSERT_TRUE(batch::publish(*store_, publication));
  EXPECT_EQ(ask("SELECT count(*) AS n FROM shop")->body, "n\r\n2\r\n");
  EXPECT_EQ(ask("SELECT count(*) AS n FROM other")->body, "n\r\n2\r\n");
  EXPECT_EQ(count_at("shop=1"), "n\r\n1\r\n");
  EXPECT_EQ(count_at("3"), "n\r\n3\r\n");
}

class TableViewsInS3 : public QueryFixture {
 protected:
  TableViewsInS3() {
    objects::S3Options options;
    options.bucket = "bucket";
    options.prefix = "lake";
    options.endpoint = "http://store:9000";
    options.local = root_ / "s3";
    options.probe = false;
    store_ = objects::open_s3_store(options, {http_, *disk_, clock_, logger_,
                                              [](const char* name) -> std::string {
                                                return std::string_view(name).starts_with("AWS_") ? "key" : "";
                                              },
                                              [](std::chrono::milliseconds) {}})
                 .value();
    sql::EngineOptions engine;
    engine.folders = {root_ / "s3"};
    engine_ = sql::open_engine(engine).value();
    options_.folders = {root_ / "s3"};
  }
  ~TableViewsInS3() override { store_.reset(); }

  objects::testing::FakeS3 http_;
};

TEST_F(TableViewsInS3, AreReadFromLocalCopiesByAWorkerWithoutNetwork) {
  make(kShop, "SELECT 1::BIGINT AS a UNION ALL SELECT 2");
  make(kShop, "SELECT 3::BIGINT AS a");
  make(kOther, "SELECT 7::BIGINT AS a");
  const auto answer = ask("SELECT sum(a) AS s FROM shop");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "s\r\n6\r\n");
  EXPECT_EQ(answer->versions, (std::map<std::string, std::int64_t>{{"shop", 2}}));
  EXPECT_EQ(ask("SELECT sum(a) AS s FROM shop", AnswerFormat::kCsv, {}, {.all = delta::Version(1)})->body,
            "s\r\n3\r\n");
  EXPECT_FALSE(http_.objects.empty());
}

TEST_F(TableViewsInS3, NothingIsFetchedOfTablesThatAreNotNamed) {
  make(kOther, "SELECT 7::BIGINT AS a");
  http_.calls.clear();
  ASSERT_TRUE(ask("SELECT 1"));
  for (const std::string& call : http_.calls) EXPECT_THAT(call, ::testing::Not(HasSubstr(".parquet"))) << call;
}

TEST_F(TableViewsInS3, AStoreThatIsAwayIsAnErrorOfTheStore) {
  make(kShop, "SELECT 1::BIGINT AS a");
  http_.faults.assign(100, objects::testing::FakeS3::Fault::kServerError);
  const auto answer = ask("FROM shop");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().message;
}

}  // namespace
}  // namespace pinflow::query
