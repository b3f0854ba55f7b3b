// The steps of a run whose work is done by an engine outside this process. It is told by an object what to do, writes the tables of rows,
// and says in another object what it counted; all that readers rely on, checks that stop and the publication, is done here as always.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "batch/internal/batch_run.h"
#include "batch/remote_engine.h"

namespace pinflow::batch::internal {

namespace {

constexpr const char* kFolder = "batch/spark";
constexpr int kJobFormat = 1;

std::string name_in(std::string_view run, std::string_view what) {
  return fmt::format("{}/{}.{}.json", kFolder, run, what);
}

void write_object(JsonWriter& json, const SunkObject& object) {
  using std::chrono::microseconds;
  json.begin_object().key("name").string(object.info.name).key("kind").string(to_string(object.kind));
  json.key("topic").string(object.name.partition.topic);
  json.key("partition").integer(object.name.partition.partition.value());
  json.key("first").integer(object.name.first.value());
  json.key("arrived_us").integer(microseconds(object.info.modified.time_since_epoch()).count()).end_object();
}

void write_statement(JsonWriter& json, const sql::Statement& statement) {
  json.begin_object().key("name").string(statement.name).key("text").string(statement.text);
  json.key("columns").begin_array();
  for (const std::string& column : statement.columns) json.string(column);
  json.end_array().key("built_in").boolean(statement.built_in).end_object();
}

std::string question_table(const std::string& question) {
  return answer_table("questions/" + question);
}

}  // namespace

Result<void> BatchRun::all_remote() {
  TRY(step("spark", [&] { return run_remote(); }));
  TRY(step("check", [&] { return take_checks(told_); }));
  TRY(step("ask", [&] { return take_answers(); }));
  return step("publish", [&] { return publish(); });
}

Result<std::string> BatchRun::make_job(std::int64_t number) {
  JsonWriter json;
  json.begin_object().key("version").integer(kJobFormat).key("run").string(report_.run_id);
  json.key("writer").string(kSparkWriter).key("number").integer(number);
  json.key("objects_at").string(context_.remote->objects_address());
  json.key("tables").string(context_.remote->tables_address());
  json.key("findings").integer(static_cast<std::int64_t>(kStoredFindings)).key("posts_before");
  const auto posts = before_ ? before_->tables.find("batch_posts") : std::map<std::string, PublishedTable>::iterator();
  if (before_ && posts != before_->tables.end()) {
    json.integer(posts->second.version.value());
  } else {
    json.null();
  }
  json.key("prelude").string(context_.statements.spark_prelude()).key("statements").begin_array();
  for (const char* folder : {"clean", "model", "checks", "checks/raw", "questions"}) {
    for (const sql::Statement& statement : context_.statements.in_folder(folder)) write_statement(json, statement);
  }
  json.end_array().key("objects").begin_array();
  for (const SunkObject& object : objects_.objects) {
    const bool packed =
        object.name.compression != sink::Compression::kNone && object.name.compression != sink::Compression::kGzip;
    if (object.plan > 0 || object.name.format != sink::Format::kJson || packed) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("object {} is of a layout that the batch on Spark does not read: it reads JSON lines, plain "
                      "or of gzip, of sink.partitioner = \"default\"; with others set batch.engine = \"duckdb\"",
                      object.info.name));
    }
    write_object(json, object);
  }
  json.end_array().end_object();
  return std::move(json).take();
}

Result<void> BatchRun::run_remote() {
  objects::ObjectStore& tables = context_.tables.store;
  using std::chrono::milliseconds;
  // Greater than that of any commit before, so that no write is taken for one that was done already.
  std::int64_t number = milliseconds(report_.started.time_since_epoch()).count();
  for (const auto& [kind, table] : cleaned_) number = std::max(number, spark_number(table->snapshot()) + 1);
  TRY_ASSIGN(const std::string job, make_job(number));
  const std::string program = fmt::format("{}/pinflow_batch.py", kFolder);
  const std::string job_name = name_in(report_.run_id, "job");
  const std::string result_name = name_in(report_.run_id, "result");
  TRY(tables.put(program, driver_text()));
  const disk::Path local_program = context_.state / "batch" / "pinflow_batch.py";
  TRY(context_.disk.write_file(local_program, driver_text()));
  TRY(tables.put(job_name, job));
  const std::string place = context_.remote->tables_address() + "/";
  const Result<void> ran = context_.remote->run({.run_id = report_.run_id,
                                                 .program = place + program,
                                                 .local_program = local_program,
                                                 .job = place + job_name,
                                                 .result = place + result_name},
                                                progress_, stop_);
  auto text = tables.get(result_name);
  for (const std::string& name : {job_name, result_name}) {
    if (const auto removed = tables.remove(name); !removed)
      context_.tables.logger.warning("an object of a run stays", {{"name", name}, {"error", removed.error().message}});
  }
  if (!ran && ran.error().code == ErrorCode::kCancelled) return ran;
  if (text) {
    auto told = parse_remote_result(*text);
    if (!told && ran) return fail(std::move(told).error().with_context("reading what the driver on Spark said"));
    if (told && !told->error.empty()) return fail(ErrorCode::kInvalid, told->error);
    if (told) told_ = *std::move(told);
  }
  if (!ran) return ran;
  if (!text) {
    return fail(std::move(text).error().with_context(
        "the driver on Spark ended well, but what it should have said is not in the store of tables; is it the same "
        "store for both?"));
  }
  TRY(take_tables(number));
  return take_counts(told_);
}

// The tables as the driver left them; its number in each tells that nobody wrote behind it.
Result<void> BatchRun::take_tables(std::int64_t number) {
  std::vector<std::string> names = {"batch_pin",          "batch_geo",   "batch_user",
                                    "batch_dead_letters", "batch_posts", "batch_people"};
  for (const auto& [question, columns] : told_.questions) names.push_back(question_table(question));
  for (const std::string& name : names) {
    TRY_ASSIGN(const delta::Snapshot snapshot,
               delta::read_snapshot(context_.tables.store, context_.tables.engine, name));
    if (spark_number(snapshot) != number) {
      return fail(
          ErrorCode::kConflict,
          fmt::format("table {} is not as this run left it on Spark: somebody else writes it; end that, and run "
                      "the batch again",
                      name));
    }
    tables_[name] = {.version = snapshot.version, .rows = snapshot.rows()};
  }
  return {};
}

Result<void> BatchRun::take_counts(const RemoteResult& result) {
  object_lines_.assign(objects_.objects.size(), 0);
  std::map<records::Kind, std::uint64_t> letters;
  for (std::size_t i = 0; i < objects_.objects.size(); ++i) {
    const SunkObject& object = objects_.objects[i];
    const auto& [topic, partition] = object.name.partition;
    const auto found = result.objects.find({topic, partition.value(), object.name.first.value()});
    report_.bytes += object.info.size;
    ++report_.objects;
    if (found == result.objects.end()) continue;
    object_lines_[i] = found->second.lines;
    lines_[object.kind] += found->second.lines;
    letters[object.kind] += found->second.letters;
  }
  report_.reasons = result.reasons;
  report_.posts_rebuilt = "on Spark each run makes all tables anew";
  for (const records::Kind kind : records::kKinds) {
    KindCounts& counts = report_.kinds[kind];
    const std::string table(fmt::format("batch_{}", to_string(kind)));
    const auto before = before_ ? before_->tables.find(table) : std::map<std::string, PublishedTable>::iterator();
    const bool has_before = before_ && before != before_->tables.end();
    const auto rows_before = static_cast<std::uint64_t>(has_before ? before->second.rows : 0);
    counts.records = lines_[kind];
    counts.dead_letters = letters[kind];
    counts.rows = static_cast<std::uint64_t>(tables_.at(table).rows);
    counts.added = counts.rows;
    counts.reloaded = "on Spark each run makes all tables anew";
    const auto cleaned = result.cleaned_rows.find(std::string(to_string(kind)));
    const std::uint64_t rows = cleaned == result.cleaned_rows.end() ? 0 : cleaned->second;
    counts.repeats = rows - std::min(rows, counts.rows);
    if (rows + counts.dead_letters != lines_[kind]) {
      odd_.emplace_back(fmt::format("clean/{}", to_string(kind)),
                        fmt::format("{} records were read, {} rows and {} dead letters came out", lines_[kind], rows,
                                    counts.dead_letters));
    }
    if (!options_.rebuild && counts.rows < rows_before) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("the objects hold only {} of the {} posts that readers see of table {}, which still do: "
                              "bring the missing objects back, or run `pinflow batch run --rebuild` to go on without "
                              "those posts",
                              counts.rows, rows_before, table));
    }
  }
  return {};
}

Result<void> BatchRun::take_checks(const RemoteResult& result) {
  const auto failed = [&](const std::string& statement, const Error& error) {
    report_.failures.push_back({statement, error});
    const std::string name(short_name(statement));
    (statement.starts_with("questions/") ? question_errors_ : check_errors_)[name] = error.message;
  };
  for (const sql::BrokenStatement& broken : context_.statements.broken()) failed(broken.name, broken.error);
  for (const RemoteResult::Failure& failure : result.failures)
    failed(failure.statement, Error{ErrorCode::kInvalid, failure.error});
  for (const RemoteResult::Check& check : result.checks) {
    TRY_ASSIGN(const sql::Statement statement, context_.statements.find(check.name));
    report_.checks.push_back({.check = std::string(short_name(check.name)),
                              .description = statement.description,
                              .stops = statement.stops,
                              .findings = check.findings,
                              .sample = check.sample});
  }
  TRY(check_counts());
  std::ranges::sort(report_.checks, {}, &CheckResult::check);
  return store_checks();
}

Result<void> BatchRun::take_answers() {
  for (const auto& [question, columns] : told_.questions) {
    TRY_ASSIGN(const sql::Statement statement, context_.statements.find("questions/" + question));
    const std::string table = question_table(question);
    TRY_ASSIGN(const delta::Snapshot snapshot,
               delta::read_snapshot(context_.tables.store, context_.tables.engine, table, tables_.at(table).version));
    TRY_ASSIGN(const std::string rows, delta::select_all(context_.tables.store, table, snapshot));
    Answer answer{.question = question, .description = statement.description, .table = {}};
    TRY_ASSIGN(answer.table,
               workspace_->session().query(fmt::format("SELECT * EXCLUDE ({0}) FROM ({1}) AS answer ORDER BY {0} "
                                                       "LIMIT {2}",
                                                       sql::quote_name(kAnswerOrder), rows, kAnswerRows)));
    report_.answers.push_back(std::move(answer));
  }
  std::ranges::sort(report_.answers, {}, &Answer::question);
  return {};
}

}  // namespace pinflow::batch::internal
