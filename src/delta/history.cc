#include "delta/history.h"

#include <ranges>

#include "delta/internal/log_reader.h"

namespace pinflow::delta {

namespace {

using namespace internal;

CommitSummary summarise(const TimedCommit& at, const Commit& commit) {
  CommitSummary summary;
  summary.version = at.version;
  summary.time = at.time;
  for (const Action& action : commit) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) {
      summary.operation = info->operation;
      summary.engine = info->engine;
      summary.parameters = info->parameters;
    } else if (const auto* add = std::get_if<Add>(&action)) {
      ++summary.added_files;
      summary.added_rows += add->file.rows;
      summary.added_bytes += add->file.size;
      summary.data_change |= add->data_change;
    } else if (const auto* remove = std::get_if<Remove>(&action)) {
      ++summary.removed_files;
      summary.removed_bytes += remove->size;
      summary.data_change |= remove->data_change;
    } else if (const auto* txn = std::get_if<Txn>(&action)) {
      summary.transactions.push_back({txn->app_id, txn->version});
    }
  }
  return summary;
}

}  // namespace

Result<std::vector<CommitSummary>> read_history(objects::ObjectStore& store, sql::Engine& engine,
                                                const std::string& name, std::size_t limit) {
  LogReader reader(store, engine, name);
  TRY_ASSIGN(const auto commits, reader.list_commits());
  if (commits.empty()) return fail(ErrorCode::kNotFound, "there is no table " + name);
  std::vector<CommitSummary> history;
  for (const TimedCommit& at : commits | std::views::reverse | std::views::take(limit)) {
    TRY_ASSIGN(const auto commit, reader.read_commit(at.version));
    if (!commit) break;  // Cleaned away since it was listed; those before it too.
    history.push_back(summarise(at, *commit));
  }
  return history;
}

}  // namespace pinflow::delta
