#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/strong.h"

namespace pinflow::disk {

using Path = std::filesystem::path;

// One open file. Owned by one thread at a time, but for read_at, which any number of threads may call
// together. Closing (the destructor) syncs nothing.
class File {
 public:
  virtual ~File() = default;
  // Adds `bytes` at the end, whole or with an error; after an error the tail is unknown.
  virtual Result<void> append(std::string_view bytes) = 0;
  // Reads up to into.size() bytes from `offset`; fewer only at the end of the file, none past it (not an
  // error).
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  // Success means that all bytes and the size survive power loss (fdatasync). After a failure nothing is
  // known of any byte since the last success, and a second try proves nothing: fence what lies behind
  // (PostgreSQL's lesson of 2018).
  virtual Result<void> sync() = 0;
};

struct Entry {
  std::string name;  // Last part of the path.
  bool is_directory = false;
  std::uint64_t size = 0;  // Bytes; 0 for folders.
  WallTime modified;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Says of a name in a folder whether the caller wants it. Empty: every name.
using NameFilter = std::function<bool(std::string_view name)>;

// Held until destroyed; the operating system frees it when the process dies.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

// The file system as our storage sees it. Safe from any thread. Errors: kNotFound (no such file), kConflict
// (exists, or is locked by another process), kUnavailable (no space, read-only, permission: the message names
// path and cause), kCorrupt (I/O error).
class Disk {
 public:
  virtual ~Disk() = default;
  // Opens for append and read, making the file where it is missing. A new name is durable only after
  // sync_folder(parent).
  virtual Result<std::unique_ptr<File>> open_append(const Path& path) = 0;
  virtual Result<std::unique_ptr<File>> open_read(const Path& path) = 0;
  virtual Result<std::string> read_file(const Path& path) = 0;
  // Puts the file whole and durable in place of what was there, or leaves the old one (temporary, sync,
  // rename, sync).
  virtual Result<void> write_file(const Path& path, std::string_view bytes) = 0;
  // The same, but kConflict where the name exists: of several callers, in any process, exactly one succeeds
  // (link(2)).
  virtual Result<void> write_new_file(const Path& path, std::string_view bytes) = 0;
  virtual Result<void> create_folders(const Path& path) = 0;  // Durable; existing is not an error.
  // Makes folders of these names in one that exists, durable by one sync for all; existing is not an error.
  virtual Result<void> create_folders_in(const Path& parent, std::span<const std::string> names) = 0;
  // Sorted by name. Temporary files of write_file are left out. Names that `wanted` refuses cost no look at
  // the file.
  virtual Result<std::vector<Entry>> list(const Path& folder, const NameFilter& wanted) = 0;
  Result<std::vector<Entry>> list(const Path& folder) { return list(folder, {}); }
  virtual Result<Entry> describe(const Path& path) = 0;
  virtual Result<void> rename(const Path& from,
                              const Path& to) = 0;         // Replaces `to`; durable after sync_folder.
  virtual Result<void> remove(const Path& path) = 0;       // A file; missing is not an error.
  virtual Result<void> remove_tree(const Path& path) = 0;  // A folder and all in it; missing is not an error.
  virtual Result<void> sync_file(const Path& path) = 0;    // For files that another library wrote.
  virtual Result<void> sync_folder(const Path& path) = 0;
  // Takes the one writer's lock of a folder (file LOCK in it), which must exist, and removes the temporary
  // files that a dead writer left in it. kConflict names the process that holds it.
  virtual Result<std::unique_ptr<FolderLock>> lock_folder(const Path& folder) = 0;
  virtual Result<ByteCount> free_space(const Path& path) = 0;
};

}  // namespace pinflow::disk
