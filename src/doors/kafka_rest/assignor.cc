#include "doors/kafka_rest/assignor.h"

#include <algorithm>

namespace pinflow::doors::kafka_rest {

namespace {

MemberParts begin(std::vector<SubscribedMember>& members) {
  std::ranges::sort(members, {}, &SubscribedMember::member_id);
  MemberParts parts;
  for (auto& member : members) {
    std::ranges::sort(member.topics);
    parts[member.member_id];
  }
  return parts;
}

bool reads(const SubscribedMember& member, const std::string& topic) {
  return std::ranges::binary_search(member.topics, topic);
}

}  // namespace

MemberParts assign_range(std::vector<SubscribedMember> members, const PartitionCounts& counts) {
  MemberParts parts = begin(members);
  for (const auto& [topic, count] : counts) {
    std::vector<const SubscribedMember*> readers;
    for (const auto& member : members) {
      if (reads(member, topic)) readers.push_back(&member);
    }
    std::int32_t next = 0;
    for (std::size_t i = 0; i < readers.size(); ++i) {
      const auto total = static_cast<std::int32_t>(readers.size());
      const auto rank = static_cast<std::int32_t>(i);
      const std::int32_t share = count / total + (rank < count % total ? 1 : 0);
      auto& mine = parts[readers[i]->member_id];
      for (std::int32_t end = next + share; next < end; ++next) mine[topic].push_back(next);
    }
  }
  return parts;
}

MemberParts assign_round_robin(std::vector<SubscribedMember> members, const PartitionCounts& counts) {
  MemberParts parts = begin(members);
  std::size_t turn = 0;
  for (const auto& [topic, count] : counts) {
    if (std::ranges::none_of(members, [&](const auto& member) { return reads(member, topic); })) continue;
    for (std::int32_t partition = 0; partition < count; ++partition) {
      while (!reads(members[turn % members.size()], topic)) ++turn;
      parts[members[turn++ % members.size()].member_id][topic].push_back(partition);
    }
  }
  return parts;
}

}  // namespace pinflow::doors::kafka_rest
