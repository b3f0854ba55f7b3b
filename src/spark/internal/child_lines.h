#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::spark::internal {

// How a child process ended: its exit code, or the signal that ended it.
struct Ended {
  int code = 0;
  int signal = 0;
};

// Runs a program (looked for in PATH) to its end and gives each line of its output and errors to `line`, without its newline, cut to 4 KiB.
// Its input is empty. When stopped, it and all of its process group are sent SIGTERM, and SIGKILL `grace` seconds later. It also gets SIGTERM
// when this process dies. kUnavailable: it cannot be started. kCancelled: it was stopped, and has ended.
Result<Ended> run_child(const std::vector<std::string>& arguments, const std::function<void(std::string_view)>& line,
                        std::stop_token stop, int grace_seconds = 10);

}  // namespace pinflow::spark::internal
