#include "disk/internal/fault_plan.h"

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "disk/internal/os_error.h"

namespace pinflow::disk {

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::kOpen:
      return "open";
    case Operation::kRead:
      return "read";
    case Operation::kAppend:
      return "write to";
    case Operation::kTruncate:
      return "truncate";
    case Operation::kSync:
    case Operation::kSyncFolder:
      return "sync";
    case Operation::kCreateFolder:
      return "create folder";
    case Operation::kList:
      return "list";
    case Operation::kDescribe:
      return "look at";
    case Operation::kRename:
      return "rename";
    case Operation::kLink:
      return "create";
    case Operation::kRemove:
      return "remove";
    case Operation::kLock:
      return "lock";
  }
  std::unreachable();
}

namespace internal {

Result<void> FaultPlan::step(Operation operation, const Path& path) {
  ++counts_[static_cast<std::size_t>(operation)];
  const auto refuse = [&](ErrorCode code, std::string_view cause) {
    return fail(code, fmt::format("cannot {} {}: {}", to_string(operation), path.native(), cause));
  };
  if (power_left_) {
    if (*power_left_ == 0) return refuse(ErrorCode::kUnavailable, "the power is out");
    --*power_left_;
  }
  std::optional<ErrorCode> code;
  for (Fault& fault : faults_)
    if ((!fault.operation || fault.operation == operation) && --fault.remaining == 0) code = fault.code;
  std::erase_if(faults_, [](const Fault& fault) { return fault.remaining == 0; });
  if (code) return refuse(*code, "the test asked for this failure");
  if ((operation == Operation::kSync || operation == Operation::kSyncFolder) && failing_syncs_.erase(path) > 0)
    return fail(os_error("sync", path, EIO));
  return {};
}

void FaultPlan::fail_nth(std::optional<Operation> operation, std::uint64_t n, ErrorCode code) {
  CHECK(n > 0, "operations are counted from 1");
  faults_.push_back({operation, n, code});
}

void FaultPlan::lose_power_at(std::uint64_t n) {
  CHECK(n > 0, "operations are counted from 1");
  power_left_ = n - 1;
}

void FaultPlan::clear() {
  faults_.clear();
  power_left_.reset();
  failing_syncs_.clear();
}

std::uint64_t FaultPlan::count(std::optional<Operation> operation) const {
  if (operation) return counts_[static_cast<std::size_t>(*operation)];
  std::uint64_t all = 0;
  for (const std::uint64_t one : counts_) all += one;
  return all;
}

}  // namespace internal
}  // namespace pinflow::disk
