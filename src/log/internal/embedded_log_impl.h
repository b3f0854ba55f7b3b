#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/embedded_log.h"
#include "log/internal/cleaner.h"
#include "log/internal/committer.h"
#include "log/internal/group_journal.h"
#include "log/internal/group_store.h"
#include "log/internal/producer_ids.h"
#include "log/internal/topic_table.h"
#include "log/whole_share.h"

namespace pinflow::log {

// Positions are few: at the level between they are synced like records at the strongest.
inline Durability journal_durability(const EmbeddedLogOptions& options) {
  return options.durability == Durability::kInterval ? Durability::kPower : options.durability;
}

// The embedded log: what stands behind each call is in embedded_log.cc (records, topics, opening), embedded_batches.cc (what
// brokers need of partitions) and embedded_groups.cc (consumer groups).
class EmbeddedLogImpl final : public EmbeddedLog {
 public:
  EmbeddedLogImpl(EmbeddedLogOptions options, disk::Disk& disk, const Clock& clock, Logger& logger)
      : options_(std::move(options)),
        disk_(disk),
        clock_(clock),
        logger_(logger),
        requests_(options_.request_window, options_.request_capacity),
        topics_({disk, logger, clock, options_.folder / "topics", options_.topic_defaults, options_.durability,
                 options_.read_only, &requests_}),
        producer_ids_(disk, clock, logger, options_.folder / "producer.ids"),
        journal_({disk, logger, options_.folder / "groups.journal", journal_durability(options_), options_.read_only}),
        groups_(journal_, topics_, clock) {}

  ~EmbeddedLogImpl() override;

  Result<void> open();

  const RecoveryReport& recovery() const override { return report_; }
  void clean_now() override {
    if (cleaner_) cleaner_->clean_now();
  }
  Result<Topic> create_topic(const TopicSpec& spec) override;
  Result<void> delete_topic(const std::string& name) override;
  Result<Topic> topic(const std::string& name) override;
  Result<Topic> topic_by_id(const Uuid& id) override;
  std::vector<Topic> topics() override { return topics_.list(); }
  void produce(const std::string& topic, PartitionId partition, std::vector<Record> records, ProduceDone done) override;
  void produce_once(const std::string& topic, RequestMark mark, std::vector<Record> records,
                    std::vector<PartitionId> partitions, ProduceDone done) override;
  Result<std::vector<FetchedPartition>> fetch(const FetchRequest& request, std::stop_token stop) override;
  Result<OffsetRange> offsets(const TopicPartition& partition) override;
  Result<void> commit_offsets(const std::string& group, const std::vector<GroupOffset>& offsets) override;
  Result<std::vector<GroupOffset>> committed_offsets(const std::string& group) override;
  Result<std::unique_ptr<Share>> join(const std::string&, const std::vector<std::string>& topics) override {
    return shares_.join(topics);
  }

  void append_batch(BatchAppend append, BatchDone done) override;
  Result<BatchRead> read_batches(const TopicPartition& partition, Offset from, std::size_t max_bytes,
                                 bool first_whole) override;
  std::unique_ptr<Watch> watch(std::span<const FetchPosition> positions,
                               std::move_only_function<void()> ready) override;
  Result<std::optional<TimedOffset>> find_time(const TopicPartition& partition, WallTime time) override;
  Result<std::optional<TimedOffset>> find_latest_time(const TopicPartition& partition) override;
  Result<std::int32_t> leader_epoch(const TopicPartition& partition) override;
  Result<EpochEnd> epoch_end(const TopicPartition& partition, std::int32_t epoch) override;
  Result<Topic> add_partitions(const std::string& topic, std::int32_t total) override;
  Result<Topic> alter_topic(const std::string& topic, TopicConfigs configs) override;
  Result<Offset> delete_records(const TopicPartition& partition, Offset before) override;
  Result<std::int64_t> new_producer_id() override;
  void commit_offsets_later(std::string group, std::vector<GroupOffset> offsets, Done done) override;
  void delete_offsets(std::string group, std::vector<TopicPartition> partitions, Done done) override;
  void delete_old_offsets(std::string group, WallTime before, Done done) override;
  void delete_group(std::string group, Done done) override;
  std::vector<std::string> groups() override;
  void store_group_state(std::string group, std::string state, Done done) override;
  std::vector<std::pair<std::string, std::string>> group_states() override;

 private:
  // What one pass over the positions of a fetch found.
  struct Collected {
    std::vector<FetchedPartition> partitions;
    std::size_t bytes = 0;
    bool failed = false;  // Some partition has an error, which ends the waiting.
  };

  // The file `running` tells the next opening whether this process ended in order, and at which level it wrote.
  disk::Path running_path() const { return options_.folder / "running"; }
  Result<bool> needs_new_epochs() const;
  std::vector<Uuid> topic_ids() const;
  Result<void> check_writable() const;
  Result<ProduceRequest> make_request(const std::string& topic, PartitionId partition, std::vector<Record>& records);
  void submit(Result<ProduceRequest> request, std::size_t count, ProduceDone done);
  Collected collect(const FetchRequest& request);
  // How far the partitions of a fetch go. None when one of them is gone.
  struct Reach {
    std::vector<FetchPosition> ends;  // Where the next record of each will be.
    std::uint64_t bytes = 0;          // That could be seen so far in all of them.
  };
  std::optional<Reach> reach_of(const FetchRequest& request) const;
  // Waits until one of the partitions goes beyond its end or is gone; false at the deadline or when stopped.
  bool wait_beyond(const std::vector<FetchPosition>& ends, std::chrono::steady_clock::time_point deadline,
                   std::stop_token stop);
  std::expected<BatchRequest, BatchRefusal> make_batch_request(BatchAppend& append);

  const EmbeddedLogOptions options_;
  disk::Disk& disk_;
  const Clock& clock_;
  Logger& logger_;
  std::unique_ptr<disk::FolderLock> lock_;
  RecoveryReport report_;
  RequestTable requests_;  // The committer's, once it runs.
  TopicTable topics_;
  WholeShares shares_{[this] { return topics_.list(); }};
  ProducerIds producer_ids_;
  GroupJournal journal_;
  GroupStore groups_;
  std::optional<Committer> committer_;  // Its thread uses what stands above. None when read-only.
  std::optional<Cleaner> cleaner_;      // Last, for the same reason. None when read-only.
};

}  // namespace pinflow::log
