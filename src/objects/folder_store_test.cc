#include "objects/folder_store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "disk/memory_disk.h"
#include "disk/real_disk.h"

namespace pinflow::objects {
namespace {

using disk::MemoryDisk;
using disk::Operation;
using disk::Path;
using testing::ElementsAre;
using testing::HasSubstr;

template <class T>
ErrorCode code(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? ErrorCode::kCancelled : result.error().code;
}

std::vector<std::string> names(const std::vector<ObjectInfo>& objects) {
  std::vector<std::string> result;
  for (const ObjectInfo& object : objects) result.push_back(object.name);
  return result;
}

class FolderStoreOn : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      disk_ = std::make_unique<MemoryDisk>();
      root_ = "/data/objects";
    } else {
      std::string pattern = std::filesystem::temp_directory_path() / "pinflow-objects-XXXXXX";
      ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
      root_ = pattern;
      disk_ = disk::make_real_disk();
    }
    store_ = open_folder_store(*disk_, root_).value();
  }
  void TearDown() override {
    store_.reset();
    ASSERT_TRUE(disk_->remove_tree(root_));
  }

  void put(const std::string& name) { ASSERT_TRUE(store_->put(name, name)); }
  // What another library does with a scratch path.
  Path write_scratch(std::string_view bytes) {
    const Path local = store_->scratch(".parquet").value();
    EXPECT_TRUE(disk_->open_append(local).value()->append(bytes));
    return local;
  }

  std::unique_ptr<disk::Disk> disk_;
  Path root_;
  std::unique_ptr<ObjectStore> store_;
};
INSTANTIATE_TEST_SUITE_P(Disks, FolderStoreOn, testing::Values("real", "memory"),
                         [](const auto& i) { return i.param; });

TEST_P(FolderStoreOn, GivesBackWhatWasPut) {
  ASSERT_TRUE(store_->put("topics/a/partition=0/a+0+0000000000.json", "first"));
  ASSERT_TRUE(store_->put("topics/a/partition=0/a+0+0000000000.json", "second"));
  EXPECT_EQ(store_->get("topics/a/partition=0/a+0+0000000000.json").value(), "second");
  const ObjectInfo info = store_->describe("topics/a/partition=0/a+0+0000000000.json").value();
  EXPECT_EQ(info.size, 6U);
  EXPECT_EQ(disk_->read_file(store_->local_copy(info.name).value()).value(), "second");
}

TEST_P(FolderStoreOn, PutNewLetsOneCallerSucceed) {
  ASSERT_TRUE(store_->put_new("t/_delta_log/0.json", "first"));
  EXPECT_EQ(code(store_->put_new("t/_delta_log/0.json", "second")), ErrorCode::kConflict);
  EXPECT_EQ(store_->get("t/_delta_log/0.json").value(), "first");
  std::atomic<int> winners{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { winners += store_->put_new("new/folder/1.json", "x").has_value(); });
  }
  EXPECT_EQ(winners, 1);
}

TEST_P(FolderStoreOn, PutFileTakesTheScratchFile) {
  const Path local = write_scratch("rows");
  ASSERT_TRUE(store_->put_file("t/part-0.parquet", local));
  EXPECT_EQ(store_->get("t/part-0.parquet").value(), "rows");
  EXPECT_EQ(code(disk_->describe(local)), ErrorCode::kNotFound);
  EXPECT_EQ(code(store_->put_file("t/part-1.parquet", local)), ErrorCode::kNotFound);
}

TEST_P(FolderStoreOn, ScratchPathsAreFreshAndHidden) {
  const Path first = write_scratch("a");
  const Path second = write_scratch("b");
  EXPECT_NE(first, second);
  EXPECT_EQ(first.extension(), ".parquet");
  EXPECT_EQ(code(store_->scratch("/../x")), ErrorCode::kInvalid);
  EXPECT_THAT(names(store_->list("").value()), ElementsAre());
}

TEST_P(FolderStoreOn, KeepsScratchFilesOfOpenStoresAndRemovesThemAtTheEnd) {
  const Path ours = write_scratch("a");
  auto other = open_folder_store(*disk_, root_).value();
  const Path theirs = other->scratch("").value();
  ASSERT_TRUE(disk_->open_append(theirs));
  auto third = open_folder_store(*disk_, root_).value();
  EXPECT_TRUE(disk_->describe(ours));
  EXPECT_TRUE(disk_->describe(theirs));
  other.reset();
  EXPECT_EQ(code(disk_->describe(theirs)), ErrorCode::kNotFound);
  EXPECT_TRUE(disk_->describe(ours));
}

TEST_P(FolderStoreOn, SaysWhatIsMissing) {
  put("a/b");
  for (const char* name : {"no", "a", "a/b/c", "a/no"}) {
    EXPECT_EQ(code(store_->get(name)), ErrorCode::kNotFound) << name;
    EXPECT_EQ(code(store_->describe(name)), ErrorCode::kNotFound) << name;
    EXPECT_EQ(code(store_->local_copy(name)), ErrorCode::kNotFound) << name;
    EXPECT_TRUE(store_->remove(name)) << name;
  }
  EXPECT_EQ(store_->get("a/b").value(), "a/b");
  ASSERT_TRUE(store_->remove("a/b"));
  EXPECT_EQ(code(store_->get("a/b")), ErrorCode::kNotFound);
}

TEST_P(FolderStoreOn, RefusesNamesThatAreNone) {
  const std::string long_part(256, 'a');
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string(".."),
        std::string("a/../b"), std::string("./a"), std::string(".scratch/a"), std::string("a/.hidden"),
        std::string("a\nb"), std::string("a\x7f"), std::string("a\0b", 3), long_part}) {
    const auto refused = store_->put(name, "");
    EXPECT_EQ(code(refused), ErrorCode::kInvalid) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("joined by '/'"));
    EXPECT_EQ(code(store_->put_new(name, "")), ErrorCode::kInvalid) << name;
    EXPECT_EQ(code(store_->get(name)), ErrorCode::kInvalid) << name;
    EXPECT_EQ(code(store_->remove(name)), ErrorCode::kInvalid) << name;
  }
  for (const char* prefix : {"/", "../", "a/..", "a//", "a\tb", ".scratch/"})
    EXPECT_EQ(code(store_->list(prefix)), ErrorCode::kInvalid) << prefix;
  EXPECT_TRUE(store_->put(std::string(255, 'a') + "/A0._=+-", ""));
  // As other tools name their objects.
  EXPECT_TRUE(store_->put("at=2026-11-22 10%3A15/\xc3\xa9*[x]", ""));
  EXPECT_EQ(store_->list("at=2026-11-22 1")->size(), 1U);
}

TEST_P(FolderStoreOn, ListsByPrefixInTheOrderOfWholeNames) {
  for (const char* name : {"a/b/part-1", "a/b/part-2", "a/b/other", "a/b-c", "a/b.d", "a/bb/x", "a/b0", "z"}) put(name);
  EXPECT_THAT(names(store_->list("").value()),
              ElementsAre("a/b-c", "a/b.d", "a/b/other", "a/b/part-1", "a/b/part-2", "a/b0", "a/bb/x", "z"));
  EXPECT_THAT(names(store_->list("a/b/part").value()), ElementsAre("a/b/part-1", "a/b/part-2"));
  EXPECT_THAT(names(store_->list("a/b/").value()), ElementsAre("a/b/other", "a/b/part-1", "a/b/part-2"));
  EXPECT_THAT(names(store_->list("a/b", "a/b/other", 2).value()), ElementsAre("a/b/part-1", "a/b/part-2"));
  EXPECT_THAT(names(store_->list("z").value()), ElementsAre("z"));
  EXPECT_THAT(names(store_->list("z/").value()), ElementsAre());
  EXPECT_THAT(names(store_->list("no/such/").value()), ElementsAre());
  EXPECT_THAT(names(store_->list("", {}, 0).value()), ElementsAre());
  EXPECT_EQ(store_->list("z").value()[0].size, 1U);
}

TEST_P(FolderStoreOn, LeavesOutWhatIsNoObject) {
  put("a/b");
  for (const char* name : {"a/.b.crc", "a/.tmp-1-2-3", "a/with\ttab"})
    ASSERT_TRUE(disk_->write_file(root_ / name, "x"));
  EXPECT_THAT(names(store_->list("").value()), ElementsAre("a/b"));
}

TEST_P(FolderStoreOn, AChecksumOfWhatLayThereBeforeGoesWithIt) {
  put("a/b");
  ASSERT_TRUE(disk_->write_file(root_ / "a/.b.crc", "old"));
  ASSERT_TRUE(disk_->write_file(root_ / "a/.c.crc", "other"));
  ASSERT_TRUE(store_->put("a/b", "new"));
  EXPECT_FALSE(disk_->describe(root_ / "a/.b.crc"));
  EXPECT_TRUE(disk_->describe(root_ / "a/.c.crc"));
}

TEST_P(FolderStoreOn, ListsAgreeWithASortedListOfAllNames) {
  Random random(11);
  std::set<std::string> all;
  const std::string_view letters = "ab-.0";
  const auto random_name = [&] {
    std::string name = "a";
    for (std::uint64_t parts = random.below(3); parts > 0; --parts) name += random.chance(0.5) ? "/b" : "/a0";
    for (std::uint64_t size = random.below(3); size > 0; --size) name += letters[random.below(letters.size())];
    return name;
  };
  for (int i = 0; i < 100; ++i) {
    const std::string name = random_name();
    if (store_->put(name, "")) all.insert(name);  // Some want a folder where a file is.
  }
  ASSERT_GT(all.size(), 30U);
  for (int i = 0; i < 200; ++i) {
    const std::string whole = random_name();
    const std::string prefix = whole.substr(0, random.below(whole.size() + 1));
    const std::string after = random.chance(0.2) ? std::string() : random_name();
    const std::size_t limit = random.below(10);
    std::vector<std::string> expected;
    for (const std::string& name : all)
      if (name.starts_with(prefix) && name > after && expected.size() < limit) expected.push_back(name);
    EXPECT_EQ(names(store_->list(prefix, after, limit).value()), expected) << prefix << " after " << after;
  }
}

TEST(FolderStoreListing, ReadsOnlyFoldersThatCanHoldWantedNames) {
  MemoryDisk disk;
  auto store = open_folder_store(disk, "/objects").value();
  for (int day = 0; day < 50; ++day) ASSERT_TRUE(store->put(fmt::format("topics/day={:02}/0.json", day), ""));
  const auto folders_read = [&](const std::string& prefix, const std::string& after, std::size_t limit) {
    const std::uint64_t before = disk.count(Operation::kList);
    EXPECT_TRUE(store->list(prefix, after, limit));
    return disk.count(Operation::kList) - before;
  };
  EXPECT_EQ(folders_read("topics/day=07/", "", SIZE_MAX), 1U);
  EXPECT_EQ(folders_read("topics/day=0", "", SIZE_MAX), 11U);
  EXPECT_EQ(folders_read("topics/", "topics/day=47/0.json", SIZE_MAX), 4U);
  EXPECT_EQ(folders_read("topics/", "", 1), 2U);
  EXPECT_EQ(folders_read("topics/", "topics/x", SIZE_MAX), 1U);
}

// Lets `put` write object `name` while the power goes at each of its steps; afterwards the object is `before`
// or `after` (empty: absent), and `after` where the put succeeded.
template <class Put>
void crash_at_every_step(const std::string& name, const std::string& before, const std::string& after, Put put) {
  bool finished = false;
  for (std::uint64_t step = 1; !finished; ++step) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      MemoryDisk disk;
      auto store = open_folder_store(disk, "/objects").value();
      ASSERT_TRUE(store->put("a/old", "old"));
      disk.lose_power_at(step);
      const Result<void> done = put(disk, *store);
      finished = done.has_value();
      Random random(seed);
      store.reset();
      disk.crash(random);
      store = open_folder_store(disk, "/objects").value();
      const std::string found = store->get(name).value_or("");
      EXPECT_TRUE(found == after || (!finished && found == before)) << step << " " << seed;
      if (name != "a/old") EXPECT_EQ(store->get("a/old").value(), "old");
      EXPECT_LE(store->list("").value().size(), 2U);
    }
    ASSERT_LT(step, 40U);
  }
}

TEST(FolderStoreCrash, PutReplacesWholeOrNotAtAll) {
  const std::string text(3000, 'n');
  crash_at_every_step("a/old", "old", text, [&](MemoryDisk&, ObjectStore& store) { return store.put("a/old", text); });
}

TEST(FolderStoreCrash, PutNewIsWholeOrAbsent) {
  const std::string text(3000, 'n');
  crash_at_every_step("b/new", "", text, [&](MemoryDisk&, ObjectStore& store) { return store.put_new("b/new", text); });
}

TEST(FolderStoreCrash, PutFileIsWholeOrAbsent) {
  const std::string text(3000, 'n');
  crash_at_every_step("b/new", "", text, [&](MemoryDisk& disk, ObjectStore& store) -> Result<void> {
    TRY_ASSIGN(const Path local, store.scratch(".parquet"));
    TRY_ASSIGN(const auto file, disk.open_append(local));
    TRY(file->append(text));
    return store.put_file("b/new", local);
  });
}

TEST(FolderStoreCrash, OpeningRemovesTheScratchFilesOfTheDead) {
  MemoryDisk disk;
  auto store = open_folder_store(disk, "/objects").value();
  const Path local = store->scratch("").value();
  ASSERT_TRUE(disk.write_file(local, "x"));
  Random random(1);
  disk.crash(random);
  ASSERT_TRUE(disk.describe(local));
  auto next = open_folder_store(disk, "/objects").value();
  EXPECT_THAT(disk.list("/objects/.scratch").value(), ElementsAre());
}

TEST(FolderStoreCrash, AKilledProcessLeavesScratchFilesThatTheNextRemoves) {
  std::string root = std::filesystem::temp_directory_path() / "pinflow-objects-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const auto disk = disk::make_real_disk();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto store = open_folder_store(*disk, root).value();
    if (!disk->write_file(store->scratch(".parquet").value(), "x")) ::_exit(1);
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  const Path scratch = Path(root) / ".scratch";
  ASSERT_TRUE(open_folder_store(*disk, root));
  EXPECT_EQ(disk->list(scratch).value().size(), 1U);  // Its process lives.
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(open_folder_store(*disk, root));
  EXPECT_THAT(disk->list(scratch).value(), ElementsAre());
  EXPECT_TRUE(disk->remove_tree(root));
}

TEST(FolderStoreFaults, TellsWhenAPutMayHaveHappened) {
  MemoryDisk disk;
  auto store = open_folder_store(disk, "/objects").value();
  ASSERT_TRUE(store->put("a/x", ""));
  disk.fail_sync("/objects/a");
  EXPECT_EQ(code(store->put_new("a/y", "y")), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(store->get("a/y").value(), "y");
  const Path local = store->scratch("").value();
  ASSERT_TRUE(disk.write_file(local, "z"));
  disk.fail_sync("/objects/a");
  EXPECT_EQ(code(store->put_file("a/z", local)), ErrorCode::kUnknownOutcome);
}

}  // namespace
}  // namespace pinflow::objects
