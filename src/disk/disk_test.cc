#include "disk/disk.h"

#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "disk/memory_disk.h"
#include "disk/real_disk.h"

namespace pinflow::disk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What every Disk promises, tried on each of them.
class EveryDisk : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      disk_ = std::make_unique<MemoryDisk>();
      root_ = "/data";
      ASSERT_TRUE(disk_->create_folders(root_));
    } else {
      std::string pattern = std::filesystem::temp_directory_path() / "pinflow-disk-XXXXXX";
      ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
      root_ = pattern;
      disk_ = make_real_disk();
    }
  }
  void TearDown() override { ASSERT_TRUE(disk_->remove_tree(root_)); }

  void write(const Path& name, std::string_view bytes) { ASSERT_TRUE(disk_->write_file(root_ / name, bytes)); }
  std::string read(const Path& name) { return disk_->read_file(root_ / name).value(); }
  std::vector<std::string> names(const Path& folder = {}) {
    std::vector<std::string> result;
    for (const Entry& entry : disk_->list(root_ / folder).value()) result.push_back(entry.name);
    return result;
  }

  std::unique_ptr<Disk> disk_;
  Path root_;
};
INSTANTIATE_TEST_SUITE_P(Disks, EveryDisk, testing::Values("real", "memory"), [](const auto& i) { return i.param; });

template <class T>
ErrorCode code(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? ErrorCode::kCancelled : result.error().code;
}

TEST_P(EveryDisk, AppendsAndReadsAtAnyPlace) {
  auto file = disk_->open_append(root_ / "a").value();
  ASSERT_TRUE(file->append("hello "));
  ASSERT_TRUE(file->append("world"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 11U);
  char bytes[32];
  EXPECT_EQ(file->read_at(6, std::span(bytes, 3)).value(), 3U);
  EXPECT_EQ(std::string_view(bytes, 3), "wor");
  EXPECT_EQ(file->read_at(9, bytes).value(), 2U);
  EXPECT_EQ(file->read_at(11, bytes).value(), 0U);
  EXPECT_EQ(file->read_at(1000, bytes).value(), 0U);
}

TEST_P(EveryDisk, AppendGoesOnAtTheEndAfterReopeningAndTruncating) {
  ASSERT_TRUE(disk_->open_append(root_ / "a").value()->append("12345678"));
  auto file = disk_->open_append(root_ / "a").value();
  ASSERT_TRUE(file->truncate(4));
  ASSERT_TRUE(file->append("x"));
  EXPECT_EQ(read("a"), "1234x");
  ASSERT_TRUE(file->truncate(7));
  EXPECT_EQ(read("a"), std::string("1234x\0\0", 7));
}

TEST_P(EveryDisk, ReadOnlyFilesCannotBeChanged) {
  write("a", "text");
  auto file = disk_->open_read(root_ / "a").value();
  EXPECT_FALSE(file->append("x"));
  EXPECT_FALSE(file->truncate(1));
  EXPECT_EQ(read("a"), "text");
}

TEST_P(EveryDisk, ReadsALargeFileWhole) {
  std::string large(3 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>(i);
  write("large", large);
  EXPECT_TRUE(read("large") == large);
  write("empty", "");
  EXPECT_EQ(read("empty"), "");
}

TEST_P(EveryDisk, SaysWhatIsMissing) {
  EXPECT_EQ(code(disk_->open_read(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->describe(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->list(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->rename(root_ / "no", root_ / "x")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->sync_file(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->sync_folder(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->lock_folder(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->free_space(root_ / "no")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->write_file(root_ / "no" / "x", "")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->open_append(root_ / "no" / "x")), ErrorCode::kNotFound);
  const auto read = disk_->read_file(root_ / "no");
  EXPECT_EQ(code(read), ErrorCode::kNotFound);
  EXPECT_THAT(read.error().message, HasSubstr((root_ / "no").native()));
  EXPECT_TRUE(disk_->remove(root_ / "no"));
  EXPECT_TRUE(disk_->remove_tree(root_ / "no"));
}

TEST_P(EveryDisk, WriteFileReplacesWhole) {
  write("a", "a long first text");
  write("a", "second");
  EXPECT_EQ(read("a"), "second");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_P(EveryDisk, OldHandlesKeepTheReplacedFile) {
  write("a", "first");
  auto old = disk_->open_read(root_ / "a").value();
  write("a", "second");
  char bytes[5];
  EXPECT_EQ(old->read_at(0, bytes).value(), 5U);
  EXPECT_EQ(std::string_view(bytes, 5), "first");
}

TEST_P(EveryDisk, WriteNewFileRefusesAnExistingName) {
  ASSERT_TRUE(disk_->write_new_file(root_ / "a", "first"));
  const auto second = disk_->write_new_file(root_ / "a", "second");
  EXPECT_EQ(code(second), ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr((root_ / "a").native()));
  EXPECT_EQ(read("a"), "first");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_P(EveryDisk, OfManyThreadsOneWritesTheNewFile) {
  for (int round = 0; round < 20; ++round) {
    const Path path = root_ / fmt::format("commit-{}", round);
    std::atomic<int> winner{-1};
    std::atomic<int> winners{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        if (!disk_->write_new_file(path, std::to_string(i))) return;
        winner = i;
        ++winners;
      });
    threads.clear();
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(disk_->read_file(path).value(), std::to_string(winner));
  }
}

TEST_P(EveryDisk, CreatesFoldersOnce) {
  ASSERT_TRUE(disk_->create_folders(root_ / "a" / "b" / "c"));
  ASSERT_TRUE(disk_->create_folders(root_ / "a" / "b" / "c/"));
  EXPECT_TRUE(disk_->describe(root_ / "a" / "b" / "c").value().is_directory);
  write("file", "");
  EXPECT_EQ(code(disk_->create_folders(root_ / "file")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->create_folders(root_ / "file" / "x" / "y")), ErrorCode::kConflict);
}

TEST_P(EveryDisk, MakesManyFoldersAtOnce) {
  const std::vector<std::string> wanted = {"0", "1", "2"};
  EXPECT_EQ(code(disk_->create_folders_in(root_ / "missing", wanted)), ErrorCode::kNotFound);
  ASSERT_TRUE(disk_->create_folders_in(root_, std::span(wanted).first(2)));
  ASSERT_TRUE(disk_->create_folders_in(root_, wanted));
  EXPECT_THAT(names(), ElementsAre("0", "1", "2"));
  write("file", "x");
  const std::vector<std::string> taken = {"3", "file"};
  EXPECT_EQ(code(disk_->create_folders_in(root_, taken)), ErrorCode::kConflict);
  EXPECT_THAT(names(), ElementsAre("0", "1", "2", "file"));
}

TEST_P(EveryDisk, ListsSortedWithSizes) {
  write("b", "22");
  write("a-c", "333");
  ASSERT_TRUE(disk_->create_folders(root_ / "a"));
  const auto entries = disk_->list(root_).value();
  ASSERT_THAT(names(), ElementsAre("a", "a-c", "b"));
  EXPECT_TRUE(entries[0].is_directory);
  EXPECT_EQ(entries[0].size, 0U);
  EXPECT_FALSE(entries[1].is_directory);
  EXPECT_EQ(entries[1].size, 3U);
  EXPECT_EQ(entries[2], disk_->describe(root_ / "b").value());
}

TEST_P(EveryDisk, ListsOnlyWantedNames) {
  for (const char* name : {"1", "2", "3"}) write(name, name);
  const auto entries = disk_->list(root_, [](std::string_view name) { return name > "1"; }).value();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "2");
}

TEST_P(EveryDisk, HidesTemporaryFilesAndTheLockRemovesThem) {
  const Path leftover = root_ / ".tmp-0123-456-7";
  ASSERT_TRUE(disk_->open_append(leftover));
  EXPECT_THAT(names(), ElementsAre());
  auto lock = disk_->lock_folder(root_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(code(disk_->describe(leftover)), ErrorCode::kNotFound);
}

TEST_P(EveryDisk, RenamesAndReplaces) {
  write("a", "new");
  write("b", "old");
  ASSERT_TRUE(disk_->rename(root_ / "a", root_ / "b"));
  EXPECT_EQ(read("b"), "new");
  EXPECT_THAT(names(), ElementsAre("b"));
  ASSERT_TRUE(disk_->create_folders(root_ / "folder"));
  EXPECT_EQ(code(disk_->rename(root_ / "b", root_ / "folder")), ErrorCode::kConflict);
  ASSERT_TRUE(disk_->rename(root_ / "b", root_ / "folder" / "c"));
  EXPECT_EQ(read("folder/c"), "new");
  EXPECT_EQ(code(disk_->rename(root_ / "folder", root_ / "folder" / "in")), ErrorCode::kInvalid);
}

TEST_P(EveryDisk, KeepsFilesAndFoldersApart) {
  ASSERT_TRUE(disk_->create_folders(root_ / "folder"));
  EXPECT_EQ(code(disk_->read_file(root_ / "folder")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->open_read(root_ / "folder")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->open_append(root_ / "folder")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->write_file(root_ / "folder", "x")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->write_new_file(root_ / "folder", "x")), ErrorCode::kConflict);
  EXPECT_EQ(code(disk_->remove(root_ / "folder")), ErrorCode::kConflict);
  write("file", "");
  EXPECT_EQ(code(disk_->list(root_ / "file")), ErrorCode::kNotFound);
  EXPECT_EQ(code(disk_->read_file(root_ / "file" / "x")), ErrorCode::kNotFound);
  EXPECT_THAT(names(), ElementsAre("file", "folder"));
}

TEST_P(EveryDisk, RemovesFilesAndTrees) {
  ASSERT_TRUE(disk_->create_folders(root_ / "a" / "b"));
  write("a/b/c", "x");
  write("d", "x");
  ASSERT_TRUE(disk_->remove(root_ / "d"));
  ASSERT_TRUE(disk_->remove_tree(root_ / "a"));
  EXPECT_THAT(names(), ElementsAre());
}

TEST_P(EveryDisk, LocksAFolderForOneHolderAndNamesIt) {
  auto lock = disk_->lock_folder(root_);
  ASSERT_TRUE(lock);
  const auto second = disk_->lock_folder(root_);
  EXPECT_EQ(code(second), ErrorCode::kConflict);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("process {}", ::getpid())));
  EXPECT_THAT(second.error().message, HasSubstr(root_.native()));
  lock->reset();
  EXPECT_TRUE(disk_->lock_folder(root_));
}

TEST_P(EveryDisk, SyncsWhatOthersWroteAndTellsFreeSpace) {
  write("a", "x");
  EXPECT_TRUE(disk_->sync_file(root_ / "a"));
  EXPECT_TRUE(disk_->sync_folder(root_));
  EXPECT_GT(disk_->free_space(root_).value().count(), 0U);
}

}  // namespace
}  // namespace pinflow::disk
