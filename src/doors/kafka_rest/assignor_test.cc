#include "doors/kafka_rest/assignor.h"

#include <gtest/gtest.h>

namespace pinflow::doors::kafka_rest {
namespace {

const std::vector<SubscribedMember> kTwo = {{"b", {"t", "u"}}, {"a", {"u", "t"}}};

TEST(RangeAssignor, GivesNeighboursAndTheFirstMembersMore) {
  EXPECT_EQ(assign_range(kTwo, {{"t", 3}, {"u", 2}}),
            (MemberParts{{"a", {{"t", {0, 1}}, {"u", {0}}}}, {"b", {{"t", {2}}, {"u", {1}}}}}));
  EXPECT_EQ(assign_range({{"a", {"t"}}, {"b", {"t"}}, {"c", {"t"}}}, {{"t", 2}}),
            (MemberParts{{"a", {{"t", {0}}}}, {"b", {{"t", {1}}}}, {"c", {}}}));
}

TEST(RangeAssignor, GivesATopicToItsReadersOnly) {
  EXPECT_EQ(assign_range({{"a", {"t"}}, {"b", {"t", "u"}}, {"c", {}}}, {{"t", 2}, {"u", 2}, {"unread", 4}}),
            (MemberParts{{"a", {{"t", {0}}}}, {"b", {{"t", {1}}, {"u", {0, 1}}}}, {"c", {}}}));
}

TEST(RoundRobinAssignor, GoesAroundOverAllTopics) {
  EXPECT_EQ(assign_round_robin(kTwo, {{"t", 3}, {"u", 2}}),
            (MemberParts{{"a", {{"t", {0, 2}}, {"u", {1}}}}, {"b", {{"t", {1}}, {"u", {0}}}}}));
}

TEST(RoundRobinAssignor, PassesOverWhoDoesNotRead) {
  EXPECT_EQ(assign_round_robin({{"a", {"t"}}, {"b", {"t", "u"}}, {"c", {}}}, {{"t", 2}, {"u", 2}, {"unread", 4}}),
            (MemberParts{{"a", {{"t", {0}}}}, {"b", {{"t", {1}}, {"u", {0, 1}}}}, {"c", {}}}));
}

TEST(Assignors, KnowGroupsWithoutMembersAndTopicsWithoutPartitions) {
  EXPECT_EQ(assign_range({}, {{"t", 3}}), MemberParts());
  EXPECT_EQ(assign_round_robin({}, {{"t", 3}}), MemberParts());
  EXPECT_EQ(assign_round_robin({{"a", {"t"}}}, {{"t", 0}}), (MemberParts{{"a", {}}}));
}

}  // namespace
}  // namespace pinflow::doors::kafka_rest
