#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::disk {

// What a disk is asked to do. write_file is kOpen, kAppend, kSync, kRename, kSyncFolder; write_new_file has
// kLink and kRemove in place of kRename; create_folders is kCreateFolder and kSyncFolder for each folder that
// is missing, create_folders_in one kCreateFolder for each and one kSyncFolder.
enum class Operation {
  kOpen,
  kRead,
  kAppend,
  kTruncate,
  kSync,
  kSyncFolder,
  kCreateFolder,
  kList,
  kDescribe,
  kRename,
  kLink,
  kRemove,
  kLock,
};
inline constexpr std::size_t kOperationCount = 13;
std::string_view to_string(Operation operation);

namespace internal {

// Counts what a disk is asked and says which requests fail. Paths are in one spelling each. Not thread-safe.
class FaultPlan final {
 public:
  // Counts the request and returns the failure that was planned for it, if one was.
  Result<void> step(Operation operation, const Path& path);

  void fail_nth(std::optional<Operation> operation, std::uint64_t n, ErrorCode code);
  void fail_sync(Path path) { failing_syncs_.insert(std::move(path)); }
  void lose_power_at(std::uint64_t n);
  void clear();
  std::uint64_t count(std::optional<Operation> operation) const;

 private:
  struct Fault {
    std::optional<Operation> operation;
    std::uint64_t remaining = 0;
    ErrorCode code = ErrorCode::kUnavailable;
  };

  std::array<std::uint64_t, kOperationCount> counts_{};
  std::vector<Fault> faults_;
  std::optional<std::uint64_t> power_left_;  // Operations until the power goes.
  std::set<Path> failing_syncs_;
};

}  // namespace internal
}  // namespace pinflow::disk
