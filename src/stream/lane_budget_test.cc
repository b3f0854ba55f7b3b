// What the batches of several lanes hold at once: never more than their common budget, and none waits for another.
#include <gtest/gtest.h>

#include "stream/internal/kind_lane.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Records of all kinds that are nearly as large as records may be, and more than the budget holds.
class LaneBudget : public LaneFixture {
 protected:
  LaneBudget() {
    stopped_.request_stop();
    for (const records::Kind kind : records::kKinds) {
      fill(kind, kRecords);
      lanes_.push_back(make_lane(kind));
    }
  }
  void fill(records::Kind kind, int count) {
    make_topic(options_.names.stream(kind));
    for (int i = 0; i < count; ++i) {
      const std::string padding(kMiB - 100, 'x');
      log_.append(options_.names.stream(kind), 0, {fmt::format(R"({{"ind":{},"padding":"{}"}})", i, padding)});
    }
  }
  std::unique_ptr<internal::KindLane> make_lane(records::Kind kind) {
    return std::make_unique<internal::KindLane>(
        kind, options_, StreamContext{log_, *store_, *engine_, statements_, clock_, logger_}, Random(++seed_), budget_);
  }
  void gather(internal::KindLane& lane) {
    lane.prepare();
    lane.fetch(stopped_.get_token());
  }

  static constexpr int kRecords = 14;
  StreamOptions options_{.pipeline_id = "p1",
                         .max_batch_bytes = ByteCount(4 * kMiB),
                         .batch_memory = ByteCount(12 * kMiB)};  // A share of 2 MiB each, and 6 MiB for all.
  internal::BatchBudget budget_{options_.batch_memory, records::kKinds.size()};
  ManualClock clock_;
  std::stop_source stopped_;
  std::uint64_t seed_ = 0;
  std::vector<std::unique_ptr<internal::KindLane>> lanes_;
};

TEST_F(LaneBudget, HoldsForAllKindsTogetherAndIsGivenBack) {
  std::size_t least = budget_.common();
  for (int turn = 0; turn < 20; ++turn) {
    for (const auto& lane : lanes_) {
      gather(*lane);
      lane->commit();
      least = std::min(least, budget_.common());
    }
  }
  EXPECT_LT(least, 3 * kMiB) << "the lanes were behind and drew on it";
  EXPECT_EQ(budget_.common(), 6 * kMiB) << "all is given back";
  for (const auto& lane : lanes_) {
    EXPECT_EQ(lane->status().records, std::uint64_t{kRecords});
    EXPECT_EQ(lane->status().rows, kRecords);
    EXPECT_EQ(lane->status().last_error, "");
  }
}

TEST_F(LaneBudget, LetsAKindGoOnWhileAnotherHoldsAllItCan) {
  // The first has two batches on their way and a third fetched, and never commits again.
  for (int turn = 0; turn < 2; ++turn) {
    gather(*lanes_[0]);
    lanes_[0]->commit();
  }
  gather(*lanes_[0]);
  for (int turn = 0; turn < 20; ++turn) {
    gather(*lanes_[1]);
    lanes_[1]->commit();
  }
  EXPECT_EQ(lanes_[1]->status().records, std::uint64_t{kRecords});
  EXPECT_LT(lanes_[0]->status().records, std::uint64_t{kRecords});
}

TEST_F(LaneBudget, HoldsNothingOfTheOthersWithoutABatchOnItsWay) {
  options_.batches_at_once = 1;
  lanes_[0] = make_lane(records::Kind::kPin);
  for (int turn = 0; turn < 3; ++turn) {
    gather(*lanes_[0]);
    EXPECT_EQ(budget_.common(), 6 * kMiB) << "also while it is behind";
    lanes_[0]->commit();
  }
}

TEST_F(LaneBudget, GivesBackWhatABatchTurnedOutNotToNeed) {
  options_.names.prefix = "short";
  fill(records::Kind::kPin, 4);
  lanes_[0] = make_lane(records::Kind::kPin);
  gather(*lanes_[0]);
  lanes_[0]->commit();
  gather(*lanes_[0]);
  EXPECT_LT(budget_.common(), 6 * kMiB);
  EXPECT_GT(budget_.common(), 3 * kMiB) << "it asked for a batch of 4 MiB, and there were fewer records";
}

TEST_F(LaneBudget, MakesNoTinyBatchesWhileTheOthersHoldAll) {
  const auto held = budget_.take(6 * kMiB, false, true);
  ASSERT_EQ(budget_.common(), 0u);
  for (int turn = 0; turn < 20; ++turn) {
    gather(*lanes_[0]);
    lanes_[0]->commit();
  }
  EXPECT_EQ(lanes_[0]->status().records, std::uint64_t{kRecords});
  EXPECT_LE(lanes_[0]->status().commits, 5u) << "each batch is as large as its own share";
}

TEST_F(LaneBudget, TakesLargerBatchesWhileBehind) {
  gather(*lanes_[0]);
  lanes_[0]->commit();
  EXPECT_EQ(lanes_[0]->status().records, 0u) << "on its way";
  gather(*lanes_[0]);
  lanes_[0]->commit();
  const std::uint64_t first = lanes_[0]->status().records;
  EXPECT_LE(first, 3u) << "its own share of 2 MiB, which this log goes past by a record";
  gather(*lanes_[0]);
  lanes_[0]->commit();
  EXPECT_GE(lanes_[0]->status().records - first, 4u) << "a whole batch of 4 MiB";
}

}  // namespace
}  // namespace pinflow::stream
