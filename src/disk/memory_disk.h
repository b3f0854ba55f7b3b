#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "disk/disk.h"
#include "disk/internal/fault_plan.h"
#include "disk/internal/memory_tree.h"

namespace pinflow::disk {

// A disk for tests of whatever stores: it tears, refuses and forgets, the same way for the same Random.
//
// Simulates: file content and size are durable only after File::sync or sync_file; names (made, linked,
// renamed, removed) only after sync_folder of their folder, as the strictest POSIX file system has it. A
// rename across folders is two changes: with one folder synced the other half can be lost. crash() keeps of
// each file's unsynced tail a random prefix, torn at any byte or at a 512-byte sector, with zeros or garbage
// in some of its sectors; forgets unsynced truncations or keeps them; and forgets a random subset of unsynced
// names, in any order. Bytes of which a sync failed stay lost although a later sync succeeds (Linux drops
// such pages). A failed append leaves a part of its bytes. A full disk takes what fits. Does not simulate:
// damage to synced bytes (but for flip_byte), writes within a file (Disk has none), symbolic links, rights,
// a lock held by another process, time of any operation.
//
// Safe from any thread. Must outlive its files and locks. Without a Clock, `modified` is a count of changes
// in ms.
class MemoryDisk final : public Disk {
 public:
  explicit MemoryDisk(const Clock* clock = nullptr) : clock_(clock) {}

  // Cuts the power and brings it back: unsynced state is lost, faults are cleared, locks are free, and every
  // file and lock handle from before is dead (kUnavailable).
  void crash(Random& random);

  // Makes the nth operation from now fail once (1: the next). No operation given: of any kind. Several faults
  // can wait.
  void fail_nth(std::optional<Operation> operation, std::uint64_t n, ErrorCode code);
  // Makes the next sync of this file or folder fail with kCorrupt; its unsynced bytes are then lost for good.
  void fail_sync(const Path& path);
  // Makes the nth operation from now and all after it fail with kUnavailable until crash(): for crashing at
  // every step.
  void lose_power_at(std::uint64_t n);
  void clear_faults();

  // The bytes that all files may take together; none: unlimited.
  void set_capacity(std::optional<ByteCount> capacity);
  // Damages the medium: the byte at `offset`, which must exist, becomes its complement.
  void flip_byte(const Path& path, std::uint64_t offset);
  // How often it was asked, refusals included. No operation given: of any kind.
  std::uint64_t count(std::optional<Operation> operation = {}) const;

  using Disk::list;
  Result<std::unique_ptr<File>> open_append(const Path& path) override;
  Result<std::unique_ptr<File>> open_read(const Path& path) override;
  Result<std::string> read_file(const Path& path) override;
  Result<void> write_file(const Path& path, std::string_view bytes) override;
  Result<void> write_new_file(const Path& path, std::string_view bytes) override;
  Result<void> create_folders(const Path& path) override;
  Result<void> create_folders_in(const Path& parent, std::span<const std::string> names) override;
  Result<std::vector<Entry>> list(const Path& folder, const NameFilter& wanted) override;
  Result<Entry> describe(const Path& path) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> remove(const Path& path) override;
  Result<void> remove_tree(const Path& path) override;
  Result<void> sync_file(const Path& path) override;
  Result<void> sync_folder(const Path& path) override;
  Result<std::unique_ptr<FolderLock>> lock_folder(const Path& folder) override;
  Result<ByteCount> free_space(const Path& path) override;

 private:
  class OpenFile;
  class HeldLock;

  // Called with mutex_ held.
  Result<void> step(Operation operation, const Path& path);
  Result<internal::NodePtr> file_at(std::string_view action, const Path& path) const;
  Result<internal::NodePtr> folder_at(std::string_view action, const Path& path) const;
  Result<internal::NodePtr> open_node(const Path& path, bool make);
  Result<void> append_to(internal::Node& file, std::string_view bytes, const Path& path);
  Result<void> sync_node(internal::Node& file, const Path& path);
  void remove_below(const internal::NodePtr& folder);
  void touch(internal::Node& node);
  std::string temporary_prefix() const;  // Of temporary names since the last crash; others are leftovers.

  // Called without it: each step lets others in between, as on a real disk.
  Path temporary_in(const Path& folder);
  Result<void> prepare(const Path& temporary, std::string_view bytes);
  Result<void> link(const Path& from, const Path& to);
  Result<void> sync_new_name(const Path& path);

  const Clock* clock_;
  mutable std::mutex mutex_;
  internal::MemoryTree tree_;
  std::uint64_t generation_ = 0;  // Crashes so far; handles of an older one are dead.
  std::uint64_t changes_ = 0;
  std::uint64_t temporaries_ = 0;
  internal::FaultPlan plan_;
  std::set<Path> locked_;
  std::optional<ByteCount> capacity_;
};

}  // namespace pinflow::disk
