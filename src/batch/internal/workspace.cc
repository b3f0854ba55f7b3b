#include "batch/internal/workspace.h"

#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pinflow::batch::internal {

namespace {

// Adds the SQL file to the engine's words.
template <class T>
Result<T> in_file(Result<T> result, const sql::Statement& statement) {
  if (result) return result;
  return fail(std::move(result).error().with_context(fmt::format("sql file {}.sql", statement.name)));
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
    TRY(session_->load(fmt::format("raw_{}", to_string(kind)), records::RawBatch(kind).batch()));
    TRY_ASSIGN(const sql::Statement clean, statements_.find(fmt::format("clean/{}", to_string(kind))));
    TRY(create(fmt::format("clean_{}", to_string(kind)), clean, "LIMIT 0"));
    clean_texts_[kind] = select_from(clean);
  }
  for (const sql::Statement& check : raw_checks_) TRY(create(raw_check_table(check), check, "LIMIT 0"));
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

Result<void> Workspace::add_slice(const Slice& slice) {
  if (slice.dead_letters) TRY(session_->append("dead_letters", slice.dead_letters->batch()));
  if (!slice.rows || slice.rows->batch().rows() == 0) return {};
  const records::Kind kind = slice.rows->kind();
  const std::string raw = fmt::format("raw_{}", to_string(kind));
  TRY(session_->load(raw, slice.rows->batch()));
  TRY(session_->run(fmt::format("INSERT INTO clean_{} {}", to_string(kind), clean_texts_[kind])));
  for (const sql::Statement& check : raw_checks_) {
    // The raw tables of the other kinds are empty now, so each record is looked at once.
    const std::string insert =
        fmt::format("INSERT INTO {} {}", sql::quote_name(raw_check_table(check)), select_from(check));
    TRY(in_file(session_->run(insert), check));
  }
  return session_->run(fmt::format("DELETE FROM {}", raw));
}

Result<void> Workspace::create_model(const sql::Statement& statement, const std::string& select, const Keep& keep) {
  const std::string name(short_name(statement.name));
  std::optional<disk::Path> file;
  if (keep) {
    TRY_ASSIGN(file, in_file(keep(name, select), statement));
  }
  const std::string made =
      file ? fmt::format("CREATE OR REPLACE TEMP VIEW {} AS SELECT * FROM read_parquet({})", name,
                         sql::quote_text(file->string()))
           : fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {} {}", name, select, keep ? "LIMIT 0" : "");
  TRY(in_file(session_->run(made), statement));
  return check_declared(name, statement);
}

Result<void> Workspace::create_latest(records::Kind kind, const Keep& keep) {
  const std::string cleaned = fmt::format("clean_{}", to_string(kind));
  TRY_ASSIGN(const sql::Statement statement, statements_.find(fmt::format("model/latest_{}", to_string(kind))));
  TRY_ASSIGN(const sql::ResultTable counts,
             session_->query(fmt::format("SELECT count(*), count(DISTINCT ind) FROM {}", cleaned)));
  const std::uint64_t rows = integer_of(counts.rows[0][0]);
  const std::uint64_t posts = integer_of(counts.rows[0][1]);
  // Ranking all rows takes longer than all else. Where no post repeats, our own statement would give each row as it is.
  const bool as_it_is = statement.built_in && rows == posts;
  TRY(create_model(statement, as_it_is ? fmt::format("SELECT * FROM {}", cleaned) : select_from(statement), keep));
  TRY_ASSIGN(const std::uint64_t latest, count(fmt::format("latest_{}", to_string(kind))));
  rows_[kind] = {.cleaned = rows, .latest = latest};
  return session_->run(fmt::format("DROP TABLE {}", cleaned));
}

Result<void> Workspace::build_model(const Keep& keep) {
  for (const records::Kind kind : records::kKinds) TRY(create_latest(kind, keep));
  for (const char* name : {"model/posts", "model/people"}) {
    TRY_ASSIGN(const sql::Statement statement, statements_.find(name));
    TRY(create_model(statement, select_from(statement), keep));
  }
  return {};
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
  std::string table = fmt::format("check_{}", short_name(statement.name));
  if (raw) {
    table = raw_check_table(statement);
    // A record sent twice is one finding.
    TRY(session_->run(fmt::format("CREATE OR REPLACE TEMP TABLE {0} AS SELECT DISTINCT * FROM {0} ORDER BY ALL",
                                  sql::quote_name(table))));
  } else {
    TRY(create(table, statement));
  }
  CheckResult result{
      .check = std::string(short_name(statement.name)), .description = statement.description, .sample = {}};
  TRY_ASSIGN(result.findings, count(table));
  TRY_ASSIGN(result.sample, session_->query(fmt::format("SELECT * FROM {} ORDER BY rowid LIMIT {}",
                                                        sql::quote_name(table), kCheckRows)));
  TRY(session_->run(fmt::format("DROP TABLE {}", sql::quote_name(table))));
  return result;
}

}  // namespace pinflow::batch::internal
