#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/environment.h"
#include "app/kafka_report.h"
#include "kafka_wire/cluster.h"

// What `pinflow topics` and `pinflow groups` ask of a Kafka broker: ours, or any other. All calls block.
namespace pinflow::app {

// Connects to `bootstrap`, or to the port of our own door where it is empty. An error says how to come to a broker.
Result<std::unique_ptr<kafka_wire::Cluster>> connect_kafka(const Environment& environment,
                                                           const std::string& bootstrap);

// Leaders of partitions, by name. A topic that is not there is kNotFound.
using Leaders = std::map<TopicPartitionName, std::int32_t>;
Result<Leaders> find_leaders(kafka_wire::Cluster& cluster, const std::vector<std::string>& topics);

// Offsets of a special timestamp of ListOffsetsRequest, or of the first record not older; -1 where there is none. Partitions
// without a leader, or whose leader does not tell, are left out.
using Offsets = std::map<TopicPartitionName, std::int64_t>;
Result<Offsets> list_offsets(kafka_wire::Cluster& cluster, const Leaders& partitions, std::int64_t timestamp);

// All topics, by name; those that the broker keeps for itself on request.
Result<std::vector<TopicListing>> list_topics(kafka_wire::Cluster& cluster, bool with_internal);
// Topics by name, or all that are not internal.
Result<std::vector<TopicDescription>> describe_topics(kafka_wire::Cluster& cluster, std::vector<std::string> names);

// The groups of all brokers, by name.
Result<std::vector<GroupListing>> list_groups(kafka_wire::Cluster& cluster);
// One group with members, positions and lag; kNotFound when nobody knows it.
Result<GroupDescription> describe_group(kafka_wire::Cluster& cluster, const std::string& group);

// Works out where a group would go on in these partitions. `current` holds its positions now.
Result<std::vector<ResetLine>> plan_reset(kafka_wire::Cluster& cluster, const Leaders& partitions,
                                          const Offsets& current, const ResetTarget& target);
// Commits the plan for a group without members.
Result<void> commit_reset(kafka_wire::Cluster& cluster, const std::string& group, const std::vector<ResetLine>& lines);

}  // namespace pinflow::app
