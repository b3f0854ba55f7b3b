#pragma once

#include <filesystem>
#include <memory>
#include <stdlib.h>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "delta/table.h"
#include "disk/real_disk.h"
#include "log/testing/memory_log.h"
#include "objects/folder_store.h"
#include "stream/stream_lane.h"

namespace pinflow::stream {

// A log in memory, and tables in a temporary folder with an engine to look at them.
class LaneFixture : public ::testing::Test {
 public:
  LaneFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow_stream_XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr, "the temporary folder can be made");
    folder_ = name;
    store_ = std::move(*objects::open_folder_store(*disk_, folder_));
    engine_ = std::move(*sql::open_engine({.memory_limit = ByteCount(std::uint64_t{512} << 20)}));
    session_ = std::move(*engine_->connect());
    statements_ = *sql::Statements::load(std::nullopt);
  }
  ~LaneFixture() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

 protected:
  void make_topic(const std::string& name, std::int32_t partitions = 1) {
    ASSERT_TRUE(log_.create_topic({name, partitions, {}}));
  }
  std::vector<std::vector<sql::Value>> rows(const std::string& table, const std::string& query) {
    const auto snapshot = delta::read_snapshot(*store_, *engine_, table);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    const auto select = delta::select_all(*store_, table, *snapshot);
    EXPECT_TRUE(select) << select.error().message;
    const auto answer = session_->query(fmt::format("WITH t AS ({}) {}", *select, query));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? answer->rows : std::vector<std::vector<sql::Value>>();
  }
  // "partition:offset" of each row, sorted.
  std::vector<std::string> places(const std::string& table) {
    std::vector<std::string> places;
    for (const auto& row : rows(table, "SELECT source_partition, source_offset FROM t ORDER BY ALL")) {
      places.push_back(row[0].to_text() + ":" + row[1].to_text());
    }
    return places;
  }

  std::filesystem::path folder_;
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  std::unique_ptr<objects::ObjectStore> store_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Session> session_;
  sql::Statements statements_;
  log::MemoryLog log_;
  NullLogger logger_;
};

}  // namespace pinflow::stream
