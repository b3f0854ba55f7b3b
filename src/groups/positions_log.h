#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/queue.h"
#include "log/broker_log.h"

namespace pinflow::groups {

// What a coordinator needs of a log that is no broker's, such as a Kafka cluster: the positions of its groups lie in that log, which may
// wait for the network, so a thread of its own commits them; members and generations are this process's alone and end with it. So
// members of one group meet only in one process. The cluster itself ends old positions. What only a broker's log has is refused with
// kInvalid. At most 1,024 commits wait; past it kOverloaded. `log` must outlive it. Safe from any thread; the destructor answers what
// waits with kCancelled.
class PositionsLog final : public log::BrokerLog {
 public:
  explicit PositionsLog(log::Log& log);
  ~PositionsLog() override;

  void commit_offsets_later(std::string group, std::vector<log::GroupOffset> offsets, log::Done done) override;
  void delete_offsets(std::string group, std::vector<log::TopicPartition> partitions, log::Done done) override;
  void delete_old_offsets(std::string group, WallTime before, log::Done done) override;
  void delete_group(std::string group, log::Done done) override;
  std::vector<std::string> groups() override;  // Those that committed in this process.
  void store_group_state(std::string group, std::string state, log::Done done) override;
  std::vector<std::pair<std::string, std::string>> group_states() override;

  Result<log::Topic> create_topic(const log::TopicSpec& spec) override { return log_.create_topic(spec); }
  Result<void> delete_topic(const std::string& name) override { return log_.delete_topic(name); }
  Result<log::Topic> add_partitions(const std::string& topic, std::int32_t total) override {
    return log_.add_partitions(topic, total);
  }
  Result<log::Topic> alter_topic(const std::string& topic,
                                 std::vector<std::pair<std::string, std::string>> configs) override {
    return log_.alter_topic(topic, std::move(configs));
  }
  Result<log::Offset> delete_records(const log::TopicPartition& partition, log::Offset before) override {
    return log_.delete_records(partition, before);
  }
  Result<log::Topic> topic(const std::string& name) override { return log_.topic(name); }
  std::vector<log::Topic> topics() override { return log_.topics(); }
  void produce(const std::string& topic, log::PartitionId partition, std::vector<log::Record> records,
               log::ProduceDone done) override {
    log_.produce(topic, partition, std::move(records), std::move(done));
  }
  void produce_once(const std::string& topic, log::RequestMark mark, std::vector<log::Record> records,
                    std::vector<log::PartitionId> partitions, log::ProduceDone done) override {
    log_.produce_once(topic, mark, std::move(records), std::move(partitions), std::move(done));
  }
  Result<std::vector<log::FetchedPartition>> fetch(const log::FetchRequest& request, std::stop_token stop) override {
    return log_.fetch(request, std::move(stop));
  }
  Result<log::OffsetRange> offsets(const log::TopicPartition& partition) override { return log_.offsets(partition); }
  Result<std::optional<log::TimedOffset>> find_time(const log::TopicPartition& partition, WallTime time) override {
    return log_.find_time(partition, time);
  }
  std::unique_ptr<log::Watch> watch(std::span<const log::FetchPosition> positions,
                                    std::move_only_function<void()> ready) override {
    return log_.watch(positions, std::move(ready));
  }
  Result<void> commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets) override {
    return log_.commit_offsets(group, offsets);
  }
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group) override {
    return log_.committed_offsets(group);
  }
  Result<std::unique_ptr<log::Share>> join(const std::string& group, const std::vector<std::string>& topics) override;

  Result<log::Topic> topic_by_id(const Uuid& id) override;
  void append_batch(log::BatchAppend append, log::BatchDone done) override;
  Result<log::BatchRead> read_batches(const log::TopicPartition&, log::Offset, std::size_t, bool) override;
  Result<std::optional<log::TimedOffset>> find_latest_time(const log::TopicPartition&) override;
  Result<std::int32_t> leader_epoch(const log::TopicPartition&) override;
  Result<log::EpochEnd> epoch_end(const log::TopicPartition&, std::int32_t) override;
  Result<std::int64_t> new_producer_id() override;

 private:
  struct Commit {
    std::string group;
    std::vector<log::GroupOffset> offsets;
    log::Done done;
  };
  void run(const std::stop_token& stop);

  log::Log& log_;
  BoundedQueue<Commit> commits_;
  std::mutex mutex_;
  std::set<std::string> groups_;  // Protected by mutex_.
  std::jthread thread_;           // Last: it uses all of the above.
};

}  // namespace pinflow::groups
