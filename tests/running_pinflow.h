#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"

namespace pinflow::testing {

// A folder of its own for a test, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& part) const { return path_ / part; }

 private:
  std::filesystem::path path_;
};

struct Finished {
  int exit_code = 0;  // 128 + signal when killed.
  std::string out;
  std::string err;
};

// Runs the pinflow program under test to its end. The program is $PINFLOW_BINARY, or the one of this build.
Finished run_pinflow(const std::vector<std::string>& arguments);
// The same with stdout into `out`, which is closed.
Finished run_pinflow_into(int out, const std::vector<std::string>& arguments);

// `pinflow up` as a child process on a free loopback port.
class RunningPinflow {
 public:
  // Starts it on the data folder and waits until it says where it listens; a failure to start ends the test program with
  // what it said. Its stderr goes to <data>.log, appended.
  explicit RunningPinflow(const std::filesystem::path& data, std::vector<std::string> more_arguments = {});
  ~RunningPinflow();  // Kills it if it still runs.
  RunningPinflow(const RunningPinflow&) = delete;
  RunningPinflow& operator=(const RunningPinflow&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  void hang_up();         // SIGHUP: it reads its certificates anew.
  void kill_now();        // SIGKILL, and waits for the end.
  int stop_gracefully();  // SIGTERM; gives the exit code.

 private:
  int wait();
  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace pinflow::testing
