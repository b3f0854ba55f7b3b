#include "records/unknown_members.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "records/raw_batch.h"

namespace pinflow::records {
namespace {

Source at(std::int64_t offset) {
  return {.topic = "pinterest.pin", .partition = 1, .offset = offset};
}

TEST(UnknownMembersTest, CountByNameAndRememberTheFirstPlace) {
  UnknownMembers members;
  EXPECT_TRUE(members.empty());
  members.count("likes", at(5));
  members.count("board", at(6));
  members.count("likes", at(7));
  const std::vector<UnknownMember> wanted{{"board", 1, "pinterest.pin", 1, 6}, {"likes", 2, "pinterest.pin", 1, 5}};
  EXPECT_EQ(members.by_name(), wanted);
  EXPECT_EQ(members.others(), 0u);
}

TEST(UnknownMembersTest, CountFurtherNamesTogether) {
  UnknownMembers members;
  for (std::size_t i = 0; i < UnknownMembers::kMostNames + 3; ++i) members.count(fmt::format("m{:03}", i), at(0));
  members.count("m000", at(9));
  EXPECT_EQ(members.by_name().size(), UnknownMembers::kMostNames);
  EXPECT_EQ(members.by_name().front().times, 2u);
  EXPECT_EQ(members.others(), 3u);
  UnknownMembers sum;
  sum.count("another", at(1));
  EXPECT_EQ(sum.add(members).size(), UnknownMembers::kMostNames - 1) << "there is room for so many more";
  EXPECT_EQ(sum.by_name().size(), UnknownMembers::kMostNames);
  EXPECT_EQ(sum.others(), 4u);
}

TEST(UnknownMembersTest, TellWhichNamesAreNewInASum) {
  UnknownMembers sum, batch;
  sum.count("likes", at(1));
  batch.count("likes", at(2));
  batch.count("board", at(3));
  const auto added = sum.add(batch);
  ASSERT_EQ(added.size(), 1u);
  EXPECT_EQ(added[0].name, "board");
  EXPECT_EQ(added[0].offset, 3);
  EXPECT_EQ(sum.by_name()[1].times, 2u);
  EXPECT_EQ(sum.by_name()[1].offset, 1);
  EXPECT_TRUE(sum.add(batch).empty());
  sum.clear();
  EXPECT_TRUE(sum.empty());
}

TEST(UnknownMembersTest, CutLongNamesBetweenCharacters) {
  UnknownMembers members;
  const std::string name = std::string(UnknownMembers::kMostNameBytes - 1, 'a') + "\xc3\xa9";
  members.count(name, at(1));
  members.count(name + "more", at(2));
  ASSERT_EQ(members.by_name().size(), 1u);
  EXPECT_EQ(members.by_name()[0].name, std::string(UnknownMembers::kMostNameBytes - 1, 'a'));
  EXPECT_EQ(members.by_name()[0].times, 2u);
}

}  // namespace
}  // namespace pinflow::records
