#pragma once

#include <filesystem>
#include <string_view>

namespace pinflow::query::internal {

// For tests: the command by which the test's program is told to lock itself in and try one thing.
inline constexpr std::string_view kAttemptCommand = "attempt-in-sandbox";

// Locks this process in, does what `name` says, and writes "done" or the name of the error to standard output.
[[noreturn]] void attempt_in_sandbox(std::string_view name, const std::filesystem::path& root);

}  // namespace pinflow::query::internal
