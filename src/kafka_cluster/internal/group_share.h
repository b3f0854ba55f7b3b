#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kafka_cluster/internal/client.h"
#include "log/share.h"

namespace pinflow::kafka_cluster {

// A member of a consumer group (cooperative-sticky): what the group leaves to this process is its share. Reads nothing itself. A thread
// of its own answers the group; before partitions go to others it waits until settled() says that nobody works on them, at most
// kLongestSettling.
class GroupShare final : public log::Share {
 public:
  static constexpr std::chrono::seconds kLongestSettling{10};

  static Result<std::unique_ptr<GroupShare>> join(const std::string& group, const std::vector<std::string>& topics,
                                                  const Cluster& cluster);
  ~GroupShare() override;

  log::Assignment assignment() const override;
  log::Assignment wait(std::uint64_t known, std::stop_token stop) override;
  Result<void> subscribe(const std::vector<std::string>& topics) override;
  void settled(std::uint64_t version) override;

  // As this member of the group. Safe from any thread.
  Result<void> commit(const std::vector<log::GroupOffset>& offsets);

 private:
  GroupShare(std::string group, const Cluster& cluster) : group_(std::move(group)), cluster_(cluster) {}
  void run(const std::stop_token& stop);
  void rebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* partitions);
  void assign(rd_kafka_topic_partition_list_t* partitions);
  void revoke(rd_kafka_topic_partition_list_t* partitions);

  const std::string group_;
  const Cluster cluster_;
  std::unique_ptr<Client> client_;
  QueueHandle queue_;
  mutable std::mutex mutex_;  // Of what follows.
  std::condition_variable_any changed_;
  std::set<log::TopicPartition> mine_;
  std::uint64_t version_ = 0;
  std::uint64_t settled_ = 0;
  bool is_leaving_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::kafka_cluster
