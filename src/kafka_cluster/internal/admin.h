#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka_cluster/internal/client.h"
#include "log/log.h"

namespace pinflow::kafka_cluster {

using TopicConfigs = std::vector<std::pair<std::string, std::string>>;

// A topic as the brokers describe it.
struct TopicShape {
  std::string name;
  std::int32_t partitions = 0;
  bool has_leaders = true;  // False: some partition has none at the moment.
};

// What is set for a topic.
struct TopicSettings {
  TopicConfigs own;                                // What it has itself.
  std::optional<std::size_t> max_message_bytes{};  // As it holds, whoever said so.
};

// Questions and orders to the brokers, each a round trip or a few on the caller's thread, at most the call timeout. Safe from any
// thread.
class Admin final {
 public:
  static Result<std::unique_ptr<Admin>> open(const Cluster& cluster);

  // Waits until a broker answers, at most the call timeout, and no longer once one would not have us. kUnavailable: none did.
  Result<void> reach();
  // All topics but those of the brokers themselves, by name. kUnavailable: nobody answers.
  Result<std::vector<TopicShape>> list_topics();
  // What the brokers call the cluster; empty where they do not say.
  std::string cluster_id();

  Result<void> create_topic(const log::TopicSpec& spec);
  Result<void> delete_topic(const std::string& name);
  Result<void> add_partitions(const std::string& topic, std::int32_t total);
  Result<void> alter_topic(const std::string& topic, const TopicConfigs& configs);
  // The settings of these topics, in their order. Empty: the broker that answered does not know the topic, which went meanwhile or came just now.
  // What may not be seen is as if nothing were set.
  Result<std::vector<std::optional<TopicSettings>>> topic_settings(const std::vector<std::string>& topics);
  Result<log::Offset> delete_records(const log::TopicPartition& partition, log::Offset before);

  Result<log::OffsetRange> offsets(const log::TopicPartition& partition);
  // The first offset whose record is not older than `time`; none: all are older.
  Result<std::optional<log::Offset>> find_time(const log::TopicPartition& partition, WallTime time);

  // In these topics.
  Result<std::vector<log::GroupOffset>> committed_offsets(const std::string& group,
                                                          const std::vector<log::Topic>& topics);
  // Only of a group without members.
  Result<void> commit_offsets(const std::string& group, const std::vector<log::GroupOffset>& offsets);

 private:
  explicit Admin(const Cluster& cluster) : cluster_(cluster) {}
  using Submit = std::function<void(rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* answers)>;
  Result<EventHandle> call(rd_kafka_admin_op_t operation, std::string_view context, const Submit& submit);
  // Says besides whether the error is that the group's coordinator is on the move.
  Result<void> commit_once(const std::string& group, const std::vector<log::GroupOffset>& offsets, bool& moving);
  int timeout_ms() const { return static_cast<int>(cluster_.options.call_timeout.count()); }
  Error failed(rd_kafka_resp_err_t error, std::string_view context, const char* reason = nullptr) const;

  const Cluster cluster_;
  std::unique_ptr<Client> client_;
};

}  // namespace pinflow::kafka_cluster
