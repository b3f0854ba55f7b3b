#include "stream/internal/table_keeper.h"

#include "stream/internal/kind_lane.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream::internal {
namespace {

class TableKeeperTest : public LaneFixture {
 protected:
  TableKeeperTest() {
    clock_.jump_wall(SystemClock().now() - clock_.now());
    make_topic(stream_);
    options_.commit_interval = std::chrono::milliseconds(0);
  }
  StreamContext context() { return {log_, *store_, *engine_, statements_, clock_, logger_}; }
  // Takes in records one commit at a time.
  void commit(KindLane& lane, int commits) {
    for (int i = 0; i < commits; ++i) {
      log_.append(stream_, 0, {fmt::format(R"({{"ind":{}}})", next_++)});
      lane.prepare();
      lane.fetch({});
      lane.commit();
    }
  }
  std::size_t files() { return delta::read_snapshot(*store_, *engine_, table_)->files.size(); }

  StreamOptions options_{.pipeline_id = "p1"};
  BatchBudget budget_{options_.batch_memory, 1};
  const std::string stream_ = options_.names.stream(records::Kind::kGeo);
  const std::string table_ = options_.names.table(records::Kind::kGeo);
  ManualClock clock_;
  int next_ = 0;
};

TEST_F(TableKeeperTest, PutsFilesTogetherWhileTheLaneGoesOnAndNoRowIsLostOrDoubled) {
  KindLane lane(records::Kind::kGeo, options_, context(), Random(3), budget_);
  TableKeeper keeper(options_, context(), Random(4));
  keeper.look_after({});  // No table yet.
  for (int round = 0; round < 3; ++round) {
    commit(lane, 8);
    keeper.look_after({});
  }
  commit(lane, 2);  // Behind a commit of the keeper's that the lane has not seen.
  EXPECT_LE(files(), 6U);
  EXPECT_EQ(places(table_).size(), 26U);
  EXPECT_EQ(rows(table_, "SELECT count(DISTINCT source_offset) FROM t")[0][0].to_text(), "26");
  EXPECT_TRUE(lane.status().error.empty()) << lane.status().error;
}

TEST_F(TableKeeperTest, RemovesReplacedFilesAfterTheirRetention) {
  KindLane lane(records::Kind::kGeo, options_, context(), Random(3), budget_);
  TableKeeper keeper(options_, context(), Random(4));
  commit(lane, 8);
  keeper.look_after({});
  const auto data_files = [&] { return store_->list(table_ + "/part-").value().size(); };
  EXPECT_EQ(data_files(), 9U);
  clock_.advance(std::chrono::hours(24 * 8));
  keeper.look_after({});
  EXPECT_EQ(data_files(), 1U);
  EXPECT_EQ(places(table_).size(), 8U);
}

}  // namespace
}  // namespace pinflow::stream::internal
