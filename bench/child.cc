#include "child.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "http/client.h"

extern char** environ;

namespace pinflow::bench {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr seconds kStartLimit{60};
constexpr seconds kStopLimit{60};

std::string error_text(int number) {
  return std::generic_category().message(number);
}

std::string tail_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  const std::string all = text.str();
  return all.substr(all.size() > 2'000 ? all.size() - 2'000 : 0);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

Result<Child> Child::start(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                           const std::filesystem::path& errors) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::kUnavailable, "cannot make a pipe: " + error_text(errno));
  const int err = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::vector<std::string> words = {program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  Child child;
  const int failed = ::posix_spawn(&child.pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ::close(err);
  child.out_ = ends[0];
  child.errors_ = errors;
  if (failed != 0) {
    child.pid_ = -1;
    return fail(ErrorCode::kUnavailable, fmt::format("cannot start {}: {}", words[0], error_text(failed)));
  }
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      out_(std::exchange(other.out_, -1)),
      errors_(std::move(other.errors_)),
      printed_(std::move(other.printed_)) {}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
}

bool Child::read_more() {
  char buffer[4096];
  const ssize_t got = ::read(out_, buffer, sizeof(buffer));
  if (got <= 0) return false;
  printed_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

Result<std::string> Child::word_behind(const std::string& mark) {
  while (true) {
    const std::size_t at = printed_.find(mark);
    const std::size_t end = at == std::string::npos ? at : printed_.find_first_of(" \n", at + mark.size());
    if (end != std::string::npos) return printed_.substr(at + mark.size(), end - at - mark.size());
    if (!read_more())
      return fail(ErrorCode::kUnavailable, "pinflow ended early. It said:\n" + printed_ + tail_of(errors_));
  }
}

Result<Ended> Child::wait(seconds longest) {
  // A process descriptor is readable when the process ended, so nobody has to look again and again.
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd ways[2] = {{process, POLLIN, 0}, {out_, POLLIN, 0}};
  const auto deadline = steady_clock::now() + longest;
  bool ended = false;
  while (!ended && steady_clock::now() < deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (::poll(ways, 2, static_cast<int>(left)) <= 0) continue;
    if ((ways[1].revents & (POLLIN | POLLHUP)) != 0 && !read_more()) ways[1].fd = -1;
    ended = (ways[0].revents & POLLIN) != 0;
  }
  ::close(process);
  if (!ended) ::kill(pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  ::wait4(pid_, &status, 0, &usage);
  pid_ = -1;
  while (read_more()) {
  }
  if (!ended) return fail(ErrorCode::kUnavailable, fmt::format("pinflow did not end within {} s", longest.count()));
  return Ended{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
               .peak_memory = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
               .cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)};
}

Result<Ended> Child::stop(seconds longest) {
  ::kill(pid_, SIGTERM);
  return wait(longest);
}

Result<Server> Server::start(const std::filesystem::path& program, const std::filesystem::path& data,
                             std::vector<std::string> more_arguments) {
  std::vector<std::string> arguments = {
      "up", "--data", data.string(), "--set", "http.port=0", "--set", "kafka.port=0", "--set", "logging.level=warning"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  const auto started = steady_clock::now();
  TRY_ASSIGN(Child child, Child::start(program, arguments, data.string() + ".log"));
  Server server(std::move(child));
  server.started_ = started;
  TRY_ASSIGN(const std::string port, server.child_.word_behind("http://127.0.0.1:"));
  server.port_ = static_cast<std::uint16_t>(std::atoi(port.c_str()));
  const auto client = http::make_client({.host = "127.0.0.1", .port = server.port_, .prefix = ""}, seconds(10));
  http::Request request;
  request.method = "GET";
  request.target = "/readyz";
  while (steady_clock::now() - started < kStartLimit) {
    const auto response = client->send(request);
    if (response && response->status == 200) {
      server.start_milliseconds_ = duration<double, std::milli>(steady_clock::now() - started).count();
      return server;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  return fail(ErrorCode::kUnavailable, fmt::format("pinflow up was not ready within {} s", kStartLimit.count()));
}

Result<Ended> Server::stop() {
  TRY_ASSIGN(const Ended ended, child_.stop(kStopLimit));
  if (ended.exit_code != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("pinflow up ended with exit code {}", ended.exit_code));
  }
  return ended;
}

Result<Finished> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             const std::filesystem::path& errors, seconds longest) {
  const auto started = steady_clock::now();
  TRY_ASSIGN(Child child, Child::start(program, arguments, errors));
  TRY_ASSIGN(const Ended ended, child.wait(longest));
  const double took = duration<double>(steady_clock::now() - started).count();
  if (ended.exit_code != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} {} ended with exit code {}:\n{}", program.string(),
                                                     fmt::join(arguments, " "), ended.exit_code, tail_of(errors)));
  }
  return Finished{.ended = ended, .printed = child.printed(), .seconds = took};
}

}  // namespace pinflow::bench
