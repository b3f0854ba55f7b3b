#include "batch/internal/workspace.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pinflow::batch::internal {

namespace {

// Of the order of records of a post, as sql/model/latest_*.sql have it.
constexpr std::string_view kLatestFirst = "source_offset DESC, source_partition DESC, source_topic";
// The posts that several cleaned rows tell of, and how many each.
constexpr std::string_view kRepeats = "pinflow_repeats";
// One of so many records may be a repeat for repeats to be few.
constexpr std::uint64_t kFewRepeats = 4;

// Where in its file a statement went wrong, out of the engine's words ("LINE 3: SELECT a FORM b" and a ^ below): ", line 5, column 10".
// The engine counts from select_from's first line and shows a part of a long line.
std::string place_in(const sql::Statement& statement, std::string_view words) {
  constexpr std::string_view kLine = "LINE ";
  const std::size_t at = words.find(kLine);
  if (at == words.npos) return {};
  std::size_t line = 0;
  const auto [end, error] = std::from_chars(words.data() + at + kLine.size(), words.data() + words.size(), line);
  if (error != std::errc() || line < 2) return {};
  const std::string place = fmt::format(", line {}", statement.first_line + line - 2);
  const std::size_t shown = static_cast<std::size_t>(end - words.data()) + 2;  // Behind ": ".
  const std::size_t next = words.find('\n', shown);
  const std::size_t caret = next == words.npos ? words.npos : words.find('^', next);
  if (caret == words.npos) return place;
  std::string_view part = words.substr(shown, next - shown);
  std::size_t column = caret - next - 1 - (shown - at);
  if (part.starts_with("...")) {
    part.remove_prefix(3);
    column -= std::min<std::size_t>(column, 3);
  }
  if (part.ends_with("...")) part.remove_suffix(3);
  std::string_view text = statement.text;
  for (std::size_t i = 2; i < line; ++i) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find(part);
  return begin == text.npos ? place : fmt::format("{}, column {}", place, begin + column + 1);
}

// Adds the SQL file, and the place in it, to the engine's words.
template <class T>
Result<T> in_file(Result<T> result, const sql::Statement& statement) {
  if (result) return result;
  const std::string place = place_in(statement, result.error().message);
  return fail(std::move(result).error().with_context(fmt::format("sql file {}.sql{}", statement.name, place)));
}

std::string raw_table(records::Kind kind) {
  return fmt::format("raw_{}", to_string(kind));
}

// Whether the text of a statement has the name of a table, in letters of any case, as the engine reads names.
bool names(const sql::Statement& statement, std::string_view table) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return !std::ranges::search(statement.text, table, {}, lower, lower).empty();
}

std::string raw_check_table(const sql::Statement& check) {
  return fmt::format("raw_check_{}", short_name(check.name));
}

std::string select_from(const sql::Statement& statement) {
  return fmt::format("SELECT * FROM (\n{}\n) AS answer", statement.text);
}

std::uint64_t integer_of(const sql::Value& value) {
  return static_cast<std::uint64_t>(std::get<std::int64_t>(value.data));
}

// Holds the columns that the front comment declares against those that there are.
Result<void> check_columns(const sql::Statement& statement, const std::vector<std::string>& columns) {
  if (statement.columns.empty() || statement.columns == columns) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("the front comment declares the columns {}, the statement gives {}; make them equal",
                          fmt::join(statement.columns, ", "), fmt::join(columns, ", ")));
}

}  // namespace

std::string_view short_name(std::string_view statement) {
  return statement.substr(statement.rfind('/') + 1);
}

std::string answer_table(std::string_view question) {
  return fmt::format("question_{}", short_name(question));
}

Result<std::unique_ptr<Workspace>> Workspace::open(sql::Engine& engine, const sql::Statements& statements) {
  TRY_ASSIGN(std::unique_ptr<sql::Session> session, engine.connect());
  std::unique_ptr<Workspace> workspace(new Workspace(std::move(session), statements));
  TRY(workspace->prepare());
  return workspace;
}

Workspace::Workspace(std::unique_ptr<sql::Session> session, const sql::Statements& statements)
    : session_(std::move(session)), statements_(statements), raw_checks_(statements.in_folder("checks/raw")) {}

Result<void> Workspace::prepare() {
  if (auto done = session_->run(statements_.prelude()); !done) {
    return fail(std::move(done).error().with_context("sql file prelude/duckdb.sql"));
  }
  for (const records::Kind kind : records::kKinds) {
    no_rows_[kind] = std::make_unique<records::RawBatch>(kind);
    TRY(session_->lend(raw_table(kind), no_rows_.at(kind)->batch()));
    TRY_ASSIGN(const sql::Statement clean, statements_.find(fmt::format("clean/{}", to_string(kind))));
    TRY(create(fmt::format("clean_{}", to_string(kind)), clean, "LIMIT 0"));
    clean_texts_[kind] = select_from(clean);
  }
  for (const sql::Statement& check : raw_checks_) {
    const auto made = create(raw_check_table(check), check, "LIMIT 0");
    if (made) continue;
    if (check.built_in || made.error().code != ErrorCode::kInvalid) return fail(made.error());
    raw_check_errors_.emplace(check.name, made.error());
  }
  return session_->load("dead_letters", records::DeadLetters().batch());
}

Result<void> Workspace::create(std::string_view table, const sql::Statement& statement, std::string_view rest) {
  TRY(in_file(session_->run(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {} {}", sql::quote_name(table),
                                        select_from(statement), rest)),
              statement));
  return check_declared(table, statement);
}

Result<void> Workspace::check_declared(std::string_view table, const sql::Statement& statement) {
  TRY_ASSIGN(const sql::ResultTable columns,
             session_->query(fmt::format("SELECT * FROM {} LIMIT 0", sql::quote_name(table))));
  return in_file(check_columns(statement, columns.columns), statement);
}

// The engine writes the rows of a short transaction twice, the second time behind those that the table has; those of a long one it moves.
// But a statement of a user's that fails would take all rows with it.
bool Workspace::in_one_transaction() const {
  return std::ranges::all_of(raw_checks_, &sql::Statement::built_in);
}

Result<void> Workspace::begin_slices() {
  return in_one_transaction() ? session_->run("BEGIN TRANSACTION") : Result<void>();
}

Result<void> Workspace::end_slices() {
  return in_one_transaction() ? session_->run("COMMIT") : Result<void>();
}

Result<void> Workspace::add_slice(const Slice& slice) {
  if (slice.dead_letters) TRY(session_->append("dead_letters", slice.dead_letters->batch()));
  if (!slice.rows || slice.rows->batch().rows() == 0) return {};
  const records::Kind kind = slice.rows->kind();
  TRY(session_->lend(raw_table(kind), slice.rows->batch()));
  const Result<void> taken = take_lent(kind);
  TRY(session_->lend(raw_table(kind), no_rows_.at(kind)->batch()));
  return taken;
}

Result<void> Workspace::take_lent(records::Kind kind) {
  TRY(session_->run(fmt::format("INSERT INTO clean_{} {}", to_string(kind), clean_texts_[kind])));
  for (const sql::Statement& check : raw_checks_) {
    // The raw tables of the other kinds are empty now: what does not name this one finds nothing.
    if (raw_check_errors_.contains(check.name) || !names(check, raw_table(kind))) continue;
    const std::string insert =
        fmt::format("INSERT INTO {} {}", sql::quote_name(raw_check_table(check)), select_from(check));
    const auto ran = in_file(session_->run(insert), check);
    if (ran) continue;
    if (check.built_in || ran.error().code != ErrorCode::kInvalid) return fail(ran.error());
    raw_check_errors_.emplace(check.name, ran.error());
  }
  return {};
}

std::string Workspace::select_of(const sql::Statement& statement) {
  return select_from(statement);
}

Result<void> Workspace::show(const sql::Statement& model, const std::string& select) {
  const std::string name(short_name(model.name));
  TRY(in_file(session_->run(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", name, select)), model));
  return check_declared(name, model);
}

Result<void> Workspace::forget(std::string_view table, const LoadedThrough& loaded,
                               const std::vector<SunkObject>& objects) {
  for (const auto& [partition, position] : loaded) {
    if (position.through.value() < 0) continue;
    TRY(session_->run(
        fmt::format("DELETE FROM {} WHERE source_topic = {} AND source_partition = {} AND source_offset <= {}", table,
                    sql::quote_text(partition.topic), partition.partition.value(), position.through.value())));
  }
  // Only where a run ended between the commits of two tables.
  std::vector<Column> columns;
  columns.emplace_back("topic", ColumnType::kText);
  for (const char* name : {"partition", "first", "behind"}) columns.emplace_back(name, ColumnType::kInt64);
  ColumnBatch runs(std::move(columns));
  for (const SunkObject& object : objects) {
    const auto position = loaded.find(object.name.partition);
    if (object.plan == 0 || position == loaded.end() || object.plan > position->second.plan) continue;
    for (const sink::OffsetRuns::Run& run : object.offsets.runs()) {
      runs.column(0).append_text(object.name.partition.topic);
      runs.column(1).append_integer(object.name.partition.partition.value());
      runs.column(2).append_integer(run.begin);
      runs.column(3).append_integer(run.end);
    }
  }
  if (runs.rows() == 0) return {};
  TRY(session_->load("pinflow_loaded", runs));
  return session_->run(
      fmt::format("DELETE FROM {} AS t USING (SELECT topic, partition, unnest(range(first, behind)) AS at FROM "
                  "pinflow_loaded) AS l "
                  "WHERE t.source_topic = l.topic AND t.source_partition = l.partition AND t.source_offset = l.at",
                  table));
}

Result<void> Workspace::forget_letters(const LoadedThrough& loaded, const std::vector<SunkObject>& objects) {
  return forget("dead_letters", loaded, objects);
}

Result<Workspace::Rows> Workspace::make_latest(records::Kind kind, const LoadedThrough& loaded,
                                               const std::vector<SunkObject>& objects) {
  const std::string cleaned = fmt::format("clean_{}", to_string(kind));
  const std::string made = fmt::format("new_{}", to_string(kind));
  TRY_ASSIGN(const sql::Statement statement, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
  TRY(forget(cleaned, loaded, objects));
  Rows rows;
  TRY_ASSIGN(rows.cleaned, count(cleaned));
  // Our own statement ranks whole rows, which takes longer than all else and memory for all of them. To rank their places comes to the same.
  TRY_ASSIGN(const bool few, statement.built_in ? find_repeats(cleaned, rows.cleaned) : Result<bool>(false));
  if (few) {
    TRY(drop_repeats(cleaned));
    TRY(session_->run(fmt::format("ALTER TABLE {} RENAME TO {}", cleaned, made)));
  } else {
    TRY(statement.built_in ? keep_latest(cleaned, made) : create(made, statement));
    TRY(session_->run(fmt::format("DROP TABLE {}", cleaned)));
  }
  TRY_ASSIGN(rows.latest, count(made));
  return rows;
}

// Whether few rows are repeats; kRepeats has their posts.
Result<bool> Workspace::find_repeats(const std::string& cleaned, std::uint64_t rows) {
  TRY(session_->run(fmt::format(
      "CREATE OR REPLACE TEMP TABLE {} AS SELECT ind, count(*) AS times FROM {} GROUP BY ind HAVING count(*) > 1",
      kRepeats, cleaned)));
  TRY_ASSIGN(const sql::ResultTable repeats,
             session_->query(fmt::format("SELECT coalesce(sum(times - 1), 0) FROM {}", kRepeats)));
  return integer_of(repeats.rows[0][0]) * kFewRepeats <= rows;
}

Result<void> Workspace::keep_latest(const std::string& cleaned, const std::string& made) {
  return session_->run(fmt::format(
      "CREATE OR REPLACE TEMP TABLE {1} AS SELECT * FROM {0} WHERE rowid IN (SELECT place FROM (SELECT rowid AS place, "
      "row_number() OVER (PARTITION BY ind ORDER BY {2}, rowid) AS rank FROM {0}) WHERE rank = 1)",
      cleaned, made, kLatestFirst));
}

Result<void> Workspace::drop_repeats(const std::string& cleaned) {
  TRY_ASSIGN(const std::uint64_t posts, count(kRepeats));
  if (posts == 0) return {};
  return session_->run(fmt::format(
      "DELETE FROM {0} WHERE rowid IN (SELECT place FROM (SELECT rowid AS place, row_number() OVER (PARTITION BY ind "
      "ORDER BY {1}, rowid) AS rank FROM {0} WHERE ind IN (SELECT ind FROM {2})) WHERE rank > 1)",
      cleaned, kLatestFirst, kRepeats));
}

Result<void> Workspace::build_model() {
  for (const records::Kind kind : records::kKinds) {
    TRY(make_latest(kind, {}, {}));
    TRY(session_->run(fmt::format("ALTER TABLE new_{0} RENAME TO latest_{0}", to_string(kind))));
  }
  for (const char* name : {"model/posts", "model/people"}) {
    TRY_ASSIGN(const sql::Statement statement, statements_.find(name));
    TRY(create(short_name(name), statement));
  }
  return session_->run("CREATE OR REPLACE TEMP VIEW posts_before AS SELECT * FROM posts WHERE false");
}

Result<std::uint64_t> Workspace::count(std::string_view table) {
  TRY_ASSIGN(const sql::ResultTable answer,
             session_->query(fmt::format("SELECT count(*) FROM {}", sql::quote_name(table))));
  return integer_of(answer.rows[0][0]);
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Workspace::dead_letters_by(std::string_view column) {
  TRY_ASSIGN(const sql::ResultTable answer,
             session_->query(fmt::format(
                 "SELECT {0}, count(*) AS letters FROM dead_letters GROUP BY {0} ORDER BY letters DESC, {0}", column)));
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (const auto& row : answer.rows) counts.emplace_back(row[0].to_text(), integer_of(row[1]));
  return counts;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Workspace::dead_letters_by_reason() {
  return dead_letters_by("reason");
}

Result<std::map<records::Kind, std::uint64_t>> Workspace::dead_letters_by_kind() {
  TRY_ASSIGN(const auto counts, dead_letters_by("kind"));
  std::map<records::Kind, std::uint64_t> by_kind;
  for (const auto& [name, letters] : counts) {
    for (const records::Kind kind : records::kKinds) {
      if (to_string(kind) == name) by_kind[kind] = letters;
    }
  }
  return by_kind;
}

Result<void> Workspace::show_posts_before(std::optional<delta::Version> version, objects::ObjectStore& tables,
                                          sql::Engine& engine) {
  std::string select = "SELECT * FROM posts WHERE false";
  if (version) {
    // A version that is not there any more has nothing to compare with.
    const auto snapshot = delta::read_snapshot(tables, engine, "batch_posts", *version);
    if (!snapshot && snapshot.error().code != ErrorCode::kNotFound) return fail(snapshot.error());
    if (snapshot) {
      TRY_ASSIGN(select, delta::select_all(tables, "batch_posts", *snapshot));
    }
  }
  return session_->run(fmt::format("CREATE OR REPLACE TEMP VIEW posts_before AS {}", select));
}

Result<Answer> Workspace::ask(const sql::Statement& question) {
  const std::string table = answer_table(question.name);
  TRY(create(table, question));
  Answer answer{.question = std::string(short_name(question.name)), .description = question.description, .table = {}};
  TRY_ASSIGN(answer.table, session_->query(fmt::format("SELECT * FROM {} ORDER BY rowid LIMIT {}",
                                                       sql::quote_name(table), kAnswerRows)));
  return answer;
}

Result<CheckResult> Workspace::check(const sql::Statement& statement) {
  const bool raw = statement.name.starts_with("checks/raw/");
  if (const auto broken = raw_check_errors_.find(statement.name); broken != raw_check_errors_.end())
    return fail(broken->second);
  std::string table = fmt::format("check_{}", short_name(statement.name));
  if (raw) {
    table = raw_check_table(statement);
    // A record sent twice is one finding.
    TRY(session_->run(fmt::format("CREATE OR REPLACE TEMP TABLE {0} AS SELECT DISTINCT * FROM {0} ORDER BY ALL",
                                  sql::quote_name(table))));
  } else {
    TRY(create(table, statement));
  }
  CheckResult result{.check = std::string(short_name(statement.name)),
                     .description = statement.description,
                     .stops = statement.stops,
                     .findings = 0,
                     .sample = {}};
  TRY_ASSIGN(result.findings, count(table));
  TRY_ASSIGN(result.sample, session_->query(fmt::format("SELECT * FROM {} ORDER BY rowid LIMIT {}",
                                                        sql::quote_name(table), kStoredFindings)));
  TRY(session_->run(fmt::format("DROP TABLE {}", sql::quote_name(table))));
  return result;
}

}  // namespace pinflow::batch::internal
