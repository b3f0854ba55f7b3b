#include "live/checkpoint.h"

#include <gtest/gtest.h>

#include "disk/memory_disk.h"

namespace pinflow::live {
namespace {

const disk::Path kFolder = "/data/state/live";

TEST(Checkpoint, HasTheseBytes) {
  // docs/formats/live-checkpoint.md shows them.
  const std::string file = encode_checkpoint("abc");
  EXPECT_EQ(file, std::string("pinflive\x01\0\0\0\xb7\x3f\x4b\x36\x03\0\0\0\0\0\0\0abc", 27));
  EXPECT_EQ(decode_checkpoint(file).value(), "abc");
}

TEST(Checkpoint, RefusesEveryDamagedByte) {
  const std::string good = encode_checkpoint("a state of some bytes");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(decode_checkpoint(bad)) << i;
    EXPECT_FALSE(decode_checkpoint(good.substr(0, i))) << i;
  }
  EXPECT_FALSE(decode_checkpoint(good + "x"));
}

TEST(Checkpoint, NamesAnotherVersion) {
  std::string file = encode_checkpoint("abc");
  file[8] = 2;
  const auto decoded = decode_checkpoint(file);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kInvalid);
  EXPECT_NE(decoded.error().message.find("version 2"), std::string::npos);
}

TEST(Checkpoint, IsTheLastOneOrTheOneBeforeAfterACrashAtAnyStep) {
  for (std::uint64_t step = 1; step < 12; ++step) {
    Random random(step);
    disk::MemoryDisk disk;
    ASSERT_TRUE(disk.create_folders(kFolder));
    ASSERT_TRUE(write_checkpoint(disk, kFolder, "first"));
    disk.lose_power_at(step);
    const bool written = write_checkpoint(disk, kFolder, "second").has_value();
    disk.crash(random);
    const auto state = read_checkpoint(disk, kFolder);
    ASSERT_TRUE(state) << step << " " << state.error().message;
    EXPECT_TRUE(*state == "second" || (!written && *state == "first")) << step;
  }
}

TEST(Checkpoint, SaysWhenThereIsNone) {
  disk::MemoryDisk disk;
  ASSERT_TRUE(disk.create_folders(kFolder));
  EXPECT_EQ(read_checkpoint(disk, kFolder).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace pinflow::live
