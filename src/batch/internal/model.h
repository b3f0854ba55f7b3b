#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "batch/internal/keyed_table.h"
#include "batch/internal/stored_table.h"
#include "batch/internal/workspace.h"
#include "delta/table.h"
#include "records/kind.h"
#include "sql/statements.h"

namespace pinflow::batch::internal {

using CleanedTables = std::map<records::Kind, std::unique_ptr<KeyedTable>>;

// How the posts came to be what they are.
struct PostsUpdate {
  bool rebuilt = false;
  std::string why;            // Of a rebuild: "the statement changed".
  std::uint64_t touched = 0;  // Else: posts of which a record came or changed.
  Merged merged;
};

// The model tables batch_posts and batch_people over the cleaned tables. Both say in their transactions from which version of each
// cleaned table they are made, so what changed since is read off the files of the versions, whoever changed them, and only those posts are
// made anew, and the people whose posts they are or were. Owned by one thread; all that it is given outlives it.
class Model {
 public:
  Model(const delta::TableContext& context, Workspace& workspace, const sql::Statements& statements,
        const CleanedTables& cleaned)
      : context_(context), workspace_(workspace), statements_(statements), cleaned_(cleaned) {}

  // Brings batch_posts and batch_people to the state of the cleaned tables; `rebuild`: from all of them.
  Result<PostsUpdate> update(bool rebuild);
  // The states of both tables, by name.
  const std::map<std::string, StoredTable>& tables() const { return tables_; }

 private:
  Result<PostsUpdate> write_posts(KeyedTable& posts, const sql::Statement& statement, bool rebuild);
  Result<void> write_people(KeyedTable& people, const sql::Statement& statement, bool rebuild);
  Result<std::optional<std::string>> why_rebuild(const delta::Snapshot& made, const std::string& name,
                                                 const sql::Statement& statement);
  // The files by which a cleaned table differs from an earlier version of its own.
  struct Changes {
    std::string came, went;  // Their rows, as SELECTs.
  };
  Result<Changes> changes_since(records::Kind kind, delta::Version version);
  Result<void> find_touched(const delta::Snapshot& made);
  Result<void> find_people(const delta::Snapshot& people);
  Result<void> show_all();
  Result<void> show_some(const std::string& posts);
  Result<std::vector<std::string>> whole_selects(const sql::Statement& statement);
  Result<void> show_made(const KeyedTable& table, const std::string& name, const sql::Statement& statement);
  std::vector<delta::Transaction> built_from(const std::string& name, const sql::Statement& statement) const;

  const delta::TableContext context_;
  Workspace& workspace_;
  const sql::Statements& statements_;
  const CleanedTables& cleaned_;
  std::map<std::string, StoredTable> tables_;
};

}  // namespace pinflow::batch::internal
