#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "delta/table.h"
#include "log/reader_progress.h"
#include "records/raw_batch.h"
#include "stream/stream_lane.h"

namespace pinflow::stream::internal {

// The lane of one kind, all but its thread: one thread calls prepare(), fetch() and commit() in turns, tests too.
class KindLane {
 public:
  KindLane(records::Kind kind, StreamOptions options, const StreamContext& context, Random random);

  // Opens what is not open, looks for partitions, learns where they go on.
  void prepare();

  // Gathers a micro-batch, blocking until there is one, something else is to be done, or `wake` is requested.
  void fetch(const std::stop_token& wake);

  // Makes rows and dead letters of what fetch() gathered and commits them.
  void commit();

  // Lets the next prepare() look for topics and try again what waits for its back-off.
  void hurry();

  // As of now; lag is left to the caller.
  TableStatus status() const;
  std::map<log::TopicPartition, log::ReaderPlace> places() const;

 private:
  struct Partition {
    log::TopicPartition name;
    Uuid topic_id;
    std::optional<log::Offset> next;  // Empty: not known yet, or no longer.
    log::Offset dead_next;            // Dead letters below are stored.
    Backoff backoff;
    std::string error;
  };
  using Offsets = std::map<log::TopicPartition, log::Offset>;
  using Transactions = std::vector<delta::Transaction>;

  Result<void> open();
  Result<std::unique_ptr<delta::Table>> open_table(const std::string& name, const std::string& select,
                                                   const std::string& description);
  Result<void> load_empty();
  void close();
  void discover();
  Result<void> locate(Partition& partition);
  void forget_places();
  std::string app_id(const Partition& partition, const std::string& table) const;
  bool fetchable(const Partition& partition) const;
  std::chrono::milliseconds patience() const;
  Result<std::vector<log::FetchedPartition>> read(std::size_t min_bytes, std::chrono::milliseconds wait,
                                                  const std::stop_token& wake);
  void accept(std::vector<log::FetchedPartition> fetched);

  void parse(const log::FetchedPartition& fetched, const Partition& partition);
  Result<void> store();
  Result<void> store_dead_letters();
  Result<void> store_rows();
  Transactions transactions(const std::string& table, const Offsets& marks) const;
  Result<void> append(delta::Table& table, const std::vector<delta::DataFile>& files, const Transactions& transactions);
  void advance();
  void retreat(const Error& error);
  void failed(const Error& error);
  void failed(Partition& partition, Error error);
  void warn(const std::string& subject, const std::string& cause);

  // The temporary table of a batch's dead letters.
  static constexpr std::string_view kDeadLettersLoaded = "dead_letters";
  static std::string select_dead_letters();

  const records::Kind kind_;
  const StreamOptions options_;
  const std::string stream_;
  const std::string table_;
  const std::string raw_name_;  // Of the temporary table that the cleaning SQL reads.
  StreamContext context_;
  Random random_;

  std::unique_ptr<sql::Session> session_;
  std::unique_ptr<delta::Table> clean_;
  std::unique_ptr<delta::Table> dead_;
  std::string select_;
  std::map<log::TopicPartition, Partition> partitions_;
  SteadyTime discover_at_ = SteadyTime::min();
  SteadyTime commit_at_ = SteadyTime::min();  // Not before.
  bool busy_ = false;                         // The last batch was full: more is waiting.
  std::int64_t batch_records_;                // Shrinks while the engine has too little memory.

  // The micro-batch at hand.
  std::vector<log::FetchedPartition> fetched_;
  records::RawBatch rows_;
  records::DeadLetters dead_letters_;
  Offsets last_;       // Last offset, by partition.
  Offsets last_dead_;  // The same, of partitions with new dead letters.

  Backoff backoff_;
  SteadyTime warn_at_ = SteadyTime::min();
  std::uint64_t unwarned_ = 0;
  TableStatus totals_;
};

}  // namespace pinflow::stream::internal
