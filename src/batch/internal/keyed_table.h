#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "delta/table.h"
#include "sql/engine.h"

namespace pinflow::batch::internal {

// What a merge did to a table, in rows and files.
struct Merged {
  std::uint64_t added = 0;     // Rows of posts that the table did not have.
  std::uint64_t replaced = 0;  // Rows in the place of older ones of the same posts.
  std::uint64_t dropped = 0;   // Given rows that are older than what the table has.
  std::uint64_t files_rewritten = 0;
};

// SQL that holds where rows o and n are of one key. A post has a number; of a person anything may be unknown.
std::string same_key(const std::vector<std::string>& key);

// A Delta table with one row a key (a post by column `ind`, or a person), which takes in the rows of a day at the cost of the day: new rows go
// into files of their own, and of the old files only those are written anew that hold a row which gives way. Their key columns tell
// which, and of posts the statistics of the files before. Relations are temporary tables of the session. A change is written first, then commit() makes it the table's, with its
// transactions, in one commit: the store takes the files of several tables meanwhile. Owned by one thread; context and session outlive it.
class KeyedTable {
 public:
  // Opens or makes the table with the columns of `select`; `key` names those by which its rows are told apart.
  static Result<std::unique_ptr<KeyedTable>> open(const delta::TableContext& context, sql::Session& session,
                                                  const std::string& name, const std::string& description,
                                                  const std::string& select,
                                                  const std::vector<std::string>& key = {"ind"});

  // Puts the rows of a relation of posts in, of each post the one latest in the log: by source_offset, then source_partition, then source_topic
  // (the alphabetically first). The relation has one row a post, and loses those that are older than what the table has.
  Result<Merged> merge_latest(const std::string& relation, const std::vector<delta::Transaction>& transactions);

  // Puts the rows of `relation` in the place of all rows whose keys `keys` names, each once.
  Result<Merged> replace_rows(const std::string& keys, const std::string& relation,
                              const std::vector<delta::Transaction>& transactions);

  // Makes the rows of SELECTs, each in a file of its own, or of a relation, in several files, the whole content. A small relation is
  // kept as the table's own and is not there any more under its name.
  Result<void> replace_all(const std::vector<std::string>& selects,
                           const std::vector<delta::Transaction>& transactions);
  Result<void> replace_with(const std::string& relation, const std::vector<delta::Transaction>& transactions);

  // Waits until the store has the files of the last change, and commits it; nothing where there was none. It leaves the session alone, so
  // several tables may commit at the same time, each on a thread of its own.
  Result<void> commit();

  const delta::Snapshot& snapshot() const { return table_->snapshot(); }
  delta::Table& table() { return *table_; }
  // Paths of the live files that may hold one of the posts of a relation, by their statistics; of another key all.
  Result<std::vector<std::string>> files_that_may_hold(const std::string& keys) const;
  // All rows: of its files, or of the relation that they were made of in this run, where that is small enough to be kept.
  Result<std::string> select_all() const;
  // The rows of the posts between two, both included: of the files that may hold one of them.
  Result<std::string> select_posts(const delta::IntegerRange& posts) const;

 private:
  KeyedTable(const delta::TableContext& context, sql::Session& session, std::string name, std::vector<std::string> key);
  Result<std::vector<std::string>> files_of(const std::string& query) const;
  Result<delta::PendingFiles> write_relation(const std::string& relation);
  Result<void> write_without(const std::vector<std::string>& paths, delta::PendingFiles& files);
  std::vector<std::string> with_small_files(std::vector<std::string> removed) const;
  Result<void> write_merge(const std::vector<std::string>& touched, const std::string& relation,
                           const std::vector<delta::Transaction>& transactions);
  Result<std::uint64_t> number(const std::string& query) const;

  // What commit() is to do.
  struct Change {
    delta::PendingFiles files;
    std::optional<std::vector<std::string>> removed;  // Paths; empty: all.
    std::vector<delta::Transaction> transactions;
  };

  Random random_;  // Of its own, since it may be on another thread than its like.
  const delta::TableContext context_;
  sql::Session& session_;
  const std::string name_;
  const std::vector<std::string> key_;
  std::unique_ptr<delta::Table> table_;
  std::optional<Change> change_;
  std::string kept_;  // A relation with the rows of the snapshot; empty: none.
};

}  // namespace pinflow::batch::internal
