#include "migrate/lane_positions.h"

#include <filesystem>
#include <stdlib.h>

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/random.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "sink/object_name.h"

namespace pinflow::migrate {
namespace {

class LanePositions : public ::testing::Test {
 protected:
  LanePositions() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow_migrate_XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr, "the temporary folder can be made");
    folder_ = name;
    store_ = std::move(*objects::open_folder_store(*disk_, folder_ / "tables"));
    engine_ = std::move(*sql::open_engine({.memory_limit = ByteCount(std::uint64_t{256} << 20)}));
  }
  ~LanePositions() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  delta::TableContext context() { return {*store_, *engine_, clock_, random_, logger_}; }
  void make_table(const std::string& name, const std::vector<delta::Transaction>& transactions) {
    const auto table = delta::open_table(context(), {.name = name, .schema = {{"ind", "long"}}});
    ASSERT_TRUE(table);
    const auto session = engine_->connect();
    const auto files = (*table)->write_files(**session, "SELECT CAST(range AS BIGINT) AS ind FROM range(5)");
    ASSERT_TRUE(files);
    ASSERT_TRUE((*table)->append(*files, transactions));
  }
  std::map<std::string, std::int64_t> positions(const std::string& table) {
    return delta::read_snapshot(*store_, *engine_, table)->transactions;
  }

  std::filesystem::path folder_;
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  std::unique_ptr<objects::ObjectStore> store_;
  std::unique_ptr<sql::Engine> engine_;
  SystemClock clock_;
  Random random_{7};
  NullLogger logger_;
  const MovedTopic pin_{"pinterest.pin", Uuid::random(random_), Uuid::random(random_)};
  const MovedTopic geo_{"pinterest.geo", Uuid::random(random_), Uuid::random(random_)};
};

TEST_F(LanePositions, StandUnderTheNewIdsInEveryTable) {
  const std::string old_pin = pin_.from.to_string();
  const std::string new_pin = pin_.to.to_string();
  make_table("pinterest_pin_table",
             {{"id:pinterest_pin_table:" + old_pin + ":0", 41}, {"id:pinterest_pin_table:" + old_pin + ":1", 7}});
  make_table("batch_pin", {{"pinflow-batch/" + old_pin + "/pinterest.pin/0", 12}, {"pinflow-batch/made-by pin", 5}});
  make_table("other", {{"somebody else's", 3}});
  const std::vector<MovedTopic> topics = {pin_, geo_};

  EXPECT_EQ(count_table_positions(*store_, *engine_, topics)->positions, 3U);
  const auto moved = move_table_positions(context(), topics);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->tables, 2U);
  EXPECT_EQ(moved->positions, 3U);

  auto stream = positions("pinterest_pin_table");
  EXPECT_EQ(stream.at("id:pinterest_pin_table:" + new_pin + ":0"), 41);
  EXPECT_EQ(stream.at("id:pinterest_pin_table:" + new_pin + ":1"), 7);
  EXPECT_EQ(stream.size(), 4U);
  EXPECT_EQ(positions("batch_pin").at("pinflow-batch/" + new_pin + "/pinterest.pin/0"), 12);
  EXPECT_EQ(positions("other").size(), 1U);
  EXPECT_EQ(delta::read_snapshot(*store_, *engine_, "batch_pin")->rows(), 5);

  EXPECT_EQ(count_table_positions(*store_, *engine_, topics)->positions, 0U);
  EXPECT_EQ(move_table_positions(context(), topics)->tables, 0U);
}

TEST_F(LanePositions, NeverGoBackUnderTheNewId) {
  make_table("batch_pin", {{"pinflow-batch/" + pin_.from.to_string() + "/pinterest.pin/0", 12},
                           {"pinflow-batch/" + pin_.to.to_string() + "/pinterest.pin/0", 15}});
  ASSERT_TRUE(move_table_positions(context(), {pin_}));
  EXPECT_EQ(positions("batch_pin").at("pinflow-batch/" + pin_.to.to_string() + "/pinterest.pin/0"), 15);
}

TEST_F(LanePositions, TheSinkFindsItsObjectsUnderTheNewId) {
  const std::string name = sink::identity_name(pin_.name);
  const auto there = std::move(*objects::open_folder_store(*disk_, folder_ / "there"));
  ASSERT_TRUE(store_->put(name, pin_.from.to_string() + "\n"));
  for (objects::ObjectStore* const to : {there.get(), store_.get()}) {
    EXPECT_EQ(*move_sink_identities(*store_, *to, {pin_, geo_}), 1U);
    EXPECT_EQ(*to->get(name), pin_.to.to_string() + "\n");
    EXPECT_EQ(*move_sink_identities(*store_, *to, {pin_, geo_}), 0U);
  }
  EXPECT_FALSE(there->get(sink::identity_name(geo_.name)));
}

TEST_F(LanePositions, TheSinkFindsItsObjectsInAnotherPlaceUnderTheSameId) {
  const std::string name = sink::identity_name(pin_.name);
  const auto there = std::move(*objects::open_folder_store(*disk_, folder_ / "there"));
  ASSERT_TRUE(store_->put(name, pin_.from.to_string() + "\n"));
  EXPECT_EQ(*move_sink_identities(*store_, *there, {{pin_.name, pin_.from, pin_.from}}), 1U);
  EXPECT_EQ(*there->get(name), pin_.from.to_string() + "\n");
}

TEST_F(LanePositions, ObjectsOfAThirdTopicAreAConflict) {
  const std::string name = sink::identity_name(pin_.name);
  const auto there = std::move(*objects::open_folder_store(*disk_, folder_ / "there"));
  ASSERT_TRUE(store_->put(name, pin_.from.to_string() + "\n"));
  ASSERT_TRUE(there->put(name, geo_.from.to_string() + "\n"));
  const auto moved = move_sink_identities(*store_, *there, {pin_});
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(moved.error().message.contains(name)) << moved.error().message;
}

}  // namespace
}  // namespace pinflow::migrate
