#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "batch/batch_job.h"
#include "batch/internal/log_comparison.h"
#include "batch/internal/model.h"
#include "batch/internal/positions.h"
#include "batch/internal/remote_result.h"
#include "batch/internal/stored_table.h"
#include "batch/internal/sunk_objects.h"
#include "batch/internal/workspace.h"
#include "batch/published.h"

namespace pinflow::batch::internal {

// One run, from the list of new objects to the publication. Owned by one thread; all that it is given outlives it.
class BatchRun {
 public:
  BatchRun(const BatchContext& context, const BatchOptions& options, Progress* progress, std::stop_token stop,
           BatchReport& report);

  // Fills the report as far as it comes.
  Result<void> all();

 private:
  Result<void> step(const char* name, const std::function<Result<void>()>& body);
  Result<void> list();
  // The steps behind `list` where another engine does the work (remote_run.cc).
  Result<void> all_remote();
  Result<void> run_remote();
  Result<std::string> make_job(std::int64_t number);
  Result<void> take_tables(std::int64_t number);
  Result<void> take_counts(const RemoteResult& result);
  Result<void> take_checks(const RemoteResult& result);
  Result<void> take_answers();
  Result<void> open_tables();
  // The text that the rows of a kind come from: other text, other rows.
  Result<std::string> text_behind(records::Kind kind) const;
  Result<void> find_positions();
  Result<void> read();
  void tell_skipped();
  void compare_log(std::vector<std::pair<std::string, std::string>>& odd);
  std::optional<LogRanges> log_ranges();
  Result<void> merge();
  Result<void> merge_kind(records::Kind kind);
  void count_rows(records::Kind kind);
  Result<WrittenTable> write_letters();
  Result<void> model();
  Result<void> check();
  Result<void> check_counts();
  Result<void> store_checks();
  Result<void> store(const std::vector<TableWrite>& writes,
                     const std::function<Result<void>(const TableWrite&, const Error&)>& failed);
  Result<void> ask();
  Result<void> fail_question(const sql::Statement& question, const Error& error);
  Result<void> publish();
  PublishedQuestion published(const sql::Statement& question) const;
  // Of the rows of a statement of the user's: what is wrong with them fails the statement alone.
  bool fails_alone(const sql::Statement& statement, const Error& error);

  const BatchContext& context_;
  const BatchOptions& options_;
  Progress* progress_;
  std::stop_token stop_;
  BatchReport& report_;

  TopicIds ids_;
  std::optional<Publication> before_;  // What readers see until this run is published.
  ObjectList objects_;
  std::optional<LogRanges> log_before_;      // As the log was before the objects were listed.
  LoadedThrough listed_behind_;              // From where on the objects were listed.
  std::vector<std::uint64_t> object_lines_;  // How many each of them has.
  std::unique_ptr<Workspace> workspace_;
  CleanedTables cleaned_;
  std::map<records::Kind, LoadedThrough> loaded_;         // What each cleaned table has.
  LoadedThrough letters_loaded_;                          // What the dead letters' table has.
  LoadedThrough reached_;                                 // How far this run read each partition.
  std::map<records::Kind, std::uint64_t> lines_;          // That this run read, with those that a table has already.
  std::vector<std::pair<std::string, std::string>> odd_;  // Counts that do not add up: what, and how.
  std::map<std::string, StoredTable> tables_;             // As this run leaves them.
  RemoteResult told_;                                     // By the other engine.
  std::map<std::string, std::string> question_errors_;    // By short name.
  std::map<std::string, std::string> check_errors_;
};

}  // namespace pinflow::batch::internal
