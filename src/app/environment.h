#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/hangups.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/random.h"
#include "config/config.h"
#include "disk/disk.h"

namespace pinflow::app {

// What main() makes once and hands to every command: the outside world and what the user asked for.
struct Environment {
  SystemClock clock;
  std::unique_ptr<disk::Disk> disk;
  config::Loaded settings;
  std::unique_ptr<Logger> logger;  // To stderr, as the settings say.
  std::stop_token stop;            // Requested by SIGINT and SIGTERM.
  // What SIGHUP does, with `pinflow up`. Shared with the thread of the signals, which nothing ends before the process.
  std::shared_ptr<Hangups> hangups = std::make_shared<Hangups>();
  bool quiet = false;   // No progress and no remarks on stderr.
  std::string program;  // As the user typed it, for hints.

  const config::Config& config() const { return settings.config; }
  // A part of the data folder, absolute: the SQL engine takes no other paths.
  disk::Path folder(std::string_view part) const { return std::filesystem::absolute(config().data.folder) / part; }
};

// Exit codes, as documented in docs/command-line.md.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         // A check or a part of the work failed; what failed was told.
  kUsage = 2,          // The command line is wrong, or names what is not there.
  kConfiguration = 3,  // The configuration is wrong.
  kDataQuality = 4,    // A data check that stops the job failed.
  kUnavailable = 5,    // A server, a folder or a source is not to be had now.
  kStorage = 6,        // Stored bytes are damaged.
  kInterrupted = 130,
  kOutputClosed = 141,  // Whoever read the output has gone; as of a program that SIGPIPE ends.
};

// The exit code for an error that ended a command.
ExitCode exit_code_of(const Error& error);

}  // namespace pinflow::app
