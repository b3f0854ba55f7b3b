#include "kafka_cluster/internal/keyless_turns.h"

#include <gtest/gtest.h>

namespace pinflow::kafka_cluster {
namespace {

using log::PartitionId;

TEST(KeylessTurns, KeepToOnePartitionUntilThereIsEnoughForABatch) {
  const ManualClock clock;
  KeylessTurns turns(clock);
  constexpr std::size_t kCalls = KeylessTurns::kTurnBytes / 1'024;
  for (std::int32_t turn = 0; turn < 7; ++turn) {
    for (std::size_t i = 0; i < kCalls; ++i) EXPECT_EQ(turns.place("t", 3, 1'024), PartitionId(turn % 3)) << turn;
  }
}

TEST(KeylessTurns, GoOnWithTheNextCallAfterALargeOne) {
  const ManualClock clock;
  KeylessTurns turns(clock);
  EXPECT_EQ(turns.place("t", 2, 10 * KeylessTurns::kTurnBytes), PartitionId(0));
  EXPECT_EQ(turns.place("t", 2, 1), PartitionId(1));
  EXPECT_EQ(turns.place("t", 2, 1), PartitionId(1));
}

TEST(KeylessTurns, SpreadCallsThatComeSeldom) {
  ManualClock clock;
  KeylessTurns turns(clock);
  for (std::int32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(turns.place("t", 3, 1), PartitionId(i % 3));
    clock.advance(KeylessTurns::kTurnTime - std::chrono::milliseconds(1));
    EXPECT_EQ(turns.place("t", 3, 1), PartitionId(i % 3));
    clock.advance(std::chrono::milliseconds(1));
  }
}

// One topic's records would otherwise miss partitions whenever topics are written in a fixed order.
TEST(KeylessTurns, AreEachTopicsOwn) {
  const ManualClock clock;
  KeylessTurns turns(clock);
  for (std::int32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(turns.place("a", 4, KeylessTurns::kTurnBytes), PartitionId(i));
    EXPECT_EQ(turns.place("b", 4, KeylessTurns::kTurnBytes), PartitionId(i));
  }
}

TEST(KeylessTurns, StayWithinATopicThatBecameSmaller) {
  const ManualClock clock;
  KeylessTurns turns(clock);
  for (std::int32_t i = 0; i < 5; ++i) turns.place("t", 8, KeylessTurns::kTurnBytes);
  EXPECT_EQ(turns.place("t", 2, 1), PartitionId(1));
}

}  // namespace
}  // namespace pinflow::kafka_cluster
