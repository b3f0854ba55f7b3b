#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "delta/internal/table_state.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::delta::internal {

// Reads the log of one table from a store. Owned by one thread; store and engine outlive it.
class LogReader {
 public:
  // `name` is the table's folder in the store.
  LogReader(objects::ObjectStore& store, sql::Engine& engine, std::string name)
      : store_(store), engine_(engine), name_(std::move(name)) {}

  // The newest state: from the last checkpoint that can be read and the commits after it. kNotFound: no such
  // table.
  Result<TableState> load();
  // The commits after `version`, oldest first, each got by its name: cheap however long the log is. A log
  // whose tail behind a long idle snapshot was cleaned away looks as if it had ended; nothing of ours cleans
  // within a process's life.
  Result<std::vector<Commit>> commits_after(Version version);
  // One commit; nothing where it does not exist.
  Result<std::optional<Commit>> read_commit(Version version);
  // The state that one checkpoint holds, of one or several parts. kCorrupt: it is damaged.
  Result<TableState> read_checkpoint(Version version, std::int64_t parts);

 private:
  struct Listing {
    std::vector<std::pair<Version, std::int64_t>> checkpoints;  // Complete ones with their parts, oldest first.
    std::vector<Version> commits;
    bool has_v2_checkpoint = false;
  };
  Result<Listing> list_log(Version from);
  Result<TableState> replay(TableState state, const std::vector<Version>& commits);
  std::string path(std::string_view below) const { return name_ + "/" + std::string(below); }

  objects::ObjectStore& store_;
  sql::Engine& engine_;
  std::string name_;
};

}  // namespace pinflow::delta::internal
