#include "running_pinflow.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sstream>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>

extern char** environ;

namespace pinflow::testing {

namespace {

std::string program() {
  const char* chosen = std::getenv("PINFLOW_BINARY");
  return chosen != nullptr ? chosen : PINFLOW_BINARY_DEFAULT;
}

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::abort();
}

// Starts the program with stdout into the pipe `out` and stderr into the file `err`.
pid_t spawn(const std::vector<std::string>& arguments, int out, int err) {
  std::vector<std::string> words = {program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) give_up(fmt::format("cannot start {}: error {}", words[0], failed));
  return pid;
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

int open_for_append(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pinflow-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) give_up("cannot make a temporary folder");
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Finished run_pinflow(const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  Finished finished = run_pinflow_into(open_for_append(folder / "out"), arguments);
  finished.out = read_whole(folder / "out");
  return finished;
}

Finished run_pinflow_into(int out, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  const int err = open_for_append(folder / "err");
  const pid_t pid = spawn(arguments, out, err);
  ::close(out);
  ::close(err);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {exit_code_of(status), {}, read_whole(folder / "err")};
}

RunningPinflow::RunningPinflow(const std::filesystem::path& data, std::vector<std::string> more_arguments) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) give_up("cannot make a pipe");
  const int err = open_for_append(data.string() + ".log");
  std::vector<std::string> arguments = {"up", "--data", data.string(), "--set", "http.port=0", "--set", "kafka.port=0"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  pid_ = spawn(arguments, pipe_ends[1], err);
  ::close(pipe_ends[1]);
  ::close(err);
  out_ = pipe_ends[0];
  // The first line that names an address says that the doors are open.
  std::string said;
  const std::string mark = "://127.0.0.1:";
  for (;;) {
    if (const auto at = said.find(mark);
        at != std::string::npos && said.find_first_of(" \n", at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::stoi(said.substr(at + mark.size())));
      return;
    }
    char buffer[512];
    const ssize_t got = ::read(out_, buffer, sizeof(buffer));
    if (got <= 0) give_up("pinflow up did not start:\n" + said + read_whole(data.string() + ".log"));
    said.append(buffer, static_cast<std::size_t>(got));
  }
}

RunningPinflow::~RunningPinflow() {
  if (pid_ > 0) kill_now();
  ::close(out_);
}

void RunningPinflow::hang_up() {
  ::kill(pid_, SIGHUP);
}

void RunningPinflow::kill_now() {
  ::kill(pid_, SIGKILL);
  wait();
}

int RunningPinflow::stop_gracefully() {
  ::kill(pid_, SIGTERM);
  return wait();
}

int RunningPinflow::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return exit_code_of(status);
}

}  // namespace pinflow::testing
