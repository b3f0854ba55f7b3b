#include "batch/internal/batch_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "batch/internal/at_once.h"
#include "batch/internal/object_reader.h"
#include "batch/internal/offset_joints.h"

namespace pinflow::batch::internal {

namespace {

constexpr const char* kLetters = "batch_dead_letters";
constexpr const char* kLettersDescription = "Records that could not be rows, with their bytes and the reason";
constexpr const char* kCounts = "counts_that_do_not_add_up";
constexpr const char* kJoints = "offsets_that_do_not_join";

std::string cleaned_table(records::Kind kind) {
  return fmt::format("batch_{}", to_string(kind));
}

std::string clean_statement(records::Kind kind) {
  return fmt::format("clean/{}", to_string(kind));
}

std::string latest_statement(records::Kind kind) {
  return fmt::format("model/latest_{}", to_string(kind));
}

// Positions of partitions of one kind.
LoadedThrough of_kind(const LoadedThrough& loaded, records::Kind kind) {
  LoadedThrough some;
  for (const auto& [partition, position] : loaded) {
    if (records::kind_of(partition.topic) == kind) some.emplace(partition, position);
  }
  return some;
}

}  // namespace

BatchRun::BatchRun(const BatchContext& context, const BatchOptions& options, Progress* progress, std::stop_token stop,
                   BatchReport& report)
    : context_(context),
      options_(options),
      progress_(progress),
      stop_(std::move(stop)),
      report_(report),
      ids_(context.objects) {}

Result<void> BatchRun::all() {
  TRY(step("list", [&] { return list(); }));
  if (context_.remote != nullptr) return all_remote();
  TRY(step("read", [&] { return read(); }));
  TRY(step("merge", [&] { return merge(); }));
  TRY(step("model", [&] { return model(); }));
  TRY(step("check", [&] { return check(); }));
  TRY(step("ask", [&] { return ask(); }));
  return step("publish", [&] { return publish(); });
}

Result<void> BatchRun::step(const char* name, const std::function<Result<void>()>& body) {
  if (stop_.stop_requested())
    return fail(ErrorCode::kCancelled, fmt::format("the batch run was stopped before step {}", name));
  if (progress_ != nullptr) progress_->step(name);
  const SteadyTime begin = context_.tables.clock.steady_now();
  Result<void> done = body();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context_.tables.clock.steady_now() - begin);
  report_.steps.emplace_back(name, took);
  if (!done)
    return fail(std::move(done).error().with_context(fmt::format("batch run {}, step {}", report_.run_id, name)));
  return {};
}

// ---- list

Result<void> BatchRun::list() {
  auto before = read_publication(context_.tables.store);
  if (!before && before.error().code != ErrorCode::kNotFound) return fail(std::move(before).error());
  if (before) before_ = *std::move(before);
  TRY_ASSIGN(workspace_, Workspace::open(context_.tables.engine, context_.statements));
  TRY(open_tables());
  if (context_.remote == nullptr) TRY(find_positions());
  // From where the table that is least far needs them.
  listed_behind_.clear();
  for (const auto& [kind, loaded] : loaded_) listed_behind_.merge(least(loaded, letters_loaded_));
  log_before_ = log_ranges();
  TRY_ASSIGN(objects_, list_objects(context_.objects, options_.topics, listed_behind_));
  reached_ = objects_.planned;
  return {};
}

void BatchRun::tell_skipped() {
  for (const auto& [reason, some] : objects_.skipped.reasons) {
    report_.skipped_objects += some.count;
    report_.skip_reasons.emplace_back(reason, some.count);
    context_.tables.logger.warning("objects that are none of the sink's are left out",
                                   {{"reason", reason}, {"count", some.count}, {"one of them", some.example}});
  }
}

Result<std::string> BatchRun::text_behind(records::Kind kind) const {
  TRY_ASSIGN(const sql::Statement clean, context_.statements.find(clean_statement(kind)));
  TRY_ASSIGN(const sql::Statement latest, context_.statements.find(latest_statement(kind)));
  return context_.statements.prelude() + clean.text + latest.text;
}

Result<void> BatchRun::open_tables() {
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(cleaned_[kind],
               KeyedTable::open(context_.tables, workspace_->session(), cleaned_table(kind),
                                fmt::format("Cleaned records of kind {}, one row a post", to_string(kind)),
                                fmt::format("SELECT * FROM clean_{}", to_string(kind))));
    const Writer writer = context_.remote == nullptr ? Writer::kDuckdb : Writer::kSpark;
    if (!options_.rebuild) TRY(check_writer(cleaned_.at(kind)->snapshot(), cleaned_table(kind), writer));
  }
  return {};
}

// What of the objects is in the tables. A table whose rows come from other statements takes all of them in anew.
Result<void> BatchRun::find_positions() {
  for (const records::Kind kind : records::kKinds) {
    const delta::Snapshot& snapshot = cleaned_.at(kind)->snapshot();
    TRY_ASSIGN(const sql::Statement latest, context_.statements.find(latest_statement(kind)));
    TRY_ASSIGN(const std::string text, text_behind(kind));
    std::string& reloaded = report_.kinds[kind].reloaded;
    if (options_.rebuild) {
      reloaded = "a rebuild was asked for";
    } else if (snapshot.version > delta::Version(0) && !is_made_by(snapshot, cleaned_table(kind), text)) {
      reloaded = "its SQL files changed";
    } else if (snapshot.version > delta::Version(0) && !latest.built_in) {
      reloaded = fmt::format("model/latest_{}.sql is not the built-in one, so any row may depend on any record",
                             to_string(kind));
    }
    loaded_[kind] = {};
    if (!reloaded.empty()) continue;
    TRY_ASSIGN(loaded_[kind], loaded_through(snapshot, ids_));
  }
  if (options_.rebuild) return {};
  const auto letters = delta::read_snapshot(context_.tables.store, context_.tables.engine, kLetters);
  if (!letters && letters.error().code != ErrorCode::kNotFound) return fail(letters.error());
  if (letters) {
    TRY_ASSIGN(letters_loaded_, loaded_through(*letters, ids_));
  }
  return {};
}

// ---- read

Result<void> BatchRun::read() {
  ObjectReader reader(context_.objects, objects_.objects, options_);
  object_lines_.assign(objects_.objects.size(), 0);
  TRY(workspace_->begin_slices());
  ReadProgress progress{.objects_total = objects_.objects.size(), .bytes_total = objects_.bytes};
  for (;;) {
    TRY_ASSIGN(const std::optional<Slice> slice, reader.next(stop_));
    if (!slice) break;
    TRY(workspace_->add_slice(*slice));
    progress.objects += slice->objects;
    progress.bytes += slice->bytes;
    for (const records::Kind kind : records::kKinds) {
      lines_[kind] += slice->records[static_cast<std::size_t>(kind)];
      progress.records += slice->records[static_cast<std::size_t>(kind)];
    }
    for (const auto& [place, lines] : slice->lines) object_lines_[place] = lines;
    for (const auto& [partition, last] : slice->last_offsets) {
      log::Offset& reached = reached_[partition].through;
      reached = std::max(reached, last);
    }
    for (const auto& [place, reason] : slice->skipped) objects_.skipped.add(reason, objects_.objects[place].info.name);
    if (progress_ != nullptr) progress_->reading(progress);
  }
  TRY(workspace_->end_slices());
  tell_skipped();
  report_.objects = progress.objects;
  report_.bytes = progress.bytes;
  return {};
}

// ---- merge

Result<void> BatchRun::merge() {
  // Each line is a row or a dead letter; where the cleaning of a user's leaves some out, somebody must know.
  TRY_ASSIGN(const auto all_letters, workspace_->dead_letters_by_kind());
  for (const records::Kind kind : records::kKinds) {
    TRY_ASSIGN(const std::uint64_t rows, workspace_->count(fmt::format("clean_{}", to_string(kind))));
    const std::uint64_t letters = all_letters.contains(kind) ? all_letters.at(kind) : 0;
    if (rows + letters != lines_[kind]) {
      odd_.emplace_back(clean_statement(kind), fmt::format("{} records were read, {} rows and {} dead letters came out",
                                                           lines_[kind], rows, letters));
    }
  }
  TRY(workspace_->forget_letters(letters_loaded_, objects_.objects));
  std::vector<Work> commits;
  for (const records::Kind kind : records::kKinds) {
    TRY(merge_kind(kind));
    commits.emplace_back([&table = *cleaned_.at(kind)] { return table.commit(); });
  }
  TRY_ASSIGN(WrittenTable letters, write_letters());
  commits.emplace_back([&]() -> Result<void> {
    TRY_ASSIGN(tables_[kLetters], letters.commit());
    return {};
  });
  TRY(at_once(std::move(commits)));
  for (const records::Kind kind : records::kKinds) count_rows(kind);
  return {};
}

Result<void> BatchRun::merge_kind(records::Kind kind) {
  KindCounts& counts = report_.kinds[kind];
  KeyedTable& table = *cleaned_.at(kind);
  const std::string relation = fmt::format("new_{}", to_string(kind));
  TRY_ASSIGN(const Workspace::Rows rows, workspace_->make_latest(kind, loaded_.at(kind), objects_.objects));
  TRY_ASSIGN(const std::string text, text_behind(kind));
  TRY_ASSIGN(auto transactions, transactions_of(moved(of_kind(reached_, kind), loaded_.at(kind)), ids_));
  const std::int64_t rows_before = table.snapshot().rows();
  const bool anew = !counts.reloaded.empty() || table.snapshot().files.empty();
  if (anew || !transactions.empty()) transactions.push_back(made_by(cleaned_table(kind), text));
  const auto take_over = duckdb_takes_over(table.snapshot());
  if (take_over) transactions.push_back(*take_over);
  Merged merged;
  if (anew) {
    merged.added = rows.latest;
    if (!options_.rebuild && static_cast<std::int64_t>(rows.latest) < rows_before) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("table {} must be made anew from all objects ({}), but they hold only {} of its {} posts: "
                      "bring the missing objects back, take back the change, or run `pinflow batch run "
                      "--rebuild` to go on without those posts",
                      cleaned_table(kind), counts.reloaded, rows.latest, rows_before));
    }
    const bool changes =
        take_over || rows.latest > 0 || rows_before > 0 || !is_made_by(table.snapshot(), cleaned_table(kind), text);
    if (changes || !moved(of_kind(reached_, kind), loaded_.at(kind)).empty())
      TRY(table.replace_with(relation, transactions));
  } else if (!transactions.empty()) {
    TRY_ASSIGN(merged, table.merge_latest(relation, transactions));
  }
  TRY(workspace_->session().run(fmt::format("DROP TABLE IF EXISTS {}", relation)));
  counts.rows = merged.added + (anew ? 0 : static_cast<std::uint64_t>(rows_before));
  counts.added = merged.added;
  counts.replaced = merged.replaced;
  counts.repeats = rows.cleaned - merged.added;
  counts.files_rewritten = merged.files_rewritten;
  counts.records = rows.cleaned;
  return {};
}

// Holds the rows of a cleaned table, now committed, against what came to it.
void BatchRun::count_rows(records::Kind kind) {
  const delta::Snapshot& table = cleaned_.at(kind)->snapshot();
  KindCounts& counts = report_.kinds[kind];
  const auto rows = static_cast<std::uint64_t>(table.rows());
  if (rows != counts.rows) {
    odd_.emplace_back(cleaned_table(kind), fmt::format("{} rows and {} new posts came to {} rows",
                                                       counts.rows - counts.added, counts.added, rows));
  }
  counts.rows = rows;
  tables_[cleaned_table(kind)] = {.version = table.version, .rows = table.rows()};
}

Result<WrittenTable> BatchRun::write_letters() {
  TRY_ASSIGN(const auto letters, workspace_->dead_letters_by_kind());
  for (const auto& [kind, count] : letters) {
    report_.kinds[kind].dead_letters = count;
    report_.kinds[kind].records += count;
  }
  TRY_ASSIGN(report_.reasons, workspace_->dead_letters_by_reason());
  TRY_ASSIGN(const auto transactions, transactions_of(moved(reached_, letters_loaded_), ids_));
  auto written =
      write_tables(context_.tables, workspace_->session(),
                   {{.name = kLetters,
                     .description = kLettersDescription,
                     .select = "SELECT * FROM dead_letters ORDER BY source_topic, source_partition, source_offset",
                     .transactions = transactions,
                     .append = !options_.rebuild}});
  return std::move(written[0]);
}

// ---- model

Result<void> BatchRun::model() {
  Model model(context_.tables, *workspace_, context_.statements, cleaned_);
  TRY_ASSIGN(const PostsUpdate posts, model.update(options_.rebuild));
  report_.posts_rebuilt = posts.rebuilt ? posts.why : "";
  report_.posts_touched = posts.touched;
  for (const auto& [name, table] : model.tables()) tables_[name] = table;
  const std::uint64_t pins = report_.kinds.at(records::Kind::kPin).rows;
  const auto& posts_now = tables_.at("batch_posts");
  if (static_cast<std::uint64_t>(posts_now.rows) != pins) {
    odd_.emplace_back("batch_posts", fmt::format("{} pins came to {} posts", pins, posts_now.rows));
  }
  return {};
}

// ---- check

bool BatchRun::fails_alone(const sql::Statement& statement, const Error& error) {
  if (statement.built_in || error.code != ErrorCode::kInvalid) return false;
  report_.failures.push_back({statement.name, error});
  return true;
}

Result<void> BatchRun::check() {
  for (const sql::BrokenStatement& broken : context_.statements.broken()) {
    report_.failures.push_back({broken.name, broken.error});
    const std::string name(short_name(broken.name));
    (broken.name.starts_with("questions/") ? question_errors_ : check_errors_)[name] = broken.error.message;
  }
  TRY(workspace_->show_posts_before(before_ ? std::optional(before_->tables["batch_posts"].version) : std::nullopt,
                                    context_.tables.store, context_.tables.engine));
  for (const char* folder : {"checks", "checks/raw"}) {
    for (const sql::Statement& statement : context_.statements.in_folder(folder)) {
      Result<CheckResult> result = workspace_->check(statement);
      if (!result && fails_alone(statement, result.error())) {
        check_errors_[std::string(short_name(statement.name))] = result.error().message;
        continue;
      }
      if (!result) return fail(std::move(result).error());
      report_.checks.push_back(*std::move(result));
    }
  }
  TRY(check_counts());
  std::ranges::sort(report_.checks, {}, &CheckResult::check);
  return store_checks();
}

// Without a log in this process, or while it does not answer, nothing is known of it, and no run hangs on it.
std::optional<LogRanges> BatchRun::log_ranges() {
  if (context_.log == nullptr) return std::nullopt;
  auto ranges = ranges_of(*context_.log, options_.topics);
  if (ranges) return *std::move(ranges);
  context_.tables.logger.warning("the batch run is not compared with the log", {{"error", ranges.error().message}});
  return std::nullopt;
}

void BatchRun::compare_log(std::vector<std::pair<std::string, std::string>>& odd) {
  const auto after = log_before_ ? log_ranges() : std::nullopt;
  if (!after) return;
  std::map<log::TopicPartition, Taken> taken = objects_.taken;
  for (const LoadedThrough* positions : {&listed_behind_, &reached_}) {
    for (const auto& [partition, position] : *positions)
      taken[partition].next = std::max(taken[partition].next, position.through + 1);
  }
  LogComparison comparison = compare_with_log(*log_before_, *after, taken);
  report_.log = comparison.counts;
  std::ranges::move(comparison.odd, std::back_inserter(odd));
}

Result<void> BatchRun::check_counts() {
  CheckResult counts{.check = kCounts,
                     .description = "Records, rows and dead letters of the stages that do not come to the same",
                     .stops = true,
                     .findings = odd_.size(),
                     .sample = {.columns = {"stage", "finding"}, .types = {"VARCHAR", "VARCHAR"}, .rows = {}}};
  for (const auto& [stage, finding] : odd_) counts.sample.rows.push_back({sql::Value{stage}, sql::Value{finding}});
  report_.checks.push_back(std::move(counts));
  auto joints = broken_joints(objects_.objects, object_lines_, listed_behind_);
  std::ranges::copy(objects_.odd, std::back_inserter(joints));
  compare_log(joints);
  CheckResult offsets{
      .check = kJoints,
      .description =
          "Offsets that lie in no object, or in two, or not in the log: normal where the log itself has a hole",
      .stops = false,
      .findings = joints.size(),
      .sample = {.columns = {"partition", "finding"}, .types = {"VARCHAR", "VARCHAR"}, .rows = {}}};
  for (const auto& [partition, finding] : joints) {
    if (offsets.sample.rows.size() == kStoredFindings) break;
    offsets.sample.rows.push_back({sql::Value{partition}, sql::Value{finding}});
  }
  report_.checks.push_back(std::move(offsets));
  return {};
}

Result<void> BatchRun::store_checks() {
  sql::Session& session = workspace_->session();
  const std::string run = sql::quote_text(report_.run_id);
  const std::string at = fmt::format("make_timestamptz({})", report_.started.time_since_epoch().count() * 1000);
  TRY(session.run(
      "CREATE OR REPLACE TEMP TABLE pinflow_checks (run_id VARCHAR, checked_at TIMESTAMPTZ, check_name VARCHAR, "
      "severity VARCHAR, findings BIGINT, description VARCHAR); CREATE OR REPLACE TEMP TABLE pinflow_findings (run_id "
      "VARCHAR, check_name VARCHAR, finding_number BIGINT, finding VARCHAR)"));
  for (const CheckResult& check : report_.checks) {
    TRY(session.run(fmt::format("INSERT INTO pinflow_checks VALUES ({}, {}, {}, '{}', {}, {})", run, at,
                                sql::quote_text(check.check), check.stops ? "stop" : "warn", check.findings,
                                sql::quote_text(check.description))));
    std::string values;
    for (std::size_t i = 0; i < check.sample.rows.size(); ++i) {
      std::string row = "{";
      for (std::size_t k = 0; k < check.sample.columns.size(); ++k) {
        if (k > 0) row += ",";
        append_json_string(row, check.sample.columns[k]);
        row += ":";
        check.sample.rows[i][k].append_json(row);
      }
      values += fmt::format("{}({}, {}, {}, {})", i > 0 ? ", " : "", run, sql::quote_text(check.check), i + 1,
                            sql::quote_text(row + "}"));
    }
    if (!values.empty()) TRY(session.run("INSERT INTO pinflow_findings VALUES " + values));
  }
  return store({{.name = "batch_checks",
                 .description = "What each check of each run found",
                 .select = "SELECT * FROM pinflow_checks",
                 .append = true},
                {.name = "batch_check_findings",
                 .description = "The rows that checks found, as JSON; the first thousand of a check and run",
                 .select = "SELECT * FROM pinflow_findings",
                 .append = true}},
               [](const TableWrite&, const Error& error) { return fail(error); });
}

// Writes tables and commits them at the same time. Of one that fails the rest hears, and says whether the run goes on.
Result<void> BatchRun::store(const std::vector<TableWrite>& writes,
                             const std::function<Result<void>(const TableWrite&, const Error&)>& failed) {
  auto written = write_tables(context_.tables, workspace_->session(), writes);
  std::vector<Result<StoredTable>> stored(writes.size());
  std::vector<Work> commits;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (!written[i]) {
      stored[i] = fail(written[i].error());
      continue;
    }
    commits.emplace_back([&, i]() -> Result<void> {
      stored[i] = written[i]->commit();
      return {};
    });
  }
  TRY(at_once(std::move(commits)));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (stored[i]) {
      tables_[writes[i].name] = *stored[i];
    } else {
      TRY(failed(writes[i], stored[i].error()));
    }
  }
  return {};
}

// ---- ask

Result<void> BatchRun::ask() {
  std::vector<TableWrite> writes;
  for (const sql::Statement& question : context_.statements.in_folder("questions")) {
    Result<Answer> answer = workspace_->ask(question);
    if (!answer) {
      TRY(fail_question(question, answer.error()));
      continue;
    }
    const std::string table = answer_table(question.name);
    writes.push_back(
        {.name = table,
         .description = answer->description,
         .select = fmt::format("SELECT *, rowid AS {} FROM {} ORDER BY rowid", kAnswerOrder, sql::quote_name(table))});
    report_.answers.push_back(*std::move(answer));
  }
  return store(writes, [this](const TableWrite& write, const Error& error) -> Result<void> {
    const auto answer =
        std::ranges::find(report_.answers, write.name, [](const Answer& one) { return answer_table(one.question); });
    TRY_ASSIGN(const sql::Statement question, context_.statements.find("questions/" + answer->question));
    report_.answers.erase(answer);
    return fail_question(question, error);
  });
}

// A question of a user's that fails keeps its answer of before; the others go on.
Result<void> BatchRun::fail_question(const sql::Statement& question, const Error& error) {
  if (!fails_alone(question, error)) return fail(error);
  question_errors_[std::string(short_name(question.name))] = error.message;
  return {};
}

// ---- publish

PublishedQuestion BatchRun::published(const sql::Statement& question) const {
  const std::string name(short_name(question.name));
  PublishedQuestion published{.name = name,
                              .description = question.description,
                              .columns = question.columns,
                              .table = answer_table(name),
                              .rows = 0,
                              .run_id = report_.run_id,
                              .error = {}};
  if (const auto error = question_errors_.find(name); error != question_errors_.end()) {
    published.error = error->second;
    published.run_id.clear();
    if (!before_) return published;
    const auto old = std::ranges::find(before_->questions, name, &PublishedQuestion::name);
    if (old == before_->questions.end()) return published;
    published.run_id = old->run_id;
    published.columns = old->columns;
    published.rows = old->rows;
    return published;
  }
  published.rows = tables_.at(published.table).rows;
  const auto answer = std::ranges::find(report_.answers, name, &Answer::question);
  if (answer != report_.answers.end()) published.columns = answer->table.columns;
  return published;
}

Result<void> BatchRun::publish() {
  for (const auto& [name, table] : tables_) report_.tables[name] = static_cast<std::uint64_t>(table.rows);
  const bool stopped =
      std::ranges::any_of(report_.checks, [](const CheckResult& check) { return check.stops && check.findings > 0; });
  if (stopped) return {};
  Publication publication;
  publication.run_id = report_.run_id;
  publication.started = report_.started;
  publication.finished = context_.tables.clock.now();
  if (before_) publication.data_through = before_->data_through;
  for (const SunkObject& object : objects_.objects) {
    if (!publication.data_through || *publication.data_through < object.info.modified)
      publication.data_through = object.info.modified;
  }
  for (const auto& [name, table] : tables_) publication.tables[name] = {.version = table.version, .rows = table.rows};
  std::vector<sql::Statement> questions = context_.statements.in_folder("questions");
  for (const sql::BrokenStatement& broken : context_.statements.broken()) {
    if (!broken.name.starts_with("questions/")) continue;
    sql::Statement statement;
    statement.name = broken.name;
    questions.push_back(std::move(statement));
  }
  for (const sql::Statement& question : questions) {
    publication.questions.push_back(published(question));
    const PublishedQuestion& added = publication.questions.back();
    // The answer of an earlier run stays, told to be older.
    if (!added.error.empty() && before_ && before_->tables.contains(added.table))
      publication.tables[added.table] = before_->tables.at(added.table);
  }
  std::ranges::sort(publication.questions, {}, &PublishedQuestion::name);
  for (const CheckResult& check : report_.checks) {
    publication.checks.push_back({.name = check.check,
                                  .description = check.description,
                                  .stops = check.stops,
                                  .findings = check.findings,
                                  .error = {}});
  }
  for (const auto& [name, error] : check_errors_)
    publication.checks.push_back({.name = name, .description = {}, .stops = false, .findings = 0, .error = error});
  std::ranges::sort(publication.checks, {}, &PublishedCheck::name);
  TRY(batch::publish(context_.tables.store, publication));
  report_.published = true;
  return {};
}

}  // namespace pinflow::batch::internal
