#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::objects {

struct ObjectInfo {
  std::string name;  // Parts joined by '/', relative to the store; no leading slash.
  std::uint64_t size = 0;
  WallTime modified;
};

// Named immutable blobs, as S3 keeps them: whole or absent, durable once put. Safe from any thread. Calls
// block (disk or network): never on a network loop. Names are parts joined by '/',
// none beginning with '.', without control characters; ours are of [A-Za-z0-9._=+-], others' may hold anything else. Errors as of disk::Disk; kUnknownOutcome where a put may have happened.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<void> put(const std::string& name, std::string_view bytes) = 0;  // Replaces.
  // kConflict where the name exists; of several callers exactly one succeeds. Delta's commits rest on this.
  virtual Result<void> put_new(const std::string& name, std::string_view bytes) = 0;
  // Moves a local file, made by another library below scratch(), into the store.
  virtual Result<void> put_file(const std::string& name, const disk::Path& local) = 0;
  virtual Result<std::string> get(const std::string& name) = 0;
  virtual Result<ObjectInfo> describe(const std::string& name) = 0;
  // Objects whose name begins with `prefix` and sorts after `start_after`, sorted by name, at most `limit`. A
  // prefix that ends in '/' is a folder; listing a missing one gives nothing.
  virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& start_after = {},
                                               std::size_t limit = SIZE_MAX) = 0;
  // The folders directly below a folder (`prefix` ends in '/', or is empty) in which objects lie, sorted, without their slash. Costs a
  // call or two for each of them, however many objects they hold; but objects that lie directly in `prefix` may cost one each.
  virtual Result<std::vector<std::string>> folders(const std::string& prefix);
  // Missing is not an error. After power loss a removed object may be there again.
  virtual Result<void> remove(const std::string& name) = 0;
  // A local path from which other libraries can read the object now (for a folder: the object itself).
  virtual Result<disk::Path> local_copy(const std::string& name) = 0;
  // A fresh local path on the same device for a file that put_file will take. `suffix` is its ending:
  // ".parquet". What is still there when the store is closed is removed.
  virtual Result<disk::Path> scratch(std::string_view suffix) = 0;
};

}  // namespace pinflow::objects
