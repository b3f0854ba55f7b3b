#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/result.h"

namespace pinflow::bench {

// How a process ended and what it took.
struct Ended {
  int exit_code = 0;              // 128 + signal when killed.
  std::uint64_t peak_memory = 0;  // Bytes: the largest resident set, as the kernel counted it.
  double cpu_seconds = 0;
};

// The pinflow program as a child process; killed when this is destroyed before it ended. Its stderr goes to a file.
class Child {
 public:
  static Result<Child> start(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             const std::filesystem::path& errors);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  // Reads what it prints until `mark` and the word behind it are there, and gives that word. kUnavailable: it ended before.
  Result<std::string> word_behind(const std::string& mark);
  // Waits for the end; kUnavailable, and the process is killed, when it takes longer.
  Result<Ended> wait(std::chrono::seconds longest);
  // SIGTERM, then wait().
  Result<Ended> stop(std::chrono::seconds longest);
  const std::string& printed() const { return printed_; }  // So far; all of it after wait().

 private:
  Child() = default;
  bool read_more();
  pid_t pid_ = -1;
  int out_ = -1;
  std::filesystem::path errors_;
  std::string printed_;
};

// `pinflow up` on a data folder, on a free loopback port.
class Server {
 public:
  // Starts it and returns when /readyz answers 200.
  static Result<Server> start(const std::filesystem::path& program, const std::filesystem::path& data,
                              std::vector<std::string> more_arguments = {});
  std::uint16_t port() const { return port_; }
  // From the start of the process to the answer of /readyz.
  double start_milliseconds() const { return start_milliseconds_; }
  std::chrono::steady_clock::time_point started() const { return started_; }
  // Lets it end properly: closes the doors, lets the lanes catch up.
  Result<Ended> stop();

 private:
  explicit Server(Child child) : child_(std::move(child)) {}
  Child child_;
  std::uint16_t port_ = 0;
  double start_milliseconds_ = 0;
  std::chrono::steady_clock::time_point started_;
};

// Runs the program to its end; kUnavailable when it fails, with what it said.
struct Finished {
  Ended ended;
  std::string printed;
  double seconds = 0;
};
Result<Finished> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             const std::filesystem::path& errors, std::chrono::seconds longest);

}  // namespace pinflow::bench
