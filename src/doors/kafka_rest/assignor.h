#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pinflow::doors::kafka_rest {

// What a group's member reads.
struct SubscribedMember {
  std::string member_id;
  std::vector<std::string> topics;
};
using PartitionCounts = std::map<std::string, std::int32_t>;          // By topic.
using TopicParts = std::map<std::string, std::vector<std::int32_t>>;  // Partitions by topic.
using MemberParts = std::map<std::string, TopicParts>;                // By member; every member has an entry.

// Share the partitions of topics among the members that read them, each partition to one, as Kafka's clients do. Pure. Topics
// that are not counted, or that nobody reads, are left out.
// Range: of each topic, neighbouring partitions to each member, in order of member ids; the first get one more.
MemberParts assign_range(std::vector<SubscribedMember> members, const PartitionCounts& counts);
// Round robin: all partitions of all topics in turn, each to the next member that reads its topic.
MemberParts assign_round_robin(std::vector<SubscribedMember> members, const PartitionCounts& counts);

}  // namespace pinflow::doors::kafka_rest
