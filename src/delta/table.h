#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "base/strong.h"
#include "delta/data_file.h"
#include "delta/pending_files.h"
#include "objects/object_store.h"
#include "sql/engine.h"

namespace pinflow::delta {

using Version = Strong<struct VersionTag, std::int64_t>;

// A column; `type` in Delta's words: long, integer, double, boolean, string, binary, timestamp, date, or
// array<one of these>.
struct Field {
  std::string name;
  std::string type;
  friend bool operator==(const Field&, const Field&) = default;
};

// The position of one source in a table (the `txn` action): what lies at or below `version` is in the table.
struct Transaction {
  std::string app_id;
  std::int64_t version = 0;
};

struct Snapshot {
  Version version{-1};
  std::string table_id;
  std::vector<Field> schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, DataFile> files;             // Live files by path.
  std::map<std::string, std::int64_t> transactions;  // Latest version by app id.
  std::int64_t rows() const;
  std::uint64_t bytes() const;
};

struct TableSpec {
  std::string name;  // Folder in the store: "pinterest_pin_table".
  std::vector<Field> schema;
  std::string description = {};
  std::int64_t checkpoint_interval = 100;  // Commits between checkpoints.
  bool append_only =
      false;  // Declares delta.appendOnly where the table is made: nobody may replace or delete rows then.
  // Columns of the schema (date, string, boolean or a whole number) by whose values rows lie in files of their own.
  std::vector<std::string> partition_columns = {};
};

// What a table stands on; all of it outlives the tables.
struct TableContext {
  objects::ObjectStore& store;
  sql::Engine& engine;
  const Clock& clock;
  Random& random;  // Used by the thread that the table is on.
  Logger& logger;
};

// One Delta Lake table (protocol reader 1, writer 2) that we write: data files as Parquet, a transaction log
// of commits made by put-if-absent, checkpoints. Owned by one thread; other processes may write the same
// table, the commit protocol arbitrates. Contract: the Delta transaction log protocol; what we write of it is
// in docs/formats/delta.md.
class Table {
 public:
  virtual ~Table() = default;

  // Writes the rows of a SELECT into new durable data files with statistics: at most one, or in a partitioned table one for
  // each partition value. They are not in the table before a commit names them; none where the SELECT gives no rows. The
  // SELECT gives all columns, in order. For a partitioned table it runs twice and must give the same rows both times.
  // kInvalid: other columns (named), or rows of more than 1,000 partition values. After an error no file is left.
  Result<std::vector<DataFile>> write_files(sql::Session& session, std::string_view select);
  // The same, but goes on while the store still takes the files: they are durable once they are taken from what is returned. So the next ones
  // are made meanwhile, of this table or another.
  virtual Result<PendingFiles> begin_files(sql::Session& session, std::string_view select) = 0;

  // Adds files and moves source positions in one commit. kConflict: another writer moved one of these
  // positions since the snapshot (our twin was faster): nothing was written, the snapshot is reloaded, the
  // caller re-reads its positions. Appends of others are no conflict. Success: durable and visible to every
  // reader.
  virtual Result<Version> append(const std::vector<DataFile>& files, const std::vector<Transaction>& transactions) = 0;

  // Replaces all rows by those of `files` in one commit; readers see the old or the new. kConflict: somebody
  // else wrote meanwhile.
  virtual Result<Version> replace(const std::vector<DataFile>& files, const std::vector<Transaction>& transactions) = 0;

  // Puts `files` in place of live files that hold the same rows, in one commit that readers of changes pass over
  // (dataChange=false). Appends of others meanwhile are no conflict. kConflict: one of `replaced` is not there any more, or the
  // schema changed; nothing was written. kInvalid: the rows of both sides do not add up, in each partition.
  virtual Result<Version> rewrite(const std::vector<std::string>& replaced, const std::vector<DataFile>& files) = 0;

  // Takes live files out and puts others in, whose rows are others, and moves source positions, in one commit. kConflict: one of `removed`
  // is not there any more, another writer moved one of these positions since the snapshot, or the schema changed; nothing was written.
  virtual Result<Version> merge(const std::vector<std::string>& removed, const std::vector<DataFile>& files,
                                const std::vector<Transaction>& transactions) = 0;

  // Deletes a file that write_files made and no commit names.
  virtual void discard(const DataFile& file) = 0;

  virtual const Snapshot& snapshot() const = 0;  // As of the last load or commit.
  virtual Result<void> refresh() = 0;            // Reads what others committed since.
};

// Opens the table, making it with version 0 where it is missing. kInvalid: the stored schema or partitioning is another,
// or the table asks for features that this writer does not have (named).
Result<std::unique_ptr<Table>> open_table(const TableContext& context, const TableSpec& spec);

// Which state of a table: its newest, that of a version, or the one that readers saw at a moment (the newest commit whose file is not
// younger; times of files never go backwards, as readers of Delta take them).
using AsOf = std::variant<std::monostate, Version, WallTime>;

// Reads a state of a table, ours or another writer's, without being able to write it. kNotFound: no such table, or no such version
// any more; the message names those that can be read.
Result<Snapshot> read_snapshot(objects::ObjectStore& store, sql::Engine& engine, const std::string& name,
                               const AsOf& as_of = {});

// The SELECT that gives the rows of these live files of a snapshot, as text: `SELECT ... FROM read_parquet([...])`, in their order
// where they are of one partition; without any, one without rows and with the right columns.
Result<std::string> select_files(objects::ObjectStore& store, const std::string& name, const Snapshot& snapshot,
                                 const std::vector<std::string>& paths);

// The same with one more column at the end: the path of the file that the row lies in, as the snapshot names it. kInvalid: the table
// is partitioned.
Result<std::string> select_files_with_paths(objects::ObjectStore& store, const std::string& name,
                                            const Snapshot& snapshot, const std::vector<std::string>& paths,
                                            std::string_view path_column);

// The same of all live files.
Result<std::string> select_all(objects::ObjectStore& store, const std::string& name, const Snapshot& snapshot);

// Least and greatest value of a column of whole numbers in a file, as its statistics tell; empty where they do not.
struct IntegerRange {
  std::int64_t least = 0;
  std::int64_t greatest = 0;
};
std::optional<IntegerRange> integer_range(const DataFile& file, const std::string& column);

// The names of the tables in a store: folders with a _delta_log.
Result<std::vector<std::string>> list_tables(objects::ObjectStore& store);

}  // namespace pinflow::delta
