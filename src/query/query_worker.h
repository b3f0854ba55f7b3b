#pragma once

#include <string_view>

namespace pinflow::query {

// The name of the command by which a process is told to be a worker.
inline constexpr std::string_view kWorkerCommand = "query-worker";

// What the process of one statement does: takes a request from its standard input, locks itself in, checks the statement and runs it,
// and writes the answer to its standard output. Never returns; called before any thread is made.
[[noreturn]] void run_query_worker();

}  // namespace pinflow::query
