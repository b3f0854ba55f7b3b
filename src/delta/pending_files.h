#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "delta/data_file.h"
#include "objects/object_store.h"

namespace pinflow::delta {

// Data files of one table that are written, while the store still takes them: it syncs or sends each on a thread of its own, so that whoever
// writes goes on with the next. Used by one thread at a time. Store and logger outlive it. Files that nobody took are waited for and
// deleted.
class PendingFiles final {
 public:
  PendingFiles(objects::ObjectStore& store, Logger& logger, std::string table);
  PendingFiles(PendingFiles&& other) noexcept = default;
  PendingFiles& operator=(PendingFiles&& other) noexcept;
  ~PendingFiles();

  // Begins to put a local file into the store as `file`. Waits while too many others of ours are on their way.
  void put(DataFile file, disk::Path local);
  // Takes over what another has.
  void add(PendingFiles&& others);
  // Waits until the store has all of them. Success: they are durable. After an error none is left.
  Result<std::vector<DataFile>> take();
  bool empty() const { return puts_.empty(); }
  std::int64_t rows() const;

 private:
  struct Put {
    DataFile file;
    std::future<Result<void>> done;
  };
  void discard(const DataFile& file);

  objects::ObjectStore* store_;
  Logger* logger_;
  std::string table_;
  std::vector<Put> puts_;
};

}  // namespace pinflow::delta
