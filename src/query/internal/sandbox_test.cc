// What a worker cannot do once it is locked in, each fence alone: the number of the error tells which one refused. The attempts run in a
// process of their own (main() of query_runner_test.cc calls attempt_in_sandbox()), started as a worker is.
#include "query/internal/sandbox.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/landlock.h>
#include <map>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/internal/child_process.h"
#include "query/internal/sandbox_attempts.h"

namespace pinflow::query::internal {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kMemory = std::uint64_t{64} << 20;
constexpr std::uint64_t kFileSize = std::uint64_t{1} << 20;

// 0, or the error of a call that gave -1.
int error_of(long result) {
  return result < 0 ? errno : 0;
}

int open_as(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  const int error = error_of(descriptor);
  if (descriptor >= 0) (void)::close(descriptor);
  return error;
}

int spawn_true() {
  char name[] = "true";
  char* arguments[] = {name, nullptr};
  char* environment[] = {nullptr};
  pid_t child = 0;
  return ::posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, environment);
}

int map(std::uint64_t bytes) {
  void* const place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return place == MAP_FAILED ? errno : 0;
}

int write_past_file_size(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return -1;
  return error_of(::pwrite(descriptor, "x", 1, static_cast<off_t>(kFileSize)));
}

int limit_of_parent() {
  const rlimit none{0, 0};
  return error_of(::prlimit(::getppid(), RLIMIT_NOFILE, &none, nullptr));
}

// One attempt by its name: 0 where it came through, else the number of the error. `root` holds inside/ (readable), scratch/ and outside.
int attempt(std::string_view name, const std::filesystem::path& root) {
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const address = reinterpret_cast<const sockaddr*>(&loopback);
  const std::filesystem::path outside = root / "outside";
  int signal = SIGTERM;
  const std::map<std::string_view, std::function<int()>> attempts = {
      {"read inside", [&] { return open_as(root / "inside" / "file", O_RDONLY); }},
      {"write scratch", [&] { return open_as(root / "scratch" / "new", O_RDWR | O_CREAT); }},
      {"remove scratch", [&] { return error_of(::unlink((root / "scratch" / "old").c_str())); }},
      {"thread", [] { return std::thread([] {}).join(), 0; }},
      {"small mapping", [] { return map(kMemory / 2); }},
      {"read outside", [&] { return open_as(outside, O_RDONLY); }},
      {"read through a link", [&] { return open_as(root / "inside" / "link", O_RDONLY); }},
      {"read environment", [] { return open_as("/proc/self/environ", O_RDONLY); }},
      {"read /proc/self/mem", [] { return open_as("/proc/self/mem", O_RDWR); }},
      {"list outside", [&] { return open_as(root, O_RDONLY | O_DIRECTORY); }},
      {"write outside", [&] { return open_as(outside, O_WRONLY); }},
      {"make outside", [&] { return open_as(root / "new", O_WRONLY | O_CREAT); }},
      {"write inside", [&] { return open_as(root / "inside" / "file", O_WRONLY); }},
      {"remove outside", [&] { return error_of(::unlink(outside.c_str())); }},
      {"rename outside", [&] { return error_of(::rename(outside.c_str(), (root / "scratch" / "o").c_str())); }},
      {"link outside", [&] { return error_of(::link(outside.c_str(), (root / "scratch" / "o").c_str())); }},
      {"cut outside", [&] { return error_of(::truncate(outside.c_str(), 0)); }},
      {"rights outside", [&] { return error_of(::chmod(outside.c_str(), 0777)); }},
      {"owner outside", [&] { return error_of(::chown(outside.c_str(), ::getuid(), ::getgid())); }},
      {"times outside", [&] { return error_of(::utimensat(AT_FDCWD, outside.c_str(), nullptr, 0)); }},
      {"socket", [] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }},
      {"local socket", [] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"connect", [&] { return error_of(::connect(STDIN_FILENO, address, sizeof(loopback))); }},
      {"bind", [&] { return error_of(::bind(STDIN_FILENO, address, sizeof(loopback))); }},
      {"listen", [] { return error_of(::listen(STDIN_FILENO, 1)); }},
      {"fork", [] { return error_of(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }},
      {"spawn", spawn_true},
      {"exec", [] { return error_of(::execl("/bin/true", "true", nullptr)); }},
      {"ptrace", [] { return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
      {"kill", [] { return error_of(::kill(::getppid(), 0)); }},
      {"signal a thread", [] { return error_of(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0)); }},
      {"limit of parent", limit_of_parent},
      {"shared memory", [] { return error_of(::syscall(SYS_shmget, 0, 4096, 0600)); }},
      {"namespace", [] { return error_of(::syscall(SYS_unshare, 0x10000000)); }},
      {"io_uring", [] { return error_of(::syscall(SYS_io_uring_setup, 1, nullptr)); }},
      {"much mapping", [] { return map(2 * kMemory); }},
      {"large file", [&] { return write_past_file_size(root / "scratch" / "large"); }},
      {"new privileges", [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0; }},
      {"core dump", [] { return ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? EPERM : 0; }},
      {"processor time",
       [&] {
         while (signal != 0) continue;
         return 0;
       }},
  };
  const auto found = attempts.find(name);
  return found == attempts.end() ? -1 : found->second();
}

}  // namespace

void attempt_in_sandbox(std::string_view name, const std::filesystem::path& root) {
  (void)std::signal(SIGXFSZ, SIG_IGN);
  SandboxLimits limits;
  limits.memory = ByteCount(kMemory);
  limits.file_size = ByteCount(kFileSize);
  limits.cpu_seconds = 1;
  limits.readable = {root / "inside", root / "not there"};
  limits.writable = root / "scratch";
  std::string outcome = "not locked in";
  if (enter_sandbox(limits)) {
    const int error = attempt(name, root);
    outcome = error == 0 ? "done" : error < 0 ? "unknown attempt" : ::strerrorname_np(error);
  }
  (void)!::write(STDOUT_FILENO, outcome.data(), outcome.size());
  ::_exit(0);
}

namespace {

class Sandbox : public ::testing::Test {
 protected:
  Sandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-sandbox-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(root_ / "inside");
    std::filesystem::create_directories(root_ / "scratch");
    for (const char* const file : {"inside/file", "scratch/old", "outside"}) std::ofstream(root_ / file) << "kept";
    std::filesystem::create_symlink(root_ / "outside", root_ / "inside" / "link");
  }
  ~Sandbox() override { std::filesystem::remove_all(root_); }

  ChildEnd run(std::string_view name) {
    auto end = run_child({"/proc/self/exe", std::string(kAttemptCommand), std::string(name), root_.string()}, "", 1'000,
                         milliseconds(60'000), {});
    EXPECT_TRUE(end);
    return end ? *std::move(end) : ChildEnd();
  }
  void expect(const std::vector<std::string_view>& names, std::string_view outcome) {
    for (const std::string_view name : names) EXPECT_EQ(run(name).output, outcome) << name;
    std::ifstream file(root_ / "outside");
    std::string text;
    EXPECT_TRUE(std::getline(file, text));
    EXPECT_EQ(text, "kept");
  }

  std::filesystem::path root_;
};

bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

// A filter that is no address: EFAULT where the kernel would read it.
bool has_seccomp() {
  return ::prctl(PR_SET_SECCOMP, 2, nullptr) == -1 && errno == EFAULT;
}

TEST_F(Sandbox, LetsAReaderOfTablesWork) {
  expect({"read inside", "write scratch", "remove scratch", "thread", "small mapping"}, "done");
}

TEST_F(Sandbox, LandlockKeepsFilesOutsideOut) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  expect({"read outside", "read through a link", "read environment", "read /proc/self/mem", "list outside",
          "write outside", "make outside", "write inside", "remove outside"},
         "EACCES");
  for (const std::string_view name : {"rename outside", "link outside"})
    EXPECT_THAT(run(name).output, ::testing::AnyOf("EACCES", "EXDEV")) << name;
}

TEST_F(Sandbox, SeccompTakesTheNetworkProgramsProcessesAndRightsOfFiles) {
  if (!has_seccomp()) GTEST_SKIP() << "this kernel has no seccomp filters";
  expect({"socket", "local socket", "connect", "bind", "listen", "fork", "spawn", "exec", "ptrace", "kill",
          "signal a thread", "limit of parent", "shared memory", "namespace", "io_uring", "cut outside",
          "rights outside", "owner outside", "times outside"},
         "EPERM");
}

TEST_F(Sandbox, LimitsMemoryFilesAndPrivileges) {
  expect({"much mapping"}, "ENOMEM");
  expect({"large file"}, "EFBIG");
  expect({"new privileges", "core dump"}, "EPERM");
}

TEST_F(Sandbox, EndsWhatUsesMoreThanItsProcessorTime) {
  const ChildEnd end = run("processor time");
  EXPECT_EQ(end.signal, SIGXCPU);
  EXPECT_FALSE(end.timed_out);
}

}  // namespace
}  // namespace pinflow::query::internal
