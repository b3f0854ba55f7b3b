#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "delta/internal/table_state.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// When a commit was made as readers of Delta see it: the time of its file, but always after that of the commit before.
struct TimedCommit {
  Version version;
  WallTime time;
};

// Reads the log of one table from a store. Owned by one thread; store and engine outlive it.
class LogReader {
 public:
  // `name` is the table's folder in the store.
  LogReader(objects::ObjectStore& store, sql::Engine& engine, std::string name)
      : store_(store), engine_(engine), name_(std::move(name)) {}

  // The newest state: from the last checkpoint that can be read and the commits after it. kNotFound: no such
  // table.
  Result<TableState> load() { return load_until(std::nullopt); }
  // The state as of a version that is still there. kNotFound names the versions that are.
  Result<TableState> load_version(Version version) { return load_until(version); }
  // The newest version whose commit file is not younger than `time`. kNotFound: the log begins later.
  Result<Version> version_at(WallTime time);
  // All commits that are there with their times, oldest first.
  Result<std::vector<TimedCommit>> list_commits();
  // The commits after `version`, oldest first, each got by its name: cheap however long the log is. A log
  // whose tail behind a long idle snapshot was cleaned away looks as if it had ended; nothing of ours cleans
  // within a process's life.
  Result<std::vector<Commit>> commits_after(Version version);
  // One commit; nothing where it does not exist.
  Result<std::optional<Commit>> read_commit(Version version);
  // The state that one checkpoint holds, of one or several parts. kCorrupt: it is damaged.
  Result<TableState> read_checkpoint(Version version, std::int64_t parts);

 private:
  Result<TableState> load_until(std::optional<Version> last);
  struct Listing {
    std::vector<std::pair<Version, std::int64_t>> checkpoints;  // Complete ones with their parts, oldest first.
    std::vector<Version> commits;
    bool has_v2_checkpoint = false;
  };
  Result<Listing> list_log(Version from, std::optional<Version> last);
  Result<TableState> replay(TableState state, const std::vector<Version>& commits);
  std::string path(std::string_view below) const { return name_ + "/" + std::string(below); }

  objects::ObjectStore& store_;
  sql::Engine& engine_;
  std::string name_;
};

}  // namespace pinflow::delta::internal
