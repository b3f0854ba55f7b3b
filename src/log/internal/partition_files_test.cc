#include <gtest/gtest.h>

#include "log/internal/partition_state.h"
#include "log/internal/segment_index.h"

namespace pinflow::log {
namespace {

TEST(SegmentIndex, FindsTheEntryBeforeAnOffsetPlaceOrTime) {
  SegmentIndex index;
  EXPECT_FALSE(index.floor(Offset(0)));
  EXPECT_FALSE(index.before_time(0));
  for (int i = 0; i < 10; ++i)
    index.note({Offset(i * 10), static_cast<std::uint64_t>(i) * 8'192, i == 4 ? 1'000 : i * 100});
  EXPECT_EQ(index.max_timestamp(), 1'000);
  EXPECT_EQ(index.floor(Offset(0))->position, 0u);
  EXPECT_EQ(index.floor(Offset(39))->offset, Offset(20));
  EXPECT_EQ(index.floor(Offset(99))->offset, Offset(80));
  EXPECT_EQ(index.after(0)->offset, Offset(20));
  EXPECT_EQ(index.after(8 * 8'192), nullptr);
  EXPECT_EQ(index.before_time(-5)->offset, Offset(0));
  EXPECT_EQ(index.before_time(100)->offset, Offset(0));
  EXPECT_EQ(index.before_time(101)->offset, Offset(20));  // 100 stands before it.
  EXPECT_EQ(index.before_time(900)->offset, Offset(40));  // 1000 stands at it.
  EXPECT_EQ(index.before_time(2'000)->offset, Offset(80));
}

TEST(SegmentIndex, ComesBackFromItsFile) {
  SegmentIndex index;
  for (int i = 0; i < 10; ++i) index.note({Offset(5 + i), static_cast<std::uint64_t>(i) * 20'000, i}, i == 3);
  const std::string bytes = index.encode(Offset(5), Offset(15), 200'000);
  const auto back = SegmentIndex::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->base, Offset(5));
  EXPECT_EQ(back->end, Offset(15));
  EXPECT_EQ(back->size, 200'000u);
  EXPECT_EQ(back->index.encode(back->base, back->end, back->size), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x40);
    EXPECT_FALSE(SegmentIndex::decode(broken)) << i;
    EXPECT_FALSE(SegmentIndex::decode(bytes.substr(0, i))) << i;
  }
  EXPECT_TRUE(SegmentIndex::decode(SegmentIndex().encode(Offset(5), Offset(9), 0)));
}

TEST(PartitionState, ComesBackFromItsFile) {
  PartitionState state{Offset(7), {{0, Offset(0)}, {3, Offset(9)}}};
  const std::string bytes = state.encode();
  EXPECT_EQ(*PartitionState::decode(bytes), state);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x01);
    EXPECT_FALSE(PartitionState::decode(broken)) << i;
    EXPECT_FALSE(PartitionState::decode(bytes.substr(0, i))) << i;
  }
}

TEST(PartitionState, KnowsWhichEpochAnOffsetHasAndWhereEpochsEnd) {
  PartitionState state;
  state.begin_epoch(Offset(10));
  state.begin_epoch(Offset(20));
  state.begin_epoch(Offset(15));  // Records were lost: epoch 2 has none left.
  EXPECT_EQ(state.epochs, (std::vector<PartitionState::Epoch>{{0, Offset(0)}, {1, Offset(10)}, {3, Offset(15)}}));
  EXPECT_EQ(state.epoch_at(Offset(9)), 0);
  EXPECT_EQ(state.epoch_at(Offset(10)), 1);
  EXPECT_EQ(state.epoch_at(Offset(100)), 3);
  EXPECT_EQ(state.epoch_end(0, Offset(30)).end, Offset(10));
  EXPECT_EQ(state.epoch_end(2, Offset(30)).leader_epoch, 1);
  EXPECT_EQ(state.epoch_end(2, Offset(30)).end, Offset(15));
  EXPECT_EQ(state.epoch_end(9, Offset(30)).end, Offset(30));
  EXPECT_EQ(state.epoch_end(-1, Offset(30)).leader_epoch, -1);
}

}  // namespace
}  // namespace pinflow::log
