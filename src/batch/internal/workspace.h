#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "batch/batch_job.h"
#include "batch/internal/object_reader.h"
#include "disk/disk.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::batch::internal {

// Keeps the rows of a SELECT as the content of a model table and gives the Parquet file that holds them; empty: no rows.
using Keep = std::function<Result<std::optional<disk::Path>>(const std::string& model, const std::string& select)>;

// The tables and views of one run in one session of the engine, and the statements that fill them, in this order: add_slice*
// (raw_<kind> -> clean_<kind>, dead letters), build_model (latest_<kind>, posts, people), then ask and check. Owned by one
// thread; engine and statements must outlive it. Errors name the SQL file.
class Workspace {
 public:
  static Result<std::unique_ptr<Workspace>> open(sql::Engine& engine, const sql::Statements& statements);

  Result<void> add_slice(const Slice& slice);
  // Fills the model: each of its tables goes through `keep` and is read from its file from then on, so that not the engine's
  // memory holds it; without `keep` they are temporary tables. The cleaned tables with their repeats are dropped.
  Result<void> build_model(const Keep& keep = nullptr);
  // Rows of each kind: cleaned and latest. After build_model.
  struct Rows {
    std::uint64_t cleaned = 0;
    std::uint64_t latest = 0;
  };
  const std::map<records::Kind, Rows>& rows() const { return rows_; }
  // Dead letters by kind, and by reason with the most frequent first.
  Result<std::map<records::Kind, std::uint64_t>> dead_letters_by_kind();
  Result<std::vector<std::pair<std::string, std::uint64_t>>> dead_letters_by_reason();

  // Answers a question into the table that answer_table names, in the file's order, and gives its first rows.
  Result<Answer> ask(const sql::Statement& question);
  // Runs a check over the model, or sums up one over raw tables, which ran slice by slice.
  Result<CheckResult> check(const sql::Statement& statement);

  sql::Session& session() { return *session_; }

 private:
  Workspace(std::unique_ptr<sql::Session> session, const sql::Statements& statements);
  Result<void> prepare();
  Result<void> create(std::string_view table, const sql::Statement& statement, std::string_view rest = "");
  Result<void> create_latest(records::Kind kind, const Keep& keep);
  Result<void> create_model(const sql::Statement& statement, const std::string& select, const Keep& keep);
  Result<void> check_declared(std::string_view table, const sql::Statement& statement);
  Result<std::uint64_t> count(std::string_view table);
  Result<std::vector<std::pair<std::string, std::uint64_t>>> dead_letters_by(std::string_view column);

  std::unique_ptr<sql::Session> session_;
  const sql::Statements& statements_;
  std::vector<sql::Statement> raw_checks_;
  std::map<records::Kind, std::string> clean_texts_;
  std::map<records::Kind, Rows> rows_;
};

// The table of a question: "questions/category_by_year" has question_category_by_year.
std::string answer_table(std::string_view question);
// The last part of a statement's name: "category_by_year".
std::string_view short_name(std::string_view statement);
// The column of a question's table that keeps the order of its rows.
inline constexpr std::string_view kAnswerOrder = "answer_order";

}  // namespace pinflow::batch::internal
