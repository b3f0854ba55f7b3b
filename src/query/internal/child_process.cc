#include "query/internal/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace pinflow::query::internal {

namespace {

using Clock = std::chrono::steady_clock;

std::unexpected<Error> system_failure(std::string_view what, int error) {
  return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", what, std::strerror(error)));
}

// The input lies whole in memory before the child begins, so neither side ever waits for the other to read it.
Result<void> fill(int file, std::string_view input) {
  while (!input.empty()) {
    const ssize_t written = ::write(file, input.data(), input.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_failure("handing a statement over", errno);
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::lseek(file, 0, SEEK_SET) != 0) return system_failure("handing a statement over", errno);
  return {};
}

Result<pid_t> spawn(const std::vector<std::string>& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: Ctrl-C in the terminal is for us, we end the child.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (const std::string& word : program) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char* no_environment[] = {nullptr};
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, program.front().c_str(), &actions, &attributes, arguments.data(), no_environment);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return system_failure(fmt::format("starting {}", program.front()), error);
  return child;
}

// Reads until the child closes its end, or one of the reasons to end it is there.
void read_output(int from, int wake, std::size_t most, Clock::time_point deadline, const std::stop_token& stop,
                 ChildEnd& end) {
  std::array<char, 65'536> buffer;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      end.timed_out = true;
      return;
    }
    std::array<pollfd, 2> ready{pollfd{from, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
    const int count = ::poll(ready.data(), ready.size(), static_cast<int>(left.count()));
    if (stop.stop_requested()) {
      end.cancelled = true;
      return;
    }
    if (count <= 0 || ready[0].revents == 0) continue;
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return;
    end.output.append(buffer.data(), static_cast<std::size_t>(got));
    if (end.output.size() > most) {
      end.too_much = true;
      return;
    }
  }
}

}  // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& program, std::string_view input, std::size_t most_output,
                           std::chrono::milliseconds most_time, const std::stop_token& stop) {
  const auto deadline = Clock::now() + most_time;
  const Descriptor file(::memfd_create("pinflow-statement", MFD_CLOEXEC));
  if (file.get() < 0) return system_failure("handing a statement over", errno);
  TRY(fill(file.get(), input));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_failure("making a pipe", errno);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.get() < 0) return system_failure("making an event", errno);
  TRY_ASSIGN(const pid_t child, spawn(program, file.get(), to.get()));
  to.close();
  ChildEnd end;
  {
    const std::stop_callback waker(stop, [&] { (void)::eventfd_write(wake.get(), 1); });
    read_output(from.get(), wake.get(), most_output, deadline, stop, end);
  }
  // Nobody else waits for it, so the number is still its own. One that ended is not hurt.
  (void)::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

}  // namespace pinflow::query::internal
