#include "spark/internal/child_lines.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"

namespace pinflow::spark::internal {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestLine = 4096;

std::unexpected<Error> system_failure(std::string_view what, int error) {
  return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", what, std::strerror(error)));
}

// Behind fork: only calls that are safe in a signal handler. Tells why the program could not be started on `failed`.
[[noreturn]] void become(char* const* arguments, int nothing, int output, int failed, pid_t parent) {
  (void)::setpgid(0, 0);
  (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) (void)::signal(signal, SIG_DFL);
  if (::getppid() == parent && ::dup2(nothing, 0) >= 0 && ::dup2(output, 1) >= 0 && ::dup2(output, 2) >= 0)
    ::execvp(arguments[0], arguments);
  const int why = errno;
  (void)!::write(failed, &why, sizeof why);
  ::_exit(127);
}

// Cuts what comes into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& line) : line_(line) {}
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        end();
      } else if (rest_.size() < kLongestLine) {
        rest_ += c;
      }
    }
  }
  void end() {
    if (!rest_.empty()) line_(rest_);
    rest_.clear();
  }

 private:
  const std::function<void(std::string_view)>& line_;
  std::string rest_;
};

// Reads until all writers have closed; once stopped asks the group to end, and then ends it.
Result<void> read_lines(int output, int stopped, pid_t group, int grace_seconds, Lines& lines) {
  std::optional<Clock::time_point> until;
  std::array<char, 16384> bytes;
  while (true) {
    std::array<pollfd, 2> waits = {{{output, POLLIN, 0}, {until ? -1 : stopped, POLLIN, 0}}};
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now());
      if (left.count() <= 0) {
        (void)::kill(-group, SIGKILL);
        return {};
      }
      timeout = static_cast<int>(left.count());
    }
    if (::poll(waits.data(), waits.size(), timeout) < 0 && errno != EINTR)
      return system_failure("waiting for a child process", errno);
    if ((waits[1].revents & POLLIN) != 0) {
      (void)::kill(-group, SIGTERM);
      until = Clock::now() + std::chrono::seconds(grace_seconds);
    }
    if (waits[0].revents == 0) continue;
    const ssize_t read = ::read(output, bytes.data(), bytes.size());
    if (read < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (read <= 0) return {};
    lines.add({bytes.data(), static_cast<std::size_t>(read)});
  }
}

}  // namespace

Result<Ended> run_child(const std::vector<std::string>& arguments, const std::function<void(std::string_view)>& line,
                        std::stop_token stop, int grace_seconds) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  int out[2], failed[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return system_failure("making a pipe", errno);
  const Descriptor output(out[0]);
  Descriptor output_end(out[1]);
  if (::pipe2(failed, O_CLOEXEC) != 0) return system_failure("making a pipe", errno);
  const Descriptor why(failed[0]);
  Descriptor why_end(failed[1]);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor stopped(::eventfd(0, EFD_CLOEXEC));
  if (nothing.get() < 0 || stopped.get() < 0) return system_failure("preparing a child process", errno);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return system_failure(fmt::format("starting {}", arguments[0]), errno);
  if (child == 0) become(words.data(), nothing.get(), output_end.get(), why_end.get(), parent);
  (void)::setpgid(child, child);  // Both sides say so: the first to come counts.
  output_end.close();
  why_end.close();
  int error = 0;
  if (::read(why.get(), &error, sizeof error) == sizeof error) {
    (void)::waitpid(child, nullptr, 0);
    return fail(ErrorCode::kUnavailable, fmt::format("cannot start {}: {}", arguments[0], std::strerror(error)));
  }

  Lines lines(line);
  const std::stop_callback on_stop(stop, [&] { (void)::eventfd_write(stopped.get(), 1); });
  const Result<void> read = read_lines(output.get(), stopped.get(), child, grace_seconds, lines);
  lines.end();
  if (!read) (void)::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!read) return fail(read.error());
  if (stop.stop_requested()) {
    (void)::kill(-child, SIGKILL);  // What it started and left behind.
    return fail(ErrorCode::kCancelled, fmt::format("{} was stopped", arguments[0]));
  }
  if (WIFSIGNALED(status)) return Ended{.code = 0, .signal = WTERMSIG(status)};
  return Ended{.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace pinflow::spark::internal
