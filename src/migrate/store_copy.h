#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "objects/object_store.h"

namespace pinflow::migrate {

struct StoreTotals {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const StoreTotals&, const StoreTotals&) = default;
};

struct StoreCopyOptions {
  // Names that stay where they are: what the other side must have of its own.
  std::function<bool(const std::string& name)> leave = [](const std::string&) { return false; };
  // Names that point at others and are put after all of those.
  std::function<bool(const std::string& name)> late = [](const std::string&) { return false; };
  // Names whose objects are replaced in the course of things; of all others, another object of the name is a conflict.
  std::function<bool(const std::string& name)> changing = [](const std::string&) { return false; };
  unsigned at_once = 8;
};

// What of a store there is to copy: all objects that are not left.
Result<StoreTotals> plan_store(objects::ObjectStore& from, const StoreCopyOptions& options);

using StoreProgress = std::function<void(const StoreTotals& done)>;  // Never told by two threads at the same time.

// Copies the objects that are not there yet; gives those that were put now. Ends early where it is stopped (kCancelled) or an object fails, and goes on
// when called again: an object that is there is compared, by its bytes where it is small and else by its size. kConflict: an object of that name is
// there and is another. Nobody else may write to either store meanwhile. Blocks; both stores are used from several threads. Memory: `at_once`
// objects.
Result<StoreTotals> copy_store(objects::ObjectStore& from, objects::ObjectStore& to, const StoreCopyOptions& options,
                               const StoreProgress& progress, std::stop_token stop);

// For the store of the tables (data files before the log that names them) and for that of the objects (objects before the plans of the sink).
StoreCopyOptions tables_copy();
StoreCopyOptions objects_copy();

}  // namespace pinflow::migrate
