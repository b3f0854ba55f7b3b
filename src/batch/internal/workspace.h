#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "batch/batch_job.h"
#include "batch/internal/object_reader.h"
#include "delta/table.h"
#include "objects/object_store.h"
#include "sql/engine.h"
#include "sql/statements.h"

namespace pinflow::batch::internal {

// The tables and views of one run in one session of the engine, and the statements that fill them, in this order: add_slice*
// (raw_<kind> -> clean_<kind>, dead letters), make_latest of each kind, show of the model, then ask and check. Owned by one
// thread; engine and statements must outlive it. Errors name the SQL file.
class Workspace {
 public:
  static Result<std::unique_ptr<Workspace>> open(sql::Engine& engine, const sql::Statements& statements);

  // Around all add_slice.
  Result<void> begin_slices();
  Result<void> add_slice(const Slice& slice);
  Result<void> end_slices();
  // Forgets the records of a kind up to what is loaded already (of the objects read, those of loaded plans), then makes new_<kind> of the cleaned rows: of repeats the latest. The
  // cleaned rows go.
  struct Rows {
    std::uint64_t cleaned = 0;
    std::uint64_t latest = 0;
  };
  Result<Rows> make_latest(records::Kind kind, const LoadedThrough& loaded, const std::vector<SunkObject>& objects);
  Result<void> forget_letters(const LoadedThrough& loaded, const std::vector<SunkObject>& objects);
  // Makes a view of the model ("posts") of a SELECT and holds it against the columns that its file declares.
  Result<void> show(const sql::Statement& model, const std::string& select);
  // A model statement as a SELECT that can stand in parentheses.
  static std::string select_of(const sql::Statement& statement);
  // The whole model in memory, of the added records alone.
  Result<void> build_model();
  // Dead letters by kind, and by reason with the most frequent first.
  Result<std::map<records::Kind, std::uint64_t>> dead_letters_by_kind();
  Result<std::vector<std::pair<std::string, std::uint64_t>>> dead_letters_by_reason();

  // Makes the view posts_before of the posts as readers see them now, without rows where there are none, for checks that compare.
  Result<void> show_posts_before(std::optional<delta::Version> version, objects::ObjectStore& tables,
                                 sql::Engine& engine);
  // Answers a question into the table that answer_table names, in the file's order, and gives its first rows.
  Result<Answer> ask(const sql::Statement& question);
  // Runs a check over the model, or sums up one over raw tables, which ran slice by slice; of a user's raw check this is where its error
  // comes out.
  Result<CheckResult> check(const sql::Statement& statement);

  Result<std::uint64_t> count(std::string_view table);
  sql::Session& session() { return *session_; }

 private:
  Workspace(std::unique_ptr<sql::Session> session, const sql::Statements& statements);
  Result<void> prepare();
  bool in_one_transaction() const;
  Result<void> take_lent(records::Kind kind);
  Result<bool> find_repeats(const std::string& cleaned, std::uint64_t rows);
  Result<void> drop_repeats(const std::string& cleaned);
  Result<void> keep_latest(const std::string& cleaned, const std::string& made);
  Result<void> create(std::string_view table, const sql::Statement& statement, std::string_view rest = "");
  Result<void> forget(std::string_view table, const LoadedThrough& loaded, const std::vector<SunkObject>& objects);
  Result<void> check_declared(std::string_view table, const sql::Statement& statement);
  Result<std::vector<std::pair<std::string, std::uint64_t>>> dead_letters_by(std::string_view column);

  std::map<records::Kind, std::unique_ptr<records::RawBatch>> no_rows_;  // Lent to the session between slices.
  std::unique_ptr<sql::Session> session_;
  const sql::Statements& statements_;
  std::vector<sql::Statement> raw_checks_;
  std::map<std::string, Error> raw_check_errors_;  // Of those that do not run, by name; of the user's alone.
  std::map<records::Kind, std::string> clean_texts_;
};

// The table of a question: "questions/category_by_year" has question_category_by_year.
std::string answer_table(std::string_view question);
// The last part of a statement's name: "category_by_year".
std::string_view short_name(std::string_view statement);
// The column of a question's table that keeps the order of its rows.
inline constexpr std::string_view kAnswerOrder = "answer_order";

}  // namespace pinflow::batch::internal
