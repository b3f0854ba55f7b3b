#include <functional>

#include "base/json.h"
#include "batch/batch_fixture.h"
#include "batch/remote_engine.h"

namespace pinflow::batch {
namespace {

using ::testing::HasSubstr;

// Stands for Spark: makes the tables with this process's own engine, marks them as Spark does, and says what the driver says.
class FakeSpark final : public RemoteEngine {
 public:
  FakeSpark(const BatchContext& context, disk::Path state) : context_(context), state_(std::move(state)) {}

  std::string objects_address() const override { return "mem://objects"; }
  std::string tables_address() const override { return "mem://tables"; }
  Result<void> run(const RemoteCall& call, Progress*, std::stop_token) override {
    calls.push_back(call);
    job = context_.tables.store.get(call.job.substr(tables_address().size() + 1)).value();
    program = context_.tables.store.get(call.program.substr(tables_address().size() + 1)).value();
    local_program = context_.disk.read_file(call.local_program).value();
    const std::string result = call.result.substr(tables_address().size() + 1);
    if (!says.empty()) TRY(context_.tables.store.put(result, says));
    if (fails) return fail(*fails);
    if (!says.empty()) return {};
    BatchContext own{context_.objects, context_.tables, context_.disk, state_, context_.statements};
    const auto before = context_.tables.store.get(std::string(kPublicationName));
    TRY_ASSIGN(const BatchReport report, BatchJob(own, {.rebuild = true}).run(nullptr, {}));
    TRY_ASSIGN(const Publication made, read_publication(context_.tables.store));
    // What Spark does not do: the run itself publishes.
    const std::string publication(kPublicationName);
    TRY(before ? context_.tables.store.put(publication, *before) : context_.tables.store.remove(publication));
    for (const auto& [name, table] : made.tables) {
      if (!name.starts_with("batch_check")) TRY(mark(name));
    }
    return context_.tables.store.put(result, told(report, made));
  }

  // The number that the job gives for the commits.
  std::int64_t number() const {
    const std::size_t at = job.find("\"number\":") + 9;
    return std::stoll(job.substr(at));
  }

  std::vector<RemoteCall> calls;
  std::string job, program, local_program, says;
  std::optional<Error> fails;
  std::uint64_t lines = 4, rows = 4;  // That it says each object has, and each kind.
  bool marks = true;

 private:
  Result<void> mark(const std::string& name) {
    TRY_ASSIGN(const delta::Snapshot now, delta::read_snapshot(context_.tables.store, context_.tables.engine, name));
    TRY_ASSIGN(const auto table, delta::open_table(context_.tables, {.name = name, .schema = now.schema}));
    const std::int64_t written = marks ? number() : number() - 1;
    TRY(table->append({}, {{"pinflow-batch/engine spark", written}}));
    return {};
  }

  std::string told(const BatchReport& report, const Publication& made) const {
    JsonWriter json;
    json.begin_object().key("version").integer(1).key("run").string("r").key("kinds").begin_object();
    for (const auto& [kind, counts] : report.kinds) {
      json.key(to_string(kind)).begin_object().key("rows").integer(static_cast<std::int64_t>(rows)).end_object();
    }
    json.end_object().key("objects").begin_array();
    for (const char* kind : {"pin", "geo", "user"}) {
      json.begin_array().string(fmt::format("pinterest.{}", kind)).integer(0).integer(0);
      json.integer(static_cast<std::int64_t>(lines)).integer(0).end_array();
    }
    json.end_array().key("reasons").begin_array().end_array().key("checks").begin_array();
    json.begin_object().key("name").string("checks/category_drift").key("findings").integer(1);
    json.key("columns").begin_array().string("category").string("at").end_array().key("rows").begin_array();
    json.begin_array().string("art").begin_object().key("us").integer(1'000'000).end_object().end_array();
    json.end_array().end_object().end_array().key("questions").begin_object();
    for (const PublishedQuestion& question : made.questions) {
      json.key(question.name).begin_array();
      for (const std::string& column : question.columns) json.string(column);
      json.end_array();
    }
    json.end_object().key("failures").begin_array().end_array().end_object();
    return std::move(json).take();
  }

  BatchContext context_;
  disk::Path state_;
};

class RemoteRun : public BatchFixture {
 protected:
  RemoteRun() : spark_(context(), folder_ / "spark_state") {}
  Result<BatchReport> try_on_spark(const BatchOptions& options = {}) {
    BatchContext remote = context();
    remote.remote = &spark_;
    return BatchJob(remote, options).run(nullptr, {});
  }
  BatchReport on_spark(const BatchOptions& options = {}) {
    auto report = try_on_spark(options);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *std::move(report) : BatchReport();
  }
  FakeSpark spark_;
};

TEST_F(RemoteRun, PublishesWhatTheOtherEngineMade) {
  sink(posts(4));
  const BatchReport report = on_spark();
  EXPECT_TRUE(report.published);
  EXPECT_EQ(read_publication(*tables_)->run_id, report.run_id);
  EXPECT_EQ(rows_of("batch_posts", "ind", "ind"), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(report.kinds.at(records::Kind::kPin).rows, 4U);
  EXPECT_EQ(report.answers.size(), statements_.in_folder("questions").size());
  EXPECT_FALSE(stored_answers().at("category_by_country").empty());
  EXPECT_THAT(rows_of("batch_check_findings", "finding", "finding"),
              ::testing::Contains(R"({"category":"art","at":"1970-01-01T00:00:01Z"})"));
}

TEST_F(RemoteRun, TellsTheDriverWhatToDoAndLeavesNothingOfIt) {
  sink(posts(4));
  on_spark();
  EXPECT_THAT(spark_.program, HasSubstr("def main()"));
  EXPECT_EQ(spark_.local_program, spark_.program);
  EXPECT_THAT(spark_.job, HasSubstr(R"("name":"topics/pinterest.pin/partition=0/pinterest.pin+0+0000000000.json")"));
  EXPECT_THAT(spark_.job, HasSubstr("CREATE OR REPLACE TEMPORARY FUNCTION pf_text"));
  EXPECT_THAT(spark_.job, HasSubstr(R"("objects_at":"mem://objects","tables":"mem://tables")"));
  const auto left = tables_->list("batch/spark/");
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().name, "batch/spark/pinflow_batch.py");
}

TEST_F(RemoteRun, GivesEachRunAGreaterNumber) {
  sink(posts(4));
  on_spark();
  const std::int64_t first = spark_.number();
  on_spark();
  EXPECT_GT(spark_.number(), first);
}

TEST_F(RemoteRun, RefusesTablesOfDuckdbUntilARebuild) {
  sink(posts(4));
  run();
  const auto refused = try_on_spark();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("is written by engine duckdb"));
  EXPECT_THAT(refused.error().message, HasSubstr("pinflow batch run --rebuild"));
  EXPECT_TRUE(spark_.calls.empty());
  on_spark({.rebuild = true});
  on_spark();
}

TEST_F(RemoteRun, DuckdbRefusesTablesOfSparkUntilARebuild) {
  sink(posts(4));
  on_spark();
  const auto published = read_publication(*tables_);
  const auto refused = try_run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("is written by engine spark"));
  EXPECT_EQ(read_publication(*tables_)->run_id, published->run_id);
  run({.rebuild = true});
  run();
  EXPECT_FALSE(try_on_spark());
}

TEST_F(RemoteRun, PublishesNothingOfTablesThatSomebodyElseWrote) {
  sink(posts(4));
  spark_.marks = false;
  const auto report = try_on_spark();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_THAT(report.error().message, HasSubstr("table batch_pin is not as this run left it"));
}

TEST_F(RemoteRun, PublishesNothingWhereCountsDoNotAddUp) {
  sink(posts(4));
  spark_.lines = 5;  // Of which four became rows, and none a dead letter.
  const BatchReport report = on_spark();
  EXPECT_FALSE(report.published);
  EXPECT_FALSE(read_publication(*tables_));
}

TEST_F(RemoteRun, RefusesAResultThatCannotBeRead) {
  sink(posts(4));
  for (const char* says : {"", "[]", R"({"version":2})", R"({"version":1})", R"({"version":1,"run":"r","kinds":7})"}) {
    spark_.says = *says == '\0' ? "{" : says;
    const auto bad = try_on_spark();
    ASSERT_FALSE(bad) << says;
    EXPECT_EQ(bad.error().code, ErrorCode::kCorrupt) << says;
  }
}

TEST_F(RemoteRun, TellsTheDriversOwnWordsBeforeThoseOfItsEnd) {
  sink(posts(4));
  spark_.says = R"({"version":1,"error":"sql file clean/pin.sql, on Spark: no such column"})";
  spark_.fails = Error{ErrorCode::kInvalid, "it ended with 1"};
  const auto report = try_on_spark();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("sql file clean/pin.sql, on Spark: no such column"));
  spark_.says.clear();
  const auto silent = try_on_spark();
  ASSERT_FALSE(silent);
  EXPECT_THAT(silent.error().message, HasSubstr("it ended with 1"));
}

TEST_F(RemoteRun, KeepsPostsThatReadersSeeWhoseObjectsAreGone) {
  sink(posts(4));
  on_spark();
  for (const auto& object : *objects_->list("topics/pinterest.pin/")) ASSERT_TRUE(objects_->remove(object.name));
  const auto before = read_publication(*tables_);
  const auto report = try_on_spark();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("--rebuild"));
  EXPECT_EQ(read_publication(*tables_)->tables.at("batch_pin"), before->tables.at("batch_pin"));
}

}  // namespace
}  // namespace pinflow::batch
