#include "disk/real_disk.h"

#include <cstdlib>
#include <filesystem>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pinflow::disk {
namespace {

using testing::HasSubstr;

class RealDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "pinflow-real-disk-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { ASSERT_TRUE(disk_->remove_tree(root_)); }

  std::unique_ptr<Disk> disk_ = make_real_disk();
  Path root_;
};

// Runs `work` in a forked process and returns its process id. The child's exit code is what `work` returns. It does not
// outlive this process.
template <class Work>
pid_t in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(work());
  }
  return child;
}

int exit_code(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A gate that a parent opens for its children: reading returns when the writing end is closed.
class Gate {
 public:
  Gate() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Gate() { ::close(ends_[0]); }
  void wait() {  // In the child.
    ::close(ends_[1]);
    char byte;
    (void)!::read(ends_[0], &byte, 1);
  }
  void open() { ::close(ends_[1]); }  // In the parent.

 private:
  int ends_[2] = {-1, -1};
};

TEST_F(RealDisk, OfTwoProcessesOneWritesTheNewFile) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const Path path = root_ / fmt::format("{:020}.json", round);
    Gate gate;
    pid_t children[3];
    for (int i = 0; i < 3; ++i)
      children[i] = in_child([&] {
        gate.wait();
        const auto written = disk_->write_new_file(path, std::string(100'000, static_cast<char>('0' + i)));
        if (written) return 1;
        return written.error().code == ErrorCode::kConflict ? 0 : 2;
      });
    gate.open();
    int winners = 0;
    int winner = -1;
    for (int i = 0; i < 3; ++i) {
      const int code = exit_code(children[i]);
      ASSERT_LE(code, 1);
      if (code == 1) winner = i;
      winners += code;
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(disk_->read_file(path).value(), std::string(100'000, static_cast<char>('0' + winner)));
  }
  EXPECT_EQ(disk_->list(root_).value().size(), static_cast<std::size_t>(kRounds));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_), {}), kRounds);  // No temporary is left.
}

TEST_F(RealDisk, NamesTheProcessThatHoldsTheLockUntilItDies) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = in_child([&] {
    const auto lock = disk_->lock_folder(root_);
    if (!lock) return 1;
    (void)!::write(ready[1], "x", 1);
    ::pause();
    return 0;
  });
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  const auto refused = disk_->lock_folder(root_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("process {} ", holder)));
  EXPECT_THAT(refused.error().message, HasSubstr("stop that process"));
  ASSERT_EQ(::kill(holder, SIGKILL), 0);
  EXPECT_EQ(exit_code(holder), -1);
  EXPECT_TRUE(disk_->lock_folder(root_));
}

// A limit on the size of files cuts a write short and then refuses it, as a full disk does.
TEST_F(RealDisk, AShortWriteIsReportedAndTheOldFileStays) {
  ASSERT_TRUE(disk_->write_file(root_ / "a", "old"));
  const int code = exit_code(in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto written = disk_->write_file(root_ / "a", std::string(5000, 'x'));
    if (written || written.error().code != ErrorCode::kUnavailable) return 2;
    if (written.error().message.find((root_ / "a").native()) == std::string::npos) return 3;
    return 0;
  }));
  EXPECT_EQ(code, 0);
  EXPECT_EQ(disk_->read_file(root_ / "a").value(), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_), {}), 1);
}

TEST_F(RealDisk, SaysThatTheDiskIsFullAndHowToMendIt) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const auto refused = disk_->open_append("/dev/full").value()->append("x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/dev/full"));
  EXPECT_THAT(refused.error().message, HasSubstr("No space left on device; free space"));
}

TEST_F(RealDisk, SaysThatAFolderIsForbidden) {
  constexpr uid_t kNobody = 65534;
  const bool is_root = ::geteuid() == 0;  // Whom nothing is forbidden.
  if (is_root && ::seteuid(kNobody) != 0) GTEST_SKIP() << "cannot give up root's rights here";
  const auto refused = disk_->create_folders("/usr/pinflow-of-nobody");
  if (is_root) ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/usr/pinflow-of-nobody: Permission denied; give user id"));
}

TEST_F(RealDisk, FollowsLinksToFoldersButRemovesOnlyTheLink) {
  ASSERT_TRUE(disk_->create_folders(root_ / "target"));
  ASSERT_TRUE(disk_->write_file(root_ / "target" / "a", "x"));
  ASSERT_TRUE(disk_->create_folders(root_ / "tree"));
  std::filesystem::create_directory_symlink(root_ / "target", root_ / "tree" / "link");
  EXPECT_TRUE(disk_->list(root_ / "tree").value()[0].is_directory);
  EXPECT_TRUE(disk_->create_folders(root_ / "tree" / "link" / "b"));
  ASSERT_TRUE(disk_->remove_tree(root_ / "tree"));
  EXPECT_EQ(disk_->read_file(root_ / "target" / "a").value(), "x");
}

TEST_F(RealDisk, WorksBelowTheCurrentFolder) {
  const Path before = std::filesystem::current_path();
  std::filesystem::current_path(root_);
  EXPECT_TRUE(disk_->create_folders("data/log"));
  EXPECT_TRUE(disk_->write_file("data/log/a", "x"));
  EXPECT_TRUE(disk_->write_file("b", "y"));
  EXPECT_EQ(disk_->read_file("b").value(), "y");
  std::filesystem::current_path(before);
  EXPECT_EQ(disk_->read_file(root_ / "data/log/a").value(), "x");
}

}  // namespace
}  // namespace pinflow::disk
