#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "log/reader_progress.h"
#include "log/share.h"
#include "sink/internal/open_object.h"
#include "sink/internal/planned_partition.h"
#include "sink/sink.h"

namespace pinflow::sink::internal {

// The offsets that partitions shall reach without waiting for a full object.
using Targets = log::ReaderTargets;

// All of the sink but its thread: one thread calls work() and fetch() in turns, tests too.
class Worker {
 public:
  Worker(SinkOptions options, log::Log& log, objects::ObjectStore& store, const Clock& clock, Logger& logger,
         log::Share* share = nullptr);

  // Looks for topics, learns where new partitions go on, and puts what is full or due, and what has reached
  // its partition's target, if any.
  void work(const Targets& targets);

  // Fetches, blocking until there are records, work is due or `wake` is requested; puts what becomes full. Without
  // targets it lets records gather while objects are open.
  void fetch(const Targets& targets, const std::stop_token& wake);

  // Lets the next work() look for topics and try again what waits for its back-off.
  void hurry();

  // As of now; lag is left to the caller.
  SinkStatus status() const;
  std::map<log::TopicPartition, log::ReaderPlace> places() const;

 private:
  struct Partition {
    log::TopicPartition name;
    Uuid topic_id;
    std::optional<log::Offset> position;  // All before it is in objects. Empty: not known yet, or no longer.
    OpenObject open;
    std::unique_ptr<PlannedPartition> planned =
        {};                 // Instead of `open`, where objects are planned before they are put.
    bool must_put = false;  // What follows the open object does not fit into it.
    Backoff backoff;
    std::string error;
  };
  using Partitions = std::map<log::TopicPartition, Partition>;

  void discover();
  std::vector<std::pair<log::TopicPartition, Uuid>> our_partitions(const std::vector<log::Topic>& topics);
  void look_at_share(const std::vector<log::Topic>& topics);
  void let_go(Partition& partition, bool topic_is_gone);
  void locate_all();
  Result<log::Offset> locate(Partition& partition);
  Result<void> check_unplanned(const log::TopicPartition& partition);
  Result<void> claim_topic(const std::string& topic, const Uuid& id);
  Result<void> drop_hints(const std::string& topic);
  Result<log::Offset> hint(const log::TopicPartition& partition);
  Result<log::Offset> end_of(const log::TopicPartition& partition, log::Offset hint);
  Result<std::optional<log::Offset>> end_of_objects(const log::TopicPartition& partition, log::Offset from);
  Result<std::optional<log::Offset>> end_of_objects(const log::TopicPartition& partition, log::Offset from,
                                                    const NameForm& form);
  Result<log::Offset> check_against_log(const log::TopicPartition& partition, log::Offset next);

  bool full(const Partition& partition) const;
  bool fetchable(const Partition& partition) const;
  bool due(const Partition& partition, SteadyTime now) const;
  SteadyTime next_event() const;
  static std::size_t held_bytes(const Partition& partition);
  static log::Offset place_of(const Partition& partition);
  static void forget_place(Partition& partition);
  std::size_t open_bytes() const;
  void absorb(const log::FetchedPartition& fetched);
  void pass_gap(Partition& partition, log::Offset next);
  void put_due(const Targets& targets);
  void relieve_memory();
  bool put(Partition& partition);
  bool put_planned(Partition& partition);
  void absorb_planned(Partition& partition, const log::FetchedPartition& fetched);
  void save_hints();
  void failed(Partition& partition, Error error);
  void warn(std::string_view message, const std::string& subject, const std::string& cause);

  const SinkOptions options_;
  const bool plans_;  // Whether objects are planned before they are put.
  const TopicFilter filter_;
  const TimeZone zone_;
  const std::unique_ptr<Partitioner> partitioner_;
  log::Log& log_;
  objects::ObjectStore& store_;
  const Clock& clock_;
  Logger& logger_;
  log::Share* const share_;              // Null: all partitions are ours.
  std::vector<std::string> subscribed_;  // What the share is told, sorted.
  log::Assignment assigned_;             // As of the last look.
  Partitions partitions_;
  SteadyTime discover_at_ = SteadyTime::min();
  std::optional<std::vector<log::GroupOffset>> hints_;  // The group's commits, read when needed within one work().
  std::map<log::TopicPartition, log::Offset> unsaved_hints_;
  std::map<std::string, Uuid> claimed_;  // Topics whose objects are known to be of this topic id.
  Backoff log_backoff_;
  Backoff hint_backoff_;
  SteadyTime warn_at_ = SteadyTime::min();
  std::uint64_t unwarned_ = 0;
  SinkStatus totals_;
};

}  // namespace pinflow::sink::internal
