#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinflow::query::internal {

struct ChildEnd {
  std::string output;  // What it wrote to its standard output.
  int signal = 0;      // That ended it; 0: it ended by itself.
  int exit_code = 0;
  bool timed_out = false;  // Killed by us, for it took too long.
  bool too_much = false;   // Killed by us, for it wrote too much.
  bool cancelled = false;  // Killed by us, for nobody waits any more.
};

// Runs a program with `input` on its standard input and nothing else of ours: no other descriptors, an empty environment, no
// blocked signals. Blocks until it has ended; then no process is left. kUnavailable: it cannot be started.
Result<ChildEnd> run_child(const std::vector<std::string>& program, std::string_view input, std::size_t most_output,
                           std::chrono::milliseconds most_time, const std::stop_token& stop);

}  // namespace pinflow::query::internal
