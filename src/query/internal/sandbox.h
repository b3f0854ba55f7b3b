#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "base/strong.h"

namespace pinflow::query::internal {

struct SandboxLimits {
  ByteCount memory{0};     // Address space beyond what is mapped already.
  ByteCount file_size{0};  // Of one file.
  int cpu_seconds = 60;    // Of all threads together.
  std::vector<std::filesystem::path> readable;
  std::filesystem::path writable;
};

// Takes from this process, for good, what reading tables does not need: memory and processor time past the limits, core dumps, new
// privileges, the network, other programs and processes (seccomp), and files outside the given folders (Landlock). Call it while there
// is one thread. Past the limit of processor time comes SIGXCPU. kUnavailable: a limit or a fence that the kernel has cannot be set. Where
// it has no seccomp or no Landlock, that one is passed over: the fence inside the SQL engine stands alone there.
Result<void> enter_sandbox(const SandboxLimits& limits);

}  // namespace pinflow::query::internal
