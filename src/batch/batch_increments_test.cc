// Runs that take in what is new: however the records are spread over runs, the tables are those of one run over all of them.
#include "batch/batch_fixture.h"
#include "log/testing/memory_log.h"
#include "sink/testing/faults.h"

namespace pinflow::batch {
namespace {

using ::testing::HasSubstr;
using testing::Post;

class BatchIncrements : public BatchFixture {
 protected:
  BatchIncrements() { folders_by_field_ = true; }
  // A day: new posts, changed ones, parts of posts, broken records, over three partitions in any order.
  void sink_day(int day) {
    std::vector<std::pair<records::Kind, std::string>> lines;
    for (Post post : posts(60 + 6 * day)) {
      const bool is_new = day == 0 || post.ind >= 60 + 6 * (day - 1);
      if (!is_new && random_.below(20) != 0) continue;
      if (!is_new) post.category = fmt::format("changed {}", random_.below(5));
      post.last = std::to_string(post.ind % 40);  // So that most people have no post that changes.
      if (random_.below(9) == 0) post.first = fmt::format("Renamed {}", day);
      for (const records::Kind kind : records::kKinds) {
        if (random_.below(5) == 0) continue;  // It never comes, or another day.
        lines.emplace_back(kind, testing::json_of(kind, post));
        if (random_.below(7) == 0) lines.push_back(lines.back());
      }
    }
    for (int i = 0; i < 3; ++i) lines.emplace_back(records::Kind::kGeo, R"({"ind":"no number"})");
    std::ranges::shuffle(lines, random_);
    for (const auto& [kind, line] : lines) sink(kind, {line}, static_cast<std::int32_t>(random_.below(3)));
  }
};

TEST_F(BatchIncrements, ComeToTheSameAsOneRunOverAll) {
  for (int day = 0; day < 5; ++day) {
    sink_day(day);
    const BatchReport report = run();
    for (const auto& [kind, counts] : report.kinds) {
      EXPECT_EQ(counts.records, counts.added + counts.repeats + counts.dead_letters) << to_string(kind);
      EXPECT_EQ(counts.reloaded, "");
    }
    for (const CheckResult& check : report.checks) {
      if (check.stops) EXPECT_EQ(check.findings, 0U) << check.check;
    }
    if (day > 0) EXPECT_EQ(report.posts_rebuilt, "");
  }
  const auto by_days = published_rows();
  const BatchReport whole = run({.rebuild = true});
  EXPECT_NE(whole.posts_rebuilt, "");
  EXPECT_EQ(by_days, published_rows());
}

TEST_F(BatchIncrements, ReadOnlyWhatIsNew) {
  sink(posts(30));
  EXPECT_EQ(run().objects, 3U);
  EXPECT_EQ(run().objects, 0U);
  sink({posts(31)[30]});
  const BatchReport report = run();
  EXPECT_EQ(report.objects, 3U);
  EXPECT_EQ(report.posts_touched, 1U);
  EXPECT_EQ(report.kinds.at(records::Kind::kPin).files_rewritten, 0U);
  EXPECT_EQ(report.kinds.at(records::Kind::kPin).added, 1U);
}

TEST_F(BatchIncrements, OnlyFilesWithARowThatGivesWayAreWrittenAnew) {
  for (int day = 0; day < 3; ++day) {
    const std::vector<Post> all = posts(30);
    sink({all.begin() + day * 10, all.begin() + day * 10 + 10});
    run();
  }
  Post changed = posts(15)[14];
  changed.category = "changed";
  sink({changed});
  const BatchReport report = run();
  EXPECT_EQ(report.kinds.at(records::Kind::kPin).files_rewritten, 1U);
  EXPECT_EQ(rows_of("batch_pin", "count(*), count(*) FILTER (WHERE category = 'changed')", "1"),
            std::vector<std::string>{"30|1"});
  EXPECT_EQ(rows_of("batch_posts", "count(*), count(*) FILTER (WHERE category = 'changed')", "1"),
            std::vector<std::string>{"30|1"});
}

TEST_F(BatchIncrements, PeopleOfChangedPostsAloneAreMadeAnew) {
  std::vector<Post> all = posts(42);
  for (Post& post : all) post.last = std::to_string(post.ind % 40);
  const auto files = [this] { return delta::read_snapshot(*tables_, *engine_, "batch_people").value().files; };
  const std::string columns = "user_name, follower_count, post_count";
  sink({all.begin(), all.begin() + 39});
  run();
  const auto first = files();
  ASSERT_EQ(first.size(), 1U);
  // Somebody new: the file of the others stays.
  sink(std::vector<Post>{all[39]});
  run();
  EXPECT_EQ(files().size(), 2U);
  EXPECT_TRUE(files().contains(first.begin()->first));
  // Nobody: nothing is written.
  const auto second = files();
  EXPECT_EQ(run().posts_touched, 0U);
  EXPECT_EQ(files().begin()->first, second.begin()->first);
  // A second post of somebody who is there; one that goes over to somebody else, so that who had it is gone; one that says nothing of its user.
  all[5].last = "6";
  all[5].age = all[6].age;
  all[40].age = all[0].age;
  sink({all[40], all[5]});
  sink(records::Kind::kUser, {R"({"ind":7,"first_name":"","last_name":"","age":null,"date_joined":""})"});
  EXPECT_EQ(run().posts_touched, 3U);
  EXPECT_EQ(files().size(), 3U);
  const auto by_days = rows_of("batch_people", "*", "ALL");
  EXPECT_THAT(rows_of("batch_people", columns, "user_name"), ::testing::Contains("Person 0|5000|2"));
  EXPECT_EQ(by_days.size(), 38U);
  run({.rebuild = true});
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(rows_of("batch_people", "*", "ALL"), by_days);
}

TEST_F(BatchIncrements, PutSmallFilesTogether) {
  const std::vector<Post> all = posts(14);
  std::size_t most = 0;
  for (const Post& post : all) {
    sink({post});
    EXPECT_EQ(run().posts_touched, post.ind == 0 ? 0U : 1U);
    most = std::max(most, delta::read_snapshot(*tables_, *engine_, "batch_pin").value().files.size());
  }
  EXPECT_LE(most, 9U);
  EXPECT_EQ(rows_of("batch_pin", "count(*), count(DISTINCT ind)", "1"), std::vector<std::string>{"14|14"});
  EXPECT_EQ(rows_of("batch_posts", "count(*), count(DISTINCT ind)", "1"), std::vector<std::string>{"14|14"});
}

TEST_F(BatchIncrements, TellWhereObjectsAreMissing) {
  sink(records::Kind::kPin, {R"({"index":1})", R"({"index":2})"});
  run();
  next_offset_.begin()->second += 5;
  sink(records::Kind::kPin, {R"({"index":3})"});
  log::MemoryLog log;  // Two of its offsets are not sunk yet.
  log.append("pinterest.pin", 0, std::vector<log::MemoryLog::Value>(10, "x"));
  log_ = &log;
  const BatchReport report = run();
  EXPECT_EQ(report.log, (LogCounts{.offsets = 10, .taken = 8, .waiting = 2, .gone = 0}));
  const auto check = std::ranges::find(report.checks, "offsets_that_do_not_join", &CheckResult::check);
  ASSERT_NE(check, report.checks.end());
  ASSERT_EQ(check->findings, 1U);
  EXPECT_EQ(check->sample.rows[0][1].to_text(), "offsets 2 to 6 lie in no object");
  EXPECT_TRUE(report.published);
}

TEST_F(BatchIncrements, ARecordThatIsOlderInTheLogDoesNotWin) {
  Post late = posts(1)[0];
  late.category = "late";
  for (int i = 0; i < 3; ++i) sink(records::Kind::kPin, {R"({"index":99})"}, 0);
  sink(records::Kind::kPin, {testing::json_of(records::Kind::kPin, late)}, 0);  // Offset 3.
  run();
  Post early = late;
  early.category = "early";
  sink(records::Kind::kPin, {testing::json_of(records::Kind::kPin, early)}, 1);  // Offset 0 of another partition.
  EXPECT_EQ(run().kinds.at(records::Kind::kPin).repeats, 1U);
  EXPECT_EQ(rows_of("batch_pin", "category", "ind").front(), "late");
}

TEST_F(BatchIncrements, ATopicThatWasMadeAgainIsReadFromItsBeginning) {
  ASSERT_TRUE(objects_->put(sink::identity_name("pinterest.pin"), "11111111-1111-1111-1111-111111111111\n"));
  sink(records::Kind::kPin, {R"({"index":1})", R"({"index":2})", R"({"index":3})"});
  run();
  ASSERT_TRUE(objects_->remove("topics/pinterest.pin/partition=0/pinterest.pin+0+0000000000.json"));
  ASSERT_TRUE(objects_->put(sink::identity_name("pinterest.pin"), "22222222-2222-2222-2222-222222222222\n"));
  next_offset_.clear();
  sink(records::Kind::kPin, {R"({"index":4})"});
  EXPECT_EQ(run().kinds.at(records::Kind::kPin).added, 1U);
  EXPECT_EQ(rows_of("batch_pin", "count(*)", "1"), std::vector<std::string>{"4"});
}

TEST_F(BatchIncrements, OtherCleaningReadsAllAgainAndNeverLosesPosts) {
  sink(posts(10));
  sink(records::Kind::kGeo, {"bad", "worse", "no row"}, kByFields);
  run();
  const std::vector<std::string> letters = {"3"};
  EXPECT_EQ(rows_of("batch_dead_letters", "count(*)", "1"), letters);
  std::filesystem::create_directories(folder_ / "sql" / "clean");
  sql::Statement clean = statements_.find("clean/geo").value();
  std::ofstream(folder_ / "sql/clean/geo.sql") << "-- description: Mine.\n" << clean.text << " -- mine";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const BatchReport report = run();
  EXPECT_THAT(report.kinds.at(records::Kind::kGeo).reloaded, HasSubstr("SQL files"));
  EXPECT_EQ(report.kinds.at(records::Kind::kPin).reloaded, "");
  EXPECT_EQ(report.kinds.at(records::Kind::kGeo).rows, 10U);
  EXPECT_EQ(rows_of("batch_dead_letters", "count(*)", "1"), letters);
  EXPECT_EQ(run().kinds.at(records::Kind::kGeo).reloaded, "");
  // The objects are gone, the posts must not go with them.
  ASSERT_TRUE(objects_->remove("topics/pinterest.geo/partition=0/pinterest.geo+0+0000000000.json"));
  std::ofstream(folder_ / "sql/clean/geo.sql") << "-- description: Mine.\n" << clean.text << " -- again";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  EXPECT_THAT(try_run().error().message, ::testing::AllOf(HasSubstr("0 of its 10 posts"), HasSubstr("--rebuild")));
  EXPECT_EQ(rows_of("batch_geo", "count(*)", "1"), std::vector<std::string>{"10"});
}

// Runs that are cut off at any call to a store, and then run again.
TEST_F(BatchIncrements, AreWholeWhereverARunWasCutOff) {
  sink_day(0);
  run();
  const auto real_tables = std::move(tables_);
  const auto real_objects = std::move(objects_);
  sink::testing::Fuse fuse;
  const auto go_on = [&] {
    tables_ = std::make_unique<sink::testing::FusedStore>(*real_tables, fuse);
    objects_ = std::make_unique<sink::testing::FusedStore>(*real_objects, fuse);
  };
  go_on();
  std::int64_t cut = 0;
  int days = 0;
  for (bool ended = false; !ended && days < 6; ++days) {
    fuse.disarm();
    sink_day(1 + days / 3);
    fuse.set(cut, days % 2 == 0 ? sink::testing::Fuse::Burns::kBefore : sink::testing::Fuse::Burns::kAfter);
    const auto report = try_run();
    ended = report.has_value();
    fuse.disarm();
    run();
    cut += 31;
  }
  EXPECT_EQ(days, 6);
  const auto after = published_rows();
  run({.rebuild = true});
  EXPECT_EQ(after, published_rows());
  tables_.reset();
  objects_.reset();
}

TEST(BatchPublication, ComesBackAsItWas) {
  Publication publication;
  publication.run_id = "r1";
  publication.started = WallTime(std::chrono::milliseconds(5));
  publication.finished = WallTime(std::chrono::milliseconds(7));
  publication.data_through = WallTime(std::chrono::milliseconds(3));
  publication.tables["batch_pin"] = {.version = delta::Version(4), .rows = 9};
  publication.questions.push_back({.name = "a",
                                   .description = "x \"y\"",
                                   .columns = {"b", "c"},
                                   .table = "question_a",
                                   .rows = 2,
                                   .run_id = "r0",
                                   .error = "line 3"});
  publication.checks.push_back({.name = "k", .description = "d", .stops = true, .findings = 3, .error = ""});
  EXPECT_EQ(parse_publication(format_publication(publication)).value(), publication);
  EXPECT_EQ(parse_publication("[]").error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(parse_publication(R"({"version":2})").error().message, HasSubstr("newer pinflow"));
}

}  // namespace
}  // namespace pinflow::batch
