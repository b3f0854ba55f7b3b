#include "batch/batch_job.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/questions.h"
#include "batch/testing/recorded_posts.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "sink/object_line.h"
#include "sink/object_name.h"

namespace pinflow::batch {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Post;

// A data folder with sunk objects, and the batch over it.
class Batch : public ::testing::Test {
 protected:
  Batch() : disk_(disk::make_real_disk()), statements_(sql::Statements::load(std::nullopt).value()) {
    // In memory where there is such a file system: each run makes a hundred syncs, and none is needed here.
    const fs::path temporary = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string pattern = (temporary / "pinflow_batch_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    objects_ = objects::open_folder_store(*disk_, folder_ / "objects").value();
    tables_ = objects::open_folder_store(*disk_, folder_ / "tables").value();
    engine_ = sql::open_engine({.folders = {folder_}}).value();
  }
  ~Batch() override { fs::remove_all(folder_); }

  // Sinks lines into one object that begins where the last one of its partition ended.
  void sink(records::Kind kind, const std::vector<std::string>& lines, std::int32_t partition = 0) {
    const log::TopicPartition place{records::Names().topic(kind), log::PartitionId(partition)};
    std::string bytes;
    for (const std::string& line : lines) bytes += line + "\n";
    std::int64_t& next = next_offset_[place];
    ASSERT_TRUE(objects_->put_new(sink::object_name(place, log::Offset(next)), bytes));
    next += static_cast<std::int64_t>(lines.size());
  }
  void sink(const std::vector<Post>& posts) {
    for (const records::Kind kind : records::kKinds) {
      std::vector<std::string> lines;
      for (const Post& post : posts) lines.push_back(testing::json_of(kind, post));
      sink(kind, lines);
    }
  }
  static std::vector<Post> posts(std::int64_t count) {
    std::vector<Post> posts;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string person = std::to_string(i % 7);
      posts.push_back({.ind = i,
                       .category = i % 3 == 0 ? "art" : "quotes",
                       .poster = "poster " + person,
                       .followers = person + "k",
                       .country = i % 2 == 0 ? "Chad" : "Peru",
                       .first = "Person",
                       .last = person,
                       .age = static_cast<int>(20 + 5 * (i % 7)),
                       .joined = "2016-02-03 04:05:06"});
    }
    return posts;
  }

  BatchContext context() {
    return {*objects_, {*tables_, *engine_, clock_, random_, logger_}, *disk_, folder_ / "state", statements_};
  }
  Result<BatchReport> try_run(const BatchOptions& options = {}, std::stop_token stop = {}) {
    return BatchJob(context(), options).run(nullptr, std::move(stop));
  }
  BatchReport run(const BatchOptions& options = {}) {
    auto report = try_run(options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *std::move(report) : BatchReport();
  }

  std::vector<std::string> rows_of(const std::string& table, const std::string& columns, const std::string& order) {
    const delta::Snapshot snapshot = delta::read_snapshot(*tables_, *engine_, table).value();
    const std::string select = delta::select_all(*tables_, table, snapshot).value();
    const auto answer =
        engine_->connect().value()->query(fmt::format("SELECT {} FROM ({}) ORDER BY {}", columns, select, order));
    EXPECT_TRUE(answer) << answer.error().message;
    std::vector<std::string> rows;
    for (const auto& cells : answer->rows) {
      std::string& row = rows.emplace_back();
      for (const sql::Value& cell : cells) row += (row.empty() ? "" : "|") + (cell.is_null() ? "null" : cell.to_text());
    }
    return rows;
  }
  std::map<std::string, std::string> stored_answers() {
    std::map<std::string, std::string> answers;
    for (const sql::Statement& question : statements_.in_folder("questions")) {
      const std::string name = question.name.substr(question.name.find('/') + 1);
      answers[name] = format_csv(read_answer(*tables_, *engine_, name).value());
    }
    return answers;
  }
  std::vector<std::string> ledger() {
    std::ifstream file(folder_ / "state" / "batch_runs.jsonl");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::size_t parquet_files() {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "tables"))
      files += entry.path().extension() == ".parquet" ? 1 : 0;
    return files;
  }

  fs::path folder_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<objects::ObjectStore> objects_, tables_;
  std::unique_ptr<sql::Engine> engine_;
  sql::Statements statements_;
  ManualClock clock_;
  Random random_{5};
  NullLogger logger_;
  std::map<log::TopicPartition, std::int64_t> next_offset_;
};

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
  EXPECT_EQ(pins.records, 84U);
  EXPECT_EQ(pins.rows, 40U);
  EXPECT_EQ(pins.repeats, 40U);
  EXPECT_EQ(pins.dead_letters, 4U);
  EXPECT_EQ(report.reasons.size(), 4U);
  EXPECT_THAT(
      rows_of("batch_dead_letters", "source_topic, source_partition, source_offset, kind, raw", "source_offset"),
      ElementsAre("pinterest.pin|0|80|pin|bm8gSlNPTiD/", "pinterest.pin|0|81|pin|WzFd", "pinterest.pin|0|82|pin|null",
                  "pinterest.pin|0|83|pin|eyJpbmRleCI6Im1hbnkifQ=="));
}

TEST_F(Batch, RunAgainReplacesInsteadOfAdding) {
  sink(posts(10));
  run();
  sink({posts(12)[11]});
  const BatchReport report = run();
  EXPECT_EQ(report.tables.at("batch_pin"), 11U);
  EXPECT_EQ(rows_of("batch_pin", "count(*)", "1"), std::vector<std::string>{"11"});
  ASSERT_EQ(ledger().size(), 2U);
  EXPECT_THAT(ledger()[1], HasSubstr(report.run_id));
  EXPECT_THAT(ledger()[1], HasSubstr("\"outcome\":\"done\""));
}

TEST_F(Batch, ManySmallObjectsInManyPartitionsAreOneSet) {
  const std::vector<Post> all = posts(120);
  for (const Post& post : all) {
    for (const records::Kind kind : records::kKinds)
      sink(kind, {testing::json_of(kind, post)}, static_cast<std::int32_t>(post.ind % 3));
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
  run();
  EXPECT_EQ(stored_answers(), answers);
}

TEST_F(Batch, NothingSunkGivesEmptyTables) {
  const BatchReport report = run();
  EXPECT_EQ(report.objects, 0U);
  EXPECT_EQ(rows_of("batch_posts", "count(*)", "1"), std::vector<std::string>{"0"});
  EXPECT_EQ(stored_answers().at("users_joined_by_year"), "post_year,number_users_joined\r\n");
}

TEST_F(Batch, AFailedRunLeavesTheTablesOfTheRunBefore) {
  sink(posts(10));
  run();
  const auto before = stored_answers();
  const std::size_t files = parquet_files();
  sink(posts(20));
  fs::create_directories(folder_ / "sql" / "questions");
  std::ofstream(folder_ / "sql/questions/zzz.sql")
      << "-- description: A type that tables do not have.\nSELECT CAST(1 AS HUGEINT) AS big";
  const sql::Statements shipped = statements_;
  statements_ = sql::Statements::load(folder_ / "sql").value();
  const auto failed = try_run();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(failed.error().message,
              ::testing::AllOf(HasSubstr("question_zzz"), HasSubstr("big"), HasSubstr("HUGEINT")));
  statements_ = shipped;
  EXPECT_EQ(stored_answers(), before);
  EXPECT_EQ(rows_of("batch_pin", "count(*)", "1"), std::vector<std::string>{"10"});
  EXPECT_EQ(parquet_files(), files);  // What the failed run wrote is gone.
  ASSERT_EQ(ledger().size(), 2U);
  EXPECT_THAT(ledger()[1], ::testing::AllOf(HasSubstr("\"outcome\":\"failed\""), HasSubstr("HUGEINT")));
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

TEST_F(Batch, AWrongStatementIsNamedWithItsFile) {
  sink(posts(1));
  fs::create_directories(folder_ / "sql" / "questions");
  std::ofstream(folder_ / "sql/questions/mine.sql") << "-- description: x\nSELECT nobody FROM posts";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  EXPECT_THAT(try_run().error().message, ::testing::AllOf(HasSubstr("questions/mine.sql"), HasSubstr("nobody")));
  std::ofstream(folder_ / "sql/questions/mine.sql") << "-- description: x\n-- columns: a\nSELECT 1 AS b";
  statements_ = sql::Statements::load(folder_ / "sql").value();
  EXPECT_THAT(try_run().error().message,
              ::testing::AllOf(HasSubstr("questions/mine.sql"), HasSubstr("declares the columns a")));
}

TEST_F(Batch, TwoRunsExcludeEachOther) {
  ASSERT_TRUE(disk_->create_folders(folder_ / "state" / "batch"));
  auto lock = disk_->lock_folder(folder_ / "state" / "batch").value();
  const auto second = try_run();
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr("another batch run"));
  EXPECT_TRUE(ledger().empty());
  lock.reset();
  run();
}

TEST_F(Batch, StopsWhenAskedTo) {
  sink(posts(5));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(try_run({}, stop.get_token()).error().code, ErrorCode::kCancelled);
  EXPECT_THAT(ledger().at(0), HasSubstr("\"code\":\"cancelled\""));
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
  EXPECT_EQ(progress.steps, "list read model check ask write commit ");
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
