#include "stream/stream_lane.h"

#include <atomic>
#include <fstream>
#include <latch>

#include "log/embedded_log.h"
#include "stream/lane_fixture.h"

namespace pinflow::stream {
namespace {

using namespace std::chrono_literals;

class RunningLane : public LaneFixture {
 protected:
  StreamContext context() { return {log_, *store_, *engine_, statements_, clock_, logger_}; }
  void make_streams() {
    for (const records::Kind kind : records::kKinds) make_topic(options_.names.stream(kind));
  }
  void append(records::Kind kind, int count) {
    for (int i = 0; i < count; ++i) {
      log_.append(options_.names.stream(kind), 0,
                  {fmt::format(R"({{"{}":{}}})", kind == records::Kind::kPin ? "index" : "ind", i)});
    }
  }

  StreamOptions options_{.pipeline_id = "p1", .commit_interval = 20ms, .discovery_interval = 1h};
  SystemClock clock_;
  Random random_{5};
};

TEST_F(RunningLane, TakesAllKindsIntoTheirTables) {
  StreamLane lane(options_, context(), random_);
  ASSERT_TRUE(lane.wait_until_caught_up(30s, {}));
  make_streams();
  for (int round = 1; round <= 3; ++round) {
    for (const records::Kind kind : records::kKinds) append(kind, 10);
    const auto waited = lane.wait_until_caught_up(30s, {});
    ASSERT_TRUE(waited) << waited.error().message;
    for (const records::Kind kind : records::kKinds) {
      EXPECT_EQ(places(options_.names.table(kind)).size(), 10u * static_cast<unsigned>(round));
    }
  }
  for (const TableStatus& status : lane.status()) {
    EXPECT_EQ(status.rows, 30);
    EXPECT_EQ(status.partitions.at(0).lag, 0);
    EXPECT_TRUE(status.last_commit);
  }
}

TEST_F(RunningLane, OneBrokenKindStopsNoOther) {
  const std::filesystem::path sql = folder_ / "sql";
  std::filesystem::create_directories(sql / "clean");
  std::ofstream(sql / "clean" / "pin.sql")
      << "-- name: pin\n-- description: broken\nSELECT nothing_such FROM raw_pin;\n";
  auto statements = sql::Statements::load(sql);
  ASSERT_TRUE(statements) << statements.error().message;
  statements_ = std::move(*statements);
  make_streams();
  for (const records::Kind kind : records::kKinds) append(kind, 5);
  StreamLane lane(options_, context(), random_);
  // Waiting ends in vain for the one; by then, or a little later on a busy machine, the others are done.
  auto statuses = lane.status();
  for (int i = 0; i < 100 && (statuses[1].rows < 5 || statuses[2].rows < 5 || statuses[0].error.empty()); ++i) {
    const auto waited = lane.wait_until_caught_up(200ms, {});
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code, ErrorCode::kUnavailable);
    statuses = lane.status();
  }
  EXPECT_NE(statuses[0].error.find("nothing_such"), std::string::npos) << statuses[0].error;
  EXPECT_EQ(places("pinterest_geo_table").size(), 5u);
  EXPECT_EQ(places("pinterest_user_table").size(), 5u);
}

// Holds what is put below one folder until it is let go.
class SlowFolder final : public objects::ObjectStore {
 public:
  SlowFolder(objects::ObjectStore& inner, std::string folder) : inner_(inner), folder_(std::move(folder)) {}
  ~SlowFolder() override { let_go(); }
  void let_go() {
    if (!open_.exchange(true)) gate_.count_down();
  }
  Result<void> put(const std::string& name, std::string_view bytes) override {
    wait(name);
    return inner_.put(name, bytes);
  }
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    wait(name);
    return inner_.put_new(name, bytes);
  }
  Result<void> put_file(const std::string& name, const disk::Path& local) override {
    wait(name);
    return inner_.put_file(name, local);
  }
  Result<void> remove(const std::string& name) override { return inner_.remove(name); }
  Result<std::string> get(const std::string& name) override { return inner_.get(name); }
  Result<objects::ObjectInfo> describe(const std::string& name) override { return inner_.describe(name); }
  Result<std::vector<objects::ObjectInfo>> list(const std::string& prefix, const std::string& after,
                                                std::size_t limit) override {
    return inner_.list(prefix, after, limit);
  }
  Result<disk::Path> local_copy(const std::string& name) override { return inner_.local_copy(name); }
  Result<disk::Path> scratch(std::string_view suffix) override { return inner_.scratch(suffix); }

 private:
  void wait(const std::string& name) {
    if (name.starts_with(folder_)) gate_.wait();
  }
  objects::ObjectStore& inner_;
  const std::string folder_;
  std::atomic<bool> open_{false};
  std::latch gate_{1};
};

TEST_F(RunningLane, OneSlowTableStopsNoOther) {
  make_streams();
  for (const records::Kind kind : records::kKinds) append(kind, 10);
  SlowFolder slow(*store_, "pinterest_pin_table/");
  {
    StreamLane lane(options_, {log_, slow, *engine_, statements_, clock_, logger_}, random_);
    auto statuses = lane.status();
    for (int i = 0; i < 100 && (statuses[1].rows < 10 || statuses[2].rows < 10); ++i) {
      ASSERT_FALSE(lane.wait_until_caught_up(200ms, {})) << "the pins wait for their store";
      statuses = lane.status();
    }
    EXPECT_EQ(places("pinterest_geo_table").size(), 10u);
    EXPECT_EQ(places("pinterest_user_table").size(), 10u);
    slow.let_go();
    ASSERT_TRUE(lane.wait_until_caught_up(30s, {}));
  }
  EXPECT_EQ(places("pinterest_pin_table").size(), 10u);
}

TEST_F(RunningLane, GoesOnWithTheEmbeddedLogAfterARestartOfBoth) {
  for (int round = 1; round <= 3; ++round) {
    auto log = log::open_embedded_log({.folder = folder_ / "log"}, *disk_, clock_, logger_);
    ASSERT_TRUE(log) << log.error().message;
    const std::string stream = options_.names.stream(records::Kind::kGeo);
    if (round == 1) {
      ASSERT_TRUE((*log)->create_topic({stream, 2, {}}));
    }
    if (round > 1) {
      // The lane before has told how far it came, for tools that show lags.
      std::int64_t told = 0;
      for (const auto& position : (*log)->committed_offsets("pinflow-stream").value()) told += position.offset.value();
      EXPECT_EQ(told, 20 * (round - 1));
    }
    StreamLane lane(options_, {**log, *store_, *engine_, statements_, clock_, logger_}, random_);
    std::latch answered(20);
    for (int i = 0; i < 20; ++i) {
      (*log)->produce(stream, log::PartitionId(i % 2), {{{}, fmt::format(R"({{"ind":{}}})", i), {}, {}}},
                      [&](const auto& results) {
                        EXPECT_TRUE(results[0]);
                        answered.count_down();
                      });
    }
    answered.wait();
    const auto waited = lane.wait_until_caught_up(30s, {});
    ASSERT_TRUE(waited) << waited.error().message;
    EXPECT_EQ(rows("pinterest_geo_table", "SELECT DISTINCT source_partition, source_offset FROM t").size(),
              20u * static_cast<unsigned>(round));
    EXPECT_EQ(places("pinterest_geo_table").size(), 20u * static_cast<unsigned>(round));
  }
}

TEST_F(RunningLane, TwoLanesAtOnceDoubleNothing) {
  make_streams();
  StreamLane one(options_, context(), random_);
  StreamLane two(options_, context(), random_);
  for (int round = 0; round < 6; ++round) {
    for (const records::Kind kind : records::kKinds) append(kind, 10);
    ASSERT_TRUE((round % 2 == 0 ? one : two).wait_until_caught_up(30s, {}));
  }
  for (const records::Kind kind : records::kKinds) {
    EXPECT_EQ(places(options_.names.table(kind)).size(), 60u);
    EXPECT_EQ(rows(options_.names.table(kind), "SELECT DISTINCT source_offset FROM t").size(), 60u);
  }
}

}  // namespace
}  // namespace pinflow::stream
