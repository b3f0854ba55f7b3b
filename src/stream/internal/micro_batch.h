#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delta/table.h"
#include "records/raw_batch.h"
#include "stream/stream_lane.h"

namespace pinflow::stream::internal {

// What a micro-batch takes of one partition.
struct Slice {
  log::FetchedPartition fetched;
  Uuid topic_id;
  log::Offset from;                  // Records below are passed over.
  std::optional<log::Offset> until;  // So are these and those above.
  log::Offset dead_next;             // Dead letters below are stored already.
};

// How far one partition is through with a batch.
struct Mark {
  Uuid topic_id;
  log::Offset last;  // The last offset that the batch contains or rejects.
  bool has_dead_letters = false;
};
using Marks = std::map<log::TopicPartition, Mark>;

// One micro-batch from records to data files that are ready to be committed. It has a session of its own and a handle of the table
// that only writes files, so several are made at the same time. One thread at a time uses it; the context outlives it.
class MicroBatch final {
 public:
  MicroBatch(records::Kind kind, const StreamOptions& options, const StreamContext& context, Random random);

  // Connects to the engine and loads the tables that the statements read, without rows. open() has done it already where it is open.
  Result<sql::Session*> open();
  void close();

  // Parses the records, cleans them with `select` and writes the rows into data files of the table. kOverloaded: fewer records at
  // once may do.
  Result<void> make(std::vector<Slice> slices, const std::string& select, const delta::TableSpec& spec);
  // Writes the dead letters into a data file of their table.
  Result<std::vector<delta::DataFile>> write_dead_letters(delta::Table& table);
  // Deletes the data files, which no commit names.
  void discard();

  // Gives back the memory of a large batch. What is of the batch that was made last is gone then.
  void release();

  // Of the batch that was made last.
  const Marks& marks() const { return marks_; }
  const std::vector<delta::DataFile>& files() const { return files_; }
  std::size_t rows() const { return rows_.batch().rows(); }
  std::size_t dead_letters() const { return dead_letters_.batch().rows(); }
  const records::UnknownMembers& unknown_members() const { return rows_.unknown_members(); }

  static std::string select_dead_letters();
  // The statement with one more column, the members that no column takes.
  static std::string with_unknown_members(const std::string& select);

 private:
  Result<void> load_rows();
  void parse(const Slice& slice);
  Result<void> write_rows(const std::string& select, const delta::TableSpec& spec);

  const records::Kind kind_;
  const std::string stream_;
  const bool by_date_;
  const bool keeps_unknown_;
  const std::string raw_name_;  // Of the temporary table that the cleaning SQL reads.
  const StreamContext& context_;
  Random random_;
  std::unique_ptr<sql::Session> session_;
  std::unique_ptr<delta::Table> writer_;
  records::RawBatch rows_;
  records::DeadLetters dead_letters_;
  Marks marks_;
  std::vector<delta::DataFile> files_;
  std::set<std::chrono::sys_days> dates_;  // On which its rows arrived; only of a table that is partitioned by them.
};

}  // namespace pinflow::stream::internal
