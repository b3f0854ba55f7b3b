#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "disk/disk.h"

namespace pinflow::objects::internal {

// The scratch files of one open store: a folder of its own below a parent that several processes share, locked, so that others see that
// it is in use. Removed with all in it when destroyed. Not thread-safe; `disk` outlives it.
class ScratchFolder final {
 public:
  static Result<std::unique_ptr<ScratchFolder>> make(disk::Disk& disk, const disk::Path& parent);
  ScratchFolder(disk::Disk& disk, disk::Path path, std::unique_ptr<disk::FolderLock> lock)
      : disk_(disk), path_(std::move(path)), lock_(std::move(lock)) {}
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { (void)disk_.remove_tree(path_); }

  // Removes the folders of stores whose process is gone. Best effort: what cannot be removed only costs space.
  static void remove_dead(disk::Disk& disk, const disk::Path& parent);

  // A path that was not given before.
  disk::Path next(std::string_view suffix);

 private:
  disk::Disk& disk_;
  const disk::Path path_;
  std::unique_ptr<disk::FolderLock> lock_;
  std::uint64_t files_ = 0;
};

}  // namespace pinflow::objects::internal
