#include "groups/internal/group_snapshot.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "groups/internal/subscription.h"

namespace pinflow::groups {
namespace {

GroupSnapshot sample() {
  GroupSnapshot snapshot{5, WallTime(std::chrono::milliseconds(1'700'000'000'000)), "consumer", "range", "m1", {}};
  snapshot.members.push_back({"m1",
                              "instance",
                              "client",
                              "/127.0.0.1",
                              std::chrono::seconds(10),
                              std::chrono::seconds(60),
                              {{"range", "meta"}, {"sticky", std::string("\0\1", 2)}},
                              "part"});
  snapshot.members.push_back(
      {"m2", {}, "", "", std::chrono::seconds(10), std::chrono::seconds(60), {{"range", ""}}, ""});
  return snapshot;
}

TEST(GroupSnapshotBytes, HoldWhatWasPutIn) {
  const auto read = decode_snapshot(encode_snapshot(sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample());
  const GroupSnapshot empty{7, WallTime(std::chrono::milliseconds(1)), "consumer", "", "", {}};
  EXPECT_EQ(*decode_snapshot(encode_snapshot(empty)), empty);
}

TEST(GroupSnapshotBytes, AreWrittenAsDocumented) {
  GroupSnapshot snapshot = sample();
  snapshot.members.resize(1);
  snapshot.members[0].protocols.resize(1);
  std::string hex;
  for (const char byte : encode_snapshot(snapshot)) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  EXPECT_EQ(hex,
            "01"
            "00000005"
            "0000018bcfe56800"
            "00000008636f6e73756d6572"
            "0000000572616e6765"
            "000000026d31"
            "00000001"
            "000000026d31"
            "0100000008696e7374616e6365"
            "00000006636c69656e74"
            "0000000a2f3132372e302e302e31"
            "00002710"
            "0000ea60"
            "00000001"
            "0000000572616e6765"
            "000000046d657461"
            "0000000470617274");
}

TEST(GroupSnapshotBytes, CutOrLongerAreRefused) {
  const std::string bytes = encode_snapshot(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_snapshot(std::string_view(bytes).substr(0, size)).error().code, ErrorCode::kCorrupt) << size;
  EXPECT_FALSE(decode_snapshot(bytes + "x"));
}

TEST(GroupSnapshotBytes, OfALaterVersionAreRefusedInWords) {
  std::string bytes = encode_snapshot(sample());
  bytes[0] = 2;
  const auto read = decode_snapshot(bytes);
  EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  EXPECT_NE(read.error().message.find("newer program"), std::string::npos);
}

TEST(GroupSnapshotBytes, OfAGroupThatCannotBeAreRefused) {
  const auto refused = [](auto change) {
    GroupSnapshot snapshot = sample();
    change(snapshot);
    return !decode_snapshot(encode_snapshot(snapshot));
  };
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.leader = "nobody"; }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.generation = -1; }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.members[1].id = "m1"; }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.members[1].instance_id = "instance"; }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.members[1].protocols.clear(); }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.members[1].session_timeout = {}; }));
  EXPECT_TRUE(refused([](GroupSnapshot& group) { group.members.clear(); }));
}

TEST(GroupSnapshotBytes, FlippedStopNobody) {
  Random random(1);
  const std::string good = encode_snapshot(sample());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips)
      bytes[random.below(bytes.size())] = static_cast<char>(random());
    (void)decode_snapshot(bytes);
    (void)subscribed_topics(bytes);
  }
}

TEST(Subscription, GivesTopicsOfEveryVersion) {
  const std::string topics("\0\0\0\2\0\1a\0\2bc", 11);
  const std::vector<std::string> expected{"a", "bc"};
  EXPECT_EQ(subscribed_topics(std::string("\0\0", 2) + topics), expected);
  EXPECT_EQ(subscribed_topics(std::string("\0\3", 2) + topics + "more of later versions"), expected);
  EXPECT_EQ(subscribed_topics(std::string("\xff\xff", 2) + topics), std::nullopt);
  EXPECT_EQ(subscribed_topics(std::string("\0\0", 2) + topics.substr(0, 10)), std::nullopt);
  EXPECT_EQ(subscribed_topics(""), std::nullopt);
}

}  // namespace
}  // namespace pinflow::groups
