#include "app/online_check.h"

#include <array>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/logger.h"
#include "disk/memory_disk.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "objects/testing/forwarding_store.h"
#include "sink/testing/faults.h"

namespace pinflow::app {
namespace {

using testing::HasSubstr;

class StoreCheck : public testing::Test {
 protected:
  std::string message(objects::ObjectStore& store) {
    const auto checked = check_store(store, "7");
    return checked ? "ok" : checked.error().message;
  }
  disk::MemoryDisk disk_;
  std::unique_ptr<objects::ObjectStore> store_ = objects::open_folder_store(disk_, "objects").value();
};

TEST_F(StoreCheck, LeavesNothingBehind) {
  EXPECT_EQ(message(*store_), "ok");
  EXPECT_TRUE(store_->list("").value().empty());
}

TEST_F(StoreCheck, SaysWhichCallIsForbidden) {
  constexpr std::array kCalls = {"put objects", "read objects", "list objects", "the fuse is burnt", "remove objects"};
  for (std::size_t i = 0; i < kCalls.size(); ++i) {
    auto inner = objects::open_folder_store(disk_, "objects" + std::to_string(i)).value();
    sink::testing::Fuse fuse;
    fuse.set(static_cast<std::int64_t>(i), sink::testing::Fuse::Burns::kBefore);
    sink::testing::FusedStore store(*inner, fuse);
    EXPECT_THAT(message(store), HasSubstr(kCalls[i])) << "call " << i;
  }
}

// Keeps no object from being overwritten, as a store does that does not know conditional puts.
class Overwriting final : public objects::testing::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<void> put_new(const std::string& name, std::string_view bytes) override { return put(name, bytes); }
};

TEST_F(StoreCheck, RefusesAStoreThatOverwrites) {
  Overwriting store(*store_);
  EXPECT_THAT(message(store), HasSubstr("If-None-Match"));
  EXPECT_TRUE(store_->list("").value().empty());
}

class OnlineCheck : public testing::Test {
 protected:
  OnlineCheck() {
    std::string folder = (std::filesystem::temp_directory_path() / "pinflow-online-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    environment_.disk = disk::make_real_disk();
    environment_.logger = std::make_unique<NullLogger>();
    config().data.folder = folder_ / "data";
  }
  ~OnlineCheck() override { std::filesystem::remove_all(folder_); }
  config::Config& config() { return environment_.settings.config; }
  std::map<std::string, std::string, std::less<>> check() {
    std::map<std::string, std::string, std::less<>> told;
    check_online(environment_, [&](std::string_view what, const Result<void>& result) {
      told.emplace(what, result ? "ok" : result.error().message);
    });
    return told;
  }
  std::filesystem::path folder_;
  Environment environment_;
};

TEST_F(OnlineCheck, AsksWhatTheSettingsName) {
  EXPECT_THAT(check(), testing::UnorderedElementsAre(testing::Pair("objects", "ok"), testing::Pair("tables", "ok")));
  config().batch.engine = "spark";
  config().batch.spark_submit = (folder_ / "spark-submit").string();
  EXPECT_THAT(check()["Spark"], HasSubstr("batch.spark_submit"));
  config().batch.spark_submit = "sh";
  EXPECT_EQ(check()["Spark"], "ok");
}

}  // namespace
}  // namespace pinflow::app
