#include "disk/memory_disk.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::disk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace literals;

constexpr int kSeeds = 300;

std::string pattern(std::size_t size) {
  std::string bytes(size, ' ');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

// Files that tell after a crash under which seeds what was found.
struct Found {
  std::set<std::string> contents;
  bool missing = false;
};

template <class Prepare>
Found crash_often(const Path& path, Prepare prepare) {
  Found found;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    prepare(disk);
    Random random(static_cast<std::uint64_t>(seed));
    disk.crash(random);
    auto content = disk.read_file(path);
    if (content)
      found.contents.insert(std::move(*content));
    else
      found.missing = true;
  }
  return found;
}

TEST(MemoryDisk, ManyFoldersAreDurableByOneSync) {
  MemoryDisk disk;
  const std::uint64_t syncs = disk.count(Operation::kSyncFolder);
  ASSERT_TRUE(disk.create_folders_in("/", std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(disk.count(Operation::kSyncFolder), syncs + 1);
  Random random(1);
  disk.crash(random);
  EXPECT_EQ(disk.list("/")->size(), 3u);
}

TEST(MemoryDiskCrash, KeepsWhatIsSynced) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(file->append(pattern(2000)));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_folder("/"));
  });
  EXPECT_FALSE(found.missing);
  EXPECT_THAT(found.contents, ElementsAre(pattern(2000)));
}

TEST(MemoryDiskCrash, LosesNamesWithoutFolderSync) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(file->append("text"));
    ASSERT_TRUE(file->sync());
  });
  EXPECT_TRUE(found.missing);
  EXPECT_THAT(found.contents, ElementsAre("text"));
}

TEST(MemoryDiskCrash, TearsUnsyncedTailsAfterTheSyncedBytes) {
  const std::string synced = pattern(700);
  const std::string written = pattern(5000);
  const Found found = crash_often("/a", [&](MemoryDisk& disk) {
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(disk.sync_folder("/"));
    ASSERT_TRUE(file->append(synced));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->append(std::string_view(written).substr(700)));
  });
  EXPECT_FALSE(found.missing);
  bool whole = false, none = false, within_sector = false, at_sector = false, zeros = false, garbage = false;
  for (const std::string& content : found.contents) {
    ASSERT_GE(content.size(), synced.size());
    ASSERT_LE(content.size(), written.size());
    ASSERT_EQ(content.substr(0, synced.size()), synced);
    whole |= content == written;
    none |= content == synced;
    if (content.size() > 700 && content.size() < 5000) (content.size() % 512 == 0 ? at_sector : within_sector) = true;
    if (content == written.substr(0, content.size())) continue;
    (content.find(std::string(100, '\0')) != std::string::npos ? zeros : garbage) = true;
  }
  EXPECT_TRUE(whole && none && within_sector && at_sector && zeros && garbage)
      << whole << none << within_sector << at_sector << zeros << garbage;
}

TEST(MemoryDiskCrash, ForgetsUnsyncedTruncations) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.write_file("/a", "0123456789"));
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(file->truncate(6));
    ASSERT_TRUE(file->truncate(4));
  });
  EXPECT_THAT(found.contents, ElementsAre("0123", "0123456789"));
  const Found synced = crash_often("/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.write_file("/a", "0123456789"));
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(file->truncate(4));
    ASSERT_TRUE(file->sync());
  });
  EXPECT_THAT(synced.contents, ElementsAre("0123"));
}

TEST(MemoryDiskCrash, RenameWithoutFolderSyncGivesOldOrNew) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.write_file("/a", "old"));
    ASSERT_TRUE(disk.write_file("/b", "new"));
    ASSERT_TRUE(disk.rename("/b", "/a"));
  });
  EXPECT_FALSE(found.missing);
  EXPECT_THAT(found.contents, ElementsAre("new", "old"));
}

TEST(MemoryDiskCrash, RenameWithinAFolderHappensWholeOrNotAtAll) {
  std::set<bool> renamed;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_TRUE(disk.write_file("/b", "text"));
    ASSERT_TRUE(disk.rename("/b", "/a"));
    Random random(static_cast<std::uint64_t>(seed));
    disk.crash(random);
    EXPECT_NE(disk.read_file("/a").has_value(), disk.read_file("/b").has_value()) << seed;
    renamed.insert(disk.read_file("/a").has_value());
  }
  EXPECT_THAT(renamed, ElementsAre(false, true));
}

TEST(MemoryDiskCrash, RenameWithoutFileSyncCanLeaveAnEmptyFile) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.open_append("/b").value()->append("new"));
    ASSERT_TRUE(disk.rename("/b", "/a"));
    ASSERT_TRUE(disk.sync_folder("/"));
  });
  EXPECT_TRUE(found.contents.contains(""));
  EXPECT_TRUE(found.contents.contains("new"));
}

TEST(MemoryDiskCrash, RenameAcrossFoldersIsDurableWithTheTargetFolder) {
  const Found found = crash_often("/to/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.create_folders("/from"));
    ASSERT_TRUE(disk.create_folders("/to"));
    ASSERT_TRUE(disk.write_file("/from/a", "text"));
    ASSERT_TRUE(disk.rename("/from/a", "/to/a"));
    ASSERT_TRUE(disk.sync_folder("/to"));
  });
  EXPECT_FALSE(found.missing);
}

TEST(MemoryDiskCrash, CanBringBackRemovedNames) {
  const Found found = crash_often("/a", [](MemoryDisk& disk) {
    ASSERT_TRUE(disk.write_file("/a", "text"));
    ASSERT_TRUE(disk.remove("/a"));
  });
  EXPECT_TRUE(found.missing);
  EXPECT_THAT(found.contents, ElementsAre("text"));
}

TEST(MemoryDiskCrash, AtEveryStepWriteFileGivesOldOrNewWhole) {
  for (std::uint64_t step = 1; step <= 5; ++step) {
    bool refused = false;
    const Found found = crash_often("/a", [&](MemoryDisk& disk) {
      ASSERT_TRUE(disk.write_file("/a", pattern(1000)));
      disk.lose_power_at(step);
      refused |= !disk.write_file("/a", pattern(3000));
    });
    EXPECT_TRUE(refused) << step;
    EXPECT_FALSE(found.missing) << step;
    EXPECT_TRUE(found.contents.contains(pattern(1000))) << step;
    for (const std::string& content : found.contents)
      EXPECT_TRUE(content == pattern(1000) || content == pattern(3000)) << step;
  }
  MemoryDisk disk;
  disk.lose_power_at(6);
  EXPECT_TRUE(disk.write_file("/a", "x"));
}

TEST(MemoryDiskCrash, AtEveryStepWriteNewFileGivesNothingOrAll) {
  for (std::uint64_t step = 1; step <= 6; ++step) {
    const Found found = crash_often("/a", [&](MemoryDisk& disk) {
      disk.lose_power_at(step);
      const auto written = disk.write_new_file("/a", pattern(3000));
      ASSERT_FALSE(written);
      EXPECT_EQ(written.error().code, step <= 4 ? ErrorCode::kUnavailable : ErrorCode::kUnknownOutcome);
    });
    EXPECT_TRUE(found.missing) << step;
    for (const std::string& content : found.contents) EXPECT_EQ(content, pattern(3000)) << step;
  }
}

TEST(MemoryDiskCrash, KillsHandlesAndFreesLocks) {
  MemoryDisk disk;
  auto file = disk.open_append("/a").value();
  auto lock = disk.lock_folder("/").value();
  Random random(1);
  disk.crash(random);
  char byte[1];
  EXPECT_EQ(file->append("x").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(file->sync().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(file->read_at(0, byte).error().code, ErrorCode::kUnavailable);
  auto second = disk.lock_folder("/").value();
  lock.reset();  // Frees nothing of the new holder.
  EXPECT_EQ(disk.lock_folder("/").error().code, ErrorCode::kConflict);
}

TEST(MemoryDiskCrash, IsTheSameForASeed) {
  const auto run = [](std::uint64_t seed) {
    MemoryDisk disk;
    auto file = disk.open_append("/a").value();
    EXPECT_TRUE(disk.sync_folder("/"));
    EXPECT_TRUE(file->append(pattern(3000)));
    Random random(seed);
    disk.crash(random);
    return disk.read_file("/a").value();
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(run(seed), run(seed));
}

TEST(MemoryDiskFaults, FailTheNthOperationOnce) {
  MemoryDisk disk;
  disk.fail_nth(Operation::kAppend, 2, ErrorCode::kUnavailable);
  auto file = disk.open_append("/a").value();
  EXPECT_TRUE(file->append("1234"));
  const auto refused = file->append("5678");
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/a"));
  EXPECT_EQ(disk.read_file("/a").value(), "123456");  // A part of it was written.
  EXPECT_TRUE(file->append("x"));
  disk.fail_nth({}, 1, ErrorCode::kCorrupt);
  EXPECT_EQ(disk.list("/").error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(disk.list("/"));
}

TEST(MemoryDiskFaults, BytesOfAFailedSyncStayLost) {
  for (int seed = 0; seed < 20; ++seed) {
    MemoryDisk disk;
    auto file = disk.open_append("/a").value();
    ASSERT_TRUE(disk.sync_folder("/"));
    ASSERT_TRUE(file->append(pattern(100)));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->append(std::string(100, '!')));
    disk.fail_sync("/a");
    EXPECT_EQ(file->sync().error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(file->sync().error().code, ErrorCode::kCorrupt);  // The handle remembers.
    ASSERT_TRUE(disk.open_append("/a").value()->sync());        // A new one believes the kernel.
    EXPECT_EQ(disk.read_file("/a").value(), pattern(100) + std::string(100, '!'));
    Random random(static_cast<std::uint64_t>(seed));
    disk.crash(random);
    const std::string found = disk.read_file("/a").value();
    ASSERT_EQ(found.size(), 200U);
    EXPECT_EQ(found.substr(0, 100), pattern(100));
    EXPECT_NE(found.substr(100), std::string(100, '!'));
  }
}

TEST(MemoryDiskFaults, AFailedFolderSyncAfterTheRenameIsAnUnknownOutcome) {
  MemoryDisk disk;
  disk.fail_sync("/");
  EXPECT_EQ(disk.write_file("/a", "x").error().code, ErrorCode::kUnknownOutcome);
  EXPECT_EQ(disk.read_file("/a").value(), "x");
}

TEST(MemoryDiskFaults, AFullDiskTakesWhatFits) {
  MemoryDisk disk;
  disk.set_capacity(10_B);
  auto file = disk.open_append("/a").value();
  ASSERT_TRUE(file->append("12345678"));
  EXPECT_EQ(disk.free_space("/").value(), 2_B);
  const auto refused = file->append("9abc");
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("No space left"));
  EXPECT_EQ(disk.read_file("/a").value(), "123456789a");
  ASSERT_TRUE(disk.remove("/a"));
  EXPECT_EQ(disk.free_space("/").value(), 10_B);
}

TEST(MemoryDiskFaults, AFullDiskKeepsTheOldFileAndNoTemporary) {
  MemoryDisk disk;
  ASSERT_TRUE(disk.write_file("/a", "12345678"));
  disk.set_capacity(10_B);
  EXPECT_EQ(disk.write_file("/a", "another").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(disk.read_file("/a").value(), "12345678");
  EXPECT_EQ(disk.free_space("/").value(), 2_B);
}

TEST(MemoryDiskFaults, FlippedBytesStay) {
  MemoryDisk disk;
  ASSERT_TRUE(disk.write_file("/a", std::string(3, '\0')));
  disk.flip_byte("/a", 1);
  Random random(1);
  disk.crash(random);
  EXPECT_EQ(disk.read_file("/a").value(), std::string("\0\xff\0", 3));
}

TEST(MemoryDiskFaults, CountsWhatItIsAsked) {
  MemoryDisk disk;
  ASSERT_TRUE(disk.write_file("/a", "x"));
  EXPECT_EQ(disk.count(Operation::kAppend), 1U);
  EXPECT_EQ(disk.count(Operation::kSyncFolder), 1U);
  EXPECT_EQ(disk.count(Operation::kRead), 0U);
  EXPECT_EQ(disk.count(), 5U);
}

TEST(MemoryDiskFaults, AFolderWhoseSyncFailedIsNotThere) {
  MemoryDisk disk;
  disk.fail_sync("/");
  EXPECT_FALSE(disk.create_folders("/a/b"));
  EXPECT_THAT(disk.list("/").value(), ElementsAre());
  EXPECT_TRUE(disk.create_folders("/a/b"));
}

}  // namespace
}  // namespace pinflow::disk
