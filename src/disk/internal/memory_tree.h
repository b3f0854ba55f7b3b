#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "disk/disk.h"

namespace pinflow::disk::internal {

struct Node;
// Shared, because a file lives as long as any name, durable name or open handle leads to it.
using NodePtr = std::shared_ptr<Node>;

// A file or a folder of the in-memory disk: what a reader sees now, and what a crash would leave.
struct Node {
  struct Range {  // Half-open, in bytes.
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  bool is_directory = false;
  WallTime modified;

  // A file. Now: `bytes`. Durable: the first `common` of them, then `durable_tail`, which a truncation has
  // cut off.
  std::string bytes;
  std::size_t common = 0;
  std::string durable_tail;
  std::vector<Range> doomed;  // Pages that a failed sync dropped: a later sync passes over them.

  // A folder.
  std::map<std::string, NodePtr, std::less<>> entries;
  std::map<std::string, NodePtr, std::less<>> durable_entries;

  void truncate(std::size_t size);
  void synced();
  void sync_failed();
  // Makes `bytes` what is found after the power comes back.
  void settle(Random& random);
};

// The folders of the in-memory disk, with the changes that no sync_folder has made durable. Not thread-safe.
class MemoryTree final {
 public:
  MemoryTree();

  // Null where nothing is. Paths are taken lexically; a relative one begins at the root.
  NodePtr find(const Path& path) const;
  NodePtr parent_of(const Path& path) const;

  // Makes `name` lead to `node`, or to nothing. Changes of one `operation` are kept or forgotten together
  // where neither folder is synced.
  void set_entry(const NodePtr& folder, const std::string& name, NodePtr node, std::uint64_t operation);
  std::uint64_t next_operation() { return ++operations_; }
  void synced(const NodePtr& folder);

  void crash(Random& random);
  std::uint64_t used_bytes() const;

 private:
  struct Pending {
    NodePtr folder;
    std::string name;
    NodePtr node;
    std::uint64_t operation = 0;
  };

  NodePtr root_;
  std::vector<Pending> pending_;
  std::uint64_t operations_ = 0;
};

// Parts of a path without "." and root; ".." is resolved.
std::vector<std::string> parts_of(const Path& path);

}  // namespace pinflow::disk::internal
