#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"
#include "disk/disk.h"
#include "objects/internal/scratch_folder.h"

namespace pinflow::objects::internal {

// Copies of remote objects on the local disk, for libraries that read files. Keeps at most `limit` bytes: what was used longest ago
// goes first. What was handed out within the last ten minutes stays, for somebody may be reading it; where that alone is
// more than the limit, there is no place. Lives as long as its process: starts empty, and leaves nothing. Safe from any thread; disk
// and clock outlive it.
class LocalCache final {
 public:
  LocalCache(disk::Disk& disk, const Clock& clock, disk::Path folder, ByteCount limit)
      : disk_(disk), clock_(clock), folder_(std::move(folder)), limit_(limit) {}

  struct Copy {
    disk::Path path;
    std::string tag;  // Of the object's contents (ETag).
  };
  // The copy of an object, if there is one. It stays for ten minutes from now.
  std::optional<Copy> find(const std::string& name);
  // Takes over a local file as the copy of an object; `used`: it is handed out at once. kOverloaded: no place; the file stays where it is.
  Result<disk::Path> add(const std::string& name, std::string tag, const disk::Path& file, std::uint64_t size,
                         bool used);
  void forget(const std::string& name);
  // A fresh path for a file that may be added, with the ending ".parquet" or another.
  Result<disk::Path> scratch(std::string_view suffix);

 private:
  struct Entry {
    disk::Path path;
    std::string tag;
    std::uint64_t size = 0;
    SteadyTime used;  // Handed out last, or added.
    bool handed_out = false;
  };
  void drop(std::map<std::string, Entry>::iterator entry);
  bool make_place(std::uint64_t size);

  disk::Disk& disk_;
  const Clock& clock_;
  const disk::Path folder_;
  const ByteCount limit_;
  std::mutex mutex_;  // Of what follows.
  std::unique_ptr<ScratchFolder> own_;
  std::map<std::string, Entry> entries_;
  std::uint64_t bytes_ = 0;
};

}  // namespace pinflow::objects::internal
