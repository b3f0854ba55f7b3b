#include "batch/batch_fixture.h"

namespace pinflow::batch {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Post;

class Batch : public BatchFixture {};

TEST_F(Batch, KeepsOneRowAPostAndTheAnswers) {
  sink(posts(30));
  const BatchReport report = run();
  for (const records::Kind kind : records::kKinds) {
    const KindCounts& counts = report.kinds.at(kind);
    EXPECT_EQ(counts.records, 30U);
    EXPECT_EQ(counts.rows, 30U);
    EXPECT_EQ(counts.repeats + counts.dead_letters, 0U);
  }
  EXPECT_EQ(report.objects, 3U);
  EXPECT_EQ(report.tables.at("batch_posts"), 30U);
  EXPECT_EQ(report.tables.at("batch_people"), 7U);
  EXPECT_EQ(report.tables.at("batch_dead_letters"), 0U);
  EXPECT_EQ(report.answers.size(), 10U);
  EXPECT_EQ(rows_of("batch_pin", "count(*), count(DISTINCT ind), min(source_offset), max(source_offset)", "1"),
            std::vector<std::string>{"30|30|0|29"});
  EXPECT_THAT(rows_of("batch_people", "user_name, follower_count, post_count", "user_name").front(), "Person 0|0|5");
  for (const Answer& answer : report.answers) {
    EXPECT_EQ(format_csv(read_answer(*tables_, *engine_, answer.question).value()), format_csv(answer.table))
        << answer.question;
    EXPECT_FALSE(answer.description.empty());
  }
  for (const CheckResult& check : report.checks) {
    // Every second post of a person is from the other country in this set.
    if (check.check != "people_with_several_posters") EXPECT_EQ(check.findings, 0U) << check.check;
  }
}

TEST_F(Batch, AnswersComeBackInTheirOwnOrder) {
  sink(posts(30));
  run();
  EXPECT_EQ(format_csv(read_answer(*tables_, *engine_, "posts_by_category_and_year").value()),
            "post_year,category,category_count\r\n2020,quotes,20\r\n2020,art,10\r\n");
}

TEST_F(Batch, RepeatsAndBrokenRecordsChangeNoAnswer) {
  std::vector<Post> all = posts(40);
  sink(all);
  run();
  const auto before = stored_answers();
  std::ranges::shuffle(all, random_);
  sink(all);
  std::string escaped, null;
  sink::append_object_line(escaped, "no JSON \xff");
  sink::append_object_line(null, std::nullopt);
  escaped.pop_back(), null.pop_back();
  sink(records::Kind::kPin, {escaped, "[1]", null, "{\"index\":\"many\"}"});
  const BatchReport report = run();
  EXPECT_EQ(stored_answers(), before);
  const KindCounts& pins = report.kinds.at(records::Kind::kPin);
  EXPECT_EQ(pins.records, 44U);
  EXPECT_EQ(pins.rows, 40U);
  EXPECT_EQ(pins.added, 0U);
  EXPECT_EQ(pins.repeats, 40U);
  EXPECT_EQ(pins.replaced, 40U);
  EXPECT_EQ(pins.dead_letters, 4U);
  EXPECT_EQ(report.reasons.size(), 4U);
  EXPECT_THAT(
      rows_of("batch_dead_letters", "source_topic, source_partition, source_offset, kind, raw", "source_offset"),
      ElementsAre("pinterest.pin|0|80|pin|bm8gSlNPTiD/", "pinterest.pin|0|81|pin|WzFd", "pinterest.pin|0|82|pin|null",
                  "pinterest.pin|0|83|pin|eyJpbmRleCI6Im1hbnkifQ=="));
}

TEST_F(Batch, ManyRepeatsTakeNoMemoryForTheirTexts) {
  engine_ =
      sql::open_engine({.memory_limit = ByteCount(80 << 20), .temporary = folder_ / "spill", .folders = {folder_}})
          .value();
  constexpr int kPosts = 12'000;
  for (int turn = 0; turn < 4; ++turn) {
    std::vector<std::string> lines;
    for (int i = 0; i < kPosts; ++i) {
      std::string text;
      while (text.size() < 2'000) text += fmt::format("{:x}", random_());
      lines.push_back(fmt::format(R"({{"index":{},"title":"turn {}","description":"{}"}})", i, turn, text));
    }
    sink(records::Kind::kPin, lines);
  }
  const KindCounts pins = run().kinds.at(records::Kind::kPin);
  EXPECT_EQ(pins.rows, 12'000U);
  EXPECT_EQ(pins.repeats, 36'000U);
  EXPECT_EQ(rows_of("batch_pin", "count(*), min(title), max(title), min(source_offset)", "1"),
            std::vector<std::string>{"12000|turn 3|turn 3|36000"});
}

TEST_F(Batch, RunAgainReplacesInsteadOfAdding) {
  sink(posts(10));
  run();
  sink({posts(12)[11]});
  const BatchReport report = run();
  EXPECT_EQ(report.tables.at("batch_pin"), 11U);
  EXPECT_EQ(rows_of("batch_pin", "count(*)", "1"), std::vector<std::string>{"11"});
}

TEST_F(Batch, ManySmallObjectsInManyPartitionsAreOneSet) {
  const std::vector<Post> all = posts(120);
  for (const Post& post : all) {
    for (const records::Kind kind : records::kKinds)
      sink(kind, {testing::json_of(kind, post)}, static_cast<std::int32_t>(post.ind % 2));
  }
  const BatchReport report = run({.topics = {}, .readers = 2, .slice_rows = 20});
  EXPECT_EQ(report.objects, 360U);
  EXPECT_EQ(report.tables.at("batch_posts"), 120U);
  const auto answers = stored_answers();
  // The same posts in one object of one partition.
  ASSERT_TRUE(disk_->remove_tree(folder_ / "objects"));
  objects_ = objects::open_folder_store(*disk_, folder_ / "objects").value();
  next_offset_.clear();
  sink(all);
  run({.rebuild = true});
  EXPECT_EQ(stored_answers(), answers);
}

TEST_F(Batch, NothingSunkGivesEmptyTables) {
  const BatchReport report = run();
  EXPECT_EQ(report.objects, 0U);
  EXPECT_EQ(rows_of("batch_posts", "count(*)", "1"), std::vector<std::string>{"0"});
  EXPECT_EQ(stored_answers().at("users_joined_by_year"), "post_year,number_users_joined\r\n");
}

TEST_F(Batch, AQuestionThatFailsLeavesTheOthersAnswered) {
  sink(posts(10));
  fs::create_directories(folder_ / "sql" / "questions");
  std::ofstream(folder_ / "sql/questions/zzz.sql") << "-- description: Posts.\nSELECT count(*) AS posts FROM posts";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const std::string first = run().run_id;
  sink(posts(20));
  std::ofstream(folder_ / "sql/questions/zzz.sql")
      << "-- description: A type that tables do not have.\nSELECT CAST(1 AS HUGEINT) AS big";
  std::ofstream(folder_ / "sql/questions/yyy.sql") << "SELECT 1";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const std::size_t files = parquet_files();
  const BatchReport report = run();
  ASSERT_EQ(report.failures.size(), 2U);
  EXPECT_EQ(report.failures[0].statement, "questions/yyy");
  EXPECT_THAT(report.failures[1].error.message,
              ::testing::AllOf(HasSubstr("question_zzz"), HasSubstr("big"), HasSubstr("HUGEINT")));
  EXPECT_GT(parquet_files(), files);
  EXPECT_TRUE(report.published);
  EXPECT_EQ(rows_of("batch_pin", "count(*)", "1"), std::vector<std::string>{"20"});
  // The answer of the run before stays, and says so.
  EXPECT_EQ(format_csv(read_answer(*tables_, *engine_, "zzz").value()), "posts\r\n10\r\n");
  const Publication publication = read_publication(*tables_).value();
  const auto question = std::ranges::find(publication.questions, "zzz", &PublishedQuestion::name);
  ASSERT_NE(question, publication.questions.end());
  EXPECT_EQ(question->run_id, first);
  EXPECT_THAT(question->error, HasSubstr("HUGEINT"));
  EXPECT_TRUE(report_.published);
  EXPECT_THAT(report_.failures.at(1).error.message, HasSubstr("HUGEINT"));
}

TEST_F(Batch, UsersQuestionsAreAnsweredToo) {
  sink(posts(9));
  fs::create_directories(folder_ / "sql" / "questions");
  std::ofstream(folder_ / "sql/questions/posts_by_country.sql")
      << "-- description: Posts.\n-- columns: country, posts\nSELECT country, count(*) AS posts FROM posts GROUP BY "
         "country ORDER BY posts DESC; -- done";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  run();
  EXPECT_EQ(format_csv(read_answer(*tables_, *engine_, "posts_by_country").value()),
            "country,posts\r\nChad,5\r\nPeru,4\r\n");
}

TEST_F(Batch, AWrongStatementIsNamedWithFileLineAndColumn) {
  sink(posts(1));
  const auto failure_of = [&](const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / "sql" / path).parent_path());
    std::ofstream(folder_ / "sql" / path) << text;
    statements_ = sql::Statements::load(folder_ / "sql").value();
    const BatchReport report = run();
    fs::remove(folder_ / "sql" / path);
    return report.failures.size() == 1 ? report.failures[0].error.message : fmt::format("{}", report.failures.size());
  };
  EXPECT_THAT(failure_of("questions/mine.sql", "-- description: x\nSELECT nobody FROM posts"),
              HasSubstr("questions/mine.sql, line 2, column 8: "));
  EXPECT_THAT(failure_of("questions/mine.sql", "-- description: x\n\nSELECT ind,\n  country FORM posts WHERE x"),
              HasSubstr("questions/mine.sql, line 4, column 16: "));
  const std::string wide = "-- description: x\nSELECT " + std::string(150, ' ') + "ind, nobody, " +
                           std::string(150, ' ') + "country FROM posts";
  EXPECT_THAT(failure_of("checks/wide.sql", wide), HasSubstr("checks/wide.sql, line 2, column 163: "));
  EXPECT_THAT(failure_of("checks/raw/mine.sql", "-- description: x\nSELECT nobody FROM raw_pin"),
              HasSubstr("checks/raw/mine.sql, line 2, column 8: "));
  EXPECT_THAT(failure_of("questions/mine.sql", "-- description: x\n-- columns: a\nSELECT 1 AS b"),
              ::testing::AllOf(HasSubstr("questions/mine.sql"), HasSubstr("declares the columns a")));
}

TEST_F(Batch, ARawCheckMayNameItsTableInAnyLetters) {
  sink(posts(10));
  fs::create_directories(folder_ / "sql" / "checks" / "raw");
  std::ofstream(folder_ / "sql/checks/raw/loud.sql")
      << "-- description: Seen.\n-- columns: ind\nSELECT index AS ind FROM Raw_PIN";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const BatchReport report = run();
  const auto loud = std::ranges::find(report.checks, "loud", &CheckResult::check);
  ASSERT_NE(loud, report.checks.end());
  EXPECT_EQ(loud->findings, 10U);
}

TEST_F(Batch, ACheckThatStopsKeepsReadersAtTheRunBefore) {
  sink(posts(10));
  run();
  const auto before = published_rows();
  sink(posts(20));
  fs::create_directories(folder_ / "sql" / "checks");
  std::ofstream(folder_ / "sql/checks/hard.sql")
      << "-- description: Never.\n-- severity: stop\nSELECT ind FROM posts WHERE ind > 17";
  const sql::Statements shipped = statements_;
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const BatchReport report = run();
  EXPECT_FALSE(report.published);
  EXPECT_EQ(published_rows(), before);
  EXPECT_EQ(rows_of("batch_checks", "severity, findings", "checked_at, check_name DESC LIMIT 1").size(), 1U);
  EXPECT_EQ(rows_of("batch_check_findings", "finding", "check_name = 'hard', finding_number").back(), "{\"ind\":19}");
  statements_ = shipped;
  EXPECT_TRUE(run().published);
  EXPECT_EQ(published_rows().at("batch_posts").size(), 20U);
}

TEST_F(Batch, TwoRunsExcludeEachOther) {
  ASSERT_TRUE(disk_->create_folders(folder_ / "state" / "batch"));
  auto lock = disk_->lock_folder(folder_ / "state" / "batch").value();
  const auto second = try_run();
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("another batch run"));
  EXPECT_EQ(report_.run_id, "");
  lock.reset();
  run();
}

TEST_F(Batch, StopsWhenAskedTo) {
  sink(posts(5));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(try_run({}, stop.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_NE(report_.run_id, "");  // It began, and its report has what it came to.
  EXPECT_FALSE(report_.published);
}

TEST_F(Batch, TellsItsProgress) {
  class Steps final : public Progress {
   public:
    void step(std::string_view name) override { steps += fmt::format("{} ", name); }
    void reading(const ReadProgress& progress) override { last = progress; }
    std::string steps;
    ReadProgress last;
  } progress;
  sink(posts(5));
  ASSERT_TRUE(BatchJob(context(), {}).run(&progress, {}));
  EXPECT_EQ(progress.steps, "list read merge model check ask publish ");
  EXPECT_EQ(progress.last.objects, 3U);
  EXPECT_EQ(progress.last.objects_total, 3U);
  EXPECT_EQ(progress.last.bytes, progress.last.bytes_total);
  EXPECT_EQ(progress.last.records, 15U);
}

TEST_F(Batch, AQuestionWithoutAnswerSaysHowToGetOne) {
  const auto answer = read_answer(*tables_, *engine_, "category_by_country");
  EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(answer.error().message, HasSubstr("pinflow batch run"));
}

}  // namespace
}  // namespace pinflow::batch
