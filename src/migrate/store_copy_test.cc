#include "migrate/store_copy.h"

#include <atomic>
#include <map>
#include <mutex>
#include <stdlib.h>

#include <gtest/gtest.h>

#include "base/check.h"
#include "disk/real_disk.h"
#include "objects/folder_store.h"
#include "objects/testing/forwarding_store.h"

namespace pinflow::migrate {
namespace {

class StoreCopyTest : public ::testing::Test {
 protected:
  StoreCopyTest() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow_migrate_XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr, "the temporary folder can be made");
    folder_ = name;
    from_ = std::move(*objects::open_folder_store(*disk_, folder_ / "from"));
    to_ = std::move(*objects::open_folder_store(*disk_, folder_ / "to"));
  }
  ~StoreCopyTest() override {
    from_.reset();
    to_.reset();
    std::filesystem::remove_all(folder_);
  }
  Result<StoreTotals> copy(const StoreCopyOptions& options = tables_copy()) {
    return copy_store(*from_, *to_, options, {}, {});
  }
  std::map<std::string, std::string> content(objects::ObjectStore& store) {
    std::map<std::string, std::string> all;
    for (const auto& object : *store.list("")) all[object.name] = *store.get(object.name);
    return all;
  }

  std::filesystem::path folder_;
  std::unique_ptr<disk::Disk> disk_ = disk::make_real_disk();
  std::unique_ptr<objects::ObjectStore> from_;
  std::unique_ptr<objects::ObjectStore> to_;
};

// Notes in which order names come, and fails at a certain put.
class WatchedStore final : public objects::testing::ForwardingStore {
 public:
  explicit WatchedStore(objects::ObjectStore& store) : ForwardingStore(store) {}
  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    const std::scoped_lock lock(mutex_);
    if (static_cast<int>(names.size()) == fail_at) return fail(ErrorCode::kUnavailable, "the store is away");
    names.push_back(name);
    return ForwardingStore::put_new(name, bytes);
  }
  std::vector<std::string> names;
  int fail_at = -1;

 private:
  std::mutex mutex_;
};

TEST_F(StoreCopyTest, CopiesMoreObjectsThanAPageAndGoesOn) {
  for (int i = 0; i < 1'203; ++i) {
    ASSERT_TRUE(
        from_->put("topics/pin/" + std::to_string(i) + ".json", std::string(static_cast<std::size_t>(i % 9), 'x')));
  }
  ASSERT_TRUE(from_->put("topics/pin/large.json", std::string(100'000, 'y')));
  const auto planned = plan_store(*from_, objects_copy());
  EXPECT_EQ(planned->objects, 1'204U);
  WatchedStore watched(*to_);
  watched.fail_at = 700;
  const auto failed = copy_store(*from_, watched, objects_copy(), {}, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(failed.error().message.contains("topics/pin/")) << failed.error().message;
  const auto copied = copy(objects_copy());
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->objects, 504U);
  EXPECT_EQ(content(*from_), content(*to_));
  EXPECT_EQ(copy(objects_copy()), StoreTotals());
}

TEST_F(StoreCopyTest, PutsLogsOfTablesBehindTheirFilesAndTheirPublicationToo) {
  for (const char* const name : {"t/_delta_log/00.json", "t/_delta_log/_last_checkpoint", "t/part-1.parquet",
                                 "batch/published.json", "u/part-2.parquet", "pinflow/pipeline.json"}) {
    ASSERT_TRUE(from_->put(name, name));
  }
  WatchedStore watched(*to_);
  ASSERT_TRUE(copy_store(*from_, watched, tables_copy(), {}, {}));
  ASSERT_EQ(watched.names.size(), 5U);  // Who owns the tables is said elsewhere.
  EXPECT_TRUE(watched.names[0].ends_with(".parquet"));
  EXPECT_TRUE(watched.names[1].ends_with(".parquet"));
}

TEST_F(StoreCopyTest, RefusesToReplaceWhatSomebodyElseWrote) {
  ASSERT_TRUE(from_->put("t/_delta_log/01.json", "ours"));
  ASSERT_TRUE(to_->put("t/_delta_log/01.json", "else"));
  const auto copied = copy();
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(copied.error().message.contains("t/_delta_log/01.json")) << copied.error().message;
  EXPECT_EQ(*to_->get("t/_delta_log/01.json"), "else");
  ASSERT_TRUE(from_->put("t/_delta_log/_last_checkpoint", "newer"));
  ASSERT_TRUE(to_->put("t/_delta_log/_last_checkpoint", "older"));
  ASSERT_TRUE(to_->put("t/_delta_log/01.json", "ours"));
  ASSERT_TRUE(copy());
  EXPECT_EQ(*to_->get("t/_delta_log/_last_checkpoint"), "newer");
}

TEST_F(StoreCopyTest, StopsWhenTold) {
  ASSERT_TRUE(from_->put("a", "1"));
  std::stop_source stop;
  stop.request_stop();
  const auto copied = copy_store(*from_, *to_, objects_copy(), {}, stop.get_token());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(content(*to_).empty());
}

}  // namespace
}  // namespace pinflow::migrate
