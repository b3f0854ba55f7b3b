#include "objects/folder_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "objects/internal/object_name.h"
#include "objects/internal/scratch_folder.h"

namespace pinflow::objects {

namespace {

using disk::Path;
using internal::check_object_name;
using internal::check_prefix;
using internal::is_part;
using internal::ScratchFolder;

constexpr std::string_view kScratch = ".scratch";

// Gathers the objects of a folder tree in the order of their names, reading only folders that can hold wanted
// ones.
class Walk final {
 public:
  Walk(disk::Disk& disk, const Path& root, const std::string& prefix, const std::string& start_after, std::size_t limit)
      : disk_(disk), root_(root), prefix_(prefix), start_after_(start_after), limit_(limit) {}

  // `base` is the folder's name with its '/', or empty for the root.
  Result<void> visit(const std::string& base) {
    std::string_view after = start_after_;
    if (after.starts_with(base))
      after.remove_prefix(base.size());
    else if (after > base)
      return {};  // The whole folder lies before it.
    else
      after = {};
    std::string_view prefix = prefix_;
    prefix.remove_prefix(std::min(prefix.size(), base.size()));

    auto entries = disk_.list(root_ / base, [&](std::string_view name) {
      return is_part(name) && name.starts_with(prefix) && (name > after || after.starts_with(name));
    });
    if (!entries && entries.error().code == ErrorCode::kNotFound) return {};
    TRY(entries);
    // As in S3, '/' takes part in the order: "a-b" lies before "a/x".
    for (disk::Entry& entry : *entries)
      if (entry.is_directory) entry.name += '/';
    std::ranges::sort(*entries, {}, &disk::Entry::name);
    for (disk::Entry& entry : *entries) {
      if (found_.size() >= limit_) return {};
      if (entry.is_directory)
        TRY(visit(base + entry.name));
      else if (entry.name > after)
        found_.push_back({base + entry.name, entry.size, entry.modified});
    }
    return {};
  }

  std::vector<ObjectInfo> take() && { return std::move(found_); }

 private:
  disk::Disk& disk_;
  const Path& root_;
  const std::string& prefix_;
  const std::string& start_after_;
  const std::size_t limit_;
  std::vector<ObjectInfo> found_;
};

class FolderStore final : public ObjectStore {
 public:
  FolderStore(disk::Disk& disk, Path root) : disk_(disk), root_(std::move(root)) {}

  Result<void> put(const std::string& name, std::string_view bytes) override {
    TRY_ASSIGN(const Path path, place_for(name));
    return disk_.write_file(path, bytes);
  }

  Result<void> put_new(const std::string& name, std::string_view bytes) override {
    TRY_ASSIGN(const Path path, place_for(name));
    return disk_.write_new_file(path, bytes);
  }

  Result<void> put_file(const std::string& name, const Path& local) override {
    TRY(disk_.sync_file(local));
    TRY_ASSIGN(const Path path, place_for(name));
    TRY(disk_.rename(local, path));
    if (auto synced = disk_.sync_folder(path.parent_path()); !synced)
      return fail(ErrorCode::kUnknownOutcome, fmt::format("object {} is in place but may not survive power loss: {}",
                                                          name, synced.error().message));
    return {};
  }

  Result<std::string> get(const std::string& name) override {
    TRY_ASSIGN(const Path path, path_of(name));
    auto bytes = disk_.read_file(path);
    if (!bytes && bytes.error().code == ErrorCode::kConflict) return missing(name);
    return bytes;
  }

  Result<ObjectInfo> describe(const std::string& name) override {
    TRY_ASSIGN(const Path path, path_of(name));
    TRY_ASSIGN(const disk::Entry entry, disk_.describe(path));
    if (entry.is_directory) return missing(name);
    return ObjectInfo{name, entry.size, entry.modified};
  }

  Result<std::vector<ObjectInfo>> list(const std::string& prefix, const std::string& start_after,
                                       std::size_t limit) override {
    TRY(check_prefix(prefix));
    Walk walk(disk_, root_, prefix, start_after, limit);
    TRY(walk.visit(prefix.substr(0, prefix.rfind('/') + 1)));
    return std::move(walk).take();
  }

  Result<std::vector<std::string>> folders(const std::string& prefix) override {
    TRY(check_prefix(prefix));
    const std::string base = prefix.substr(0, prefix.rfind('/') + 1);
    auto entries = disk_.list(root_ / base, [](std::string_view name) { return is_part(name); });
    std::vector<std::string> folders;
    if (!entries && entries.error().code == ErrorCode::kNotFound) return folders;
    TRY(entries);
    for (const disk::Entry& entry : *entries) {
      if (entry.is_directory) folders.push_back(entry.name);
    }
    std::ranges::sort(folders);
    return folders;
  }

  Result<void> remove(const std::string& name) override {
    TRY_ASSIGN(const Path path, path_of(name));
    auto removed = disk_.remove(path);
    // A folder is no object; neither is what would lie below a file.
    if (!removed && (removed.error().code == ErrorCode::kConflict || removed.error().code == ErrorCode::kNotFound))
      return {};
    return removed;
  }

  Result<Path> local_copy(const std::string& name) override {
    TRY(describe(name));
    return path_of(name);
  }

  Result<Path> scratch(std::string_view suffix) override {
    if (!suffix.empty() && !is_part(fmt::format("0{}", suffix)))
      return fail(ErrorCode::kInvalid, "the suffix of a scratch file may hold only A-Z a-z 0-9 . _ = + -");
    const std::scoped_lock lock(scratch_mutex_);
    if (!scratch_) {
      TRY_ASSIGN(scratch_, ScratchFolder::make(disk_, root_ / kScratch));
    }
    return scratch_->next(suffix);
  }

 private:
  Result<Path> path_of(const std::string& name) const {
    TRY(check_object_name(name));
    return root_ / name;
  }

  Result<Path> place_for(const std::string& name) {
    TRY_ASSIGN(Path path, path_of(name));
    TRY(disk_.create_folders(path.parent_path()));
    // Hadoop's checksum of what lay there before: Spark would refuse what comes now.
    TRY(disk_.remove(path.parent_path() / fmt::format(".{}.crc", path.filename().native())));
    return path;
  }

  std::unexpected<Error> missing(const std::string& name) const {
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no object {} in {}: a folder has this name", name, root_.native()));
  }

  disk::Disk& disk_;
  const Path root_;
  std::mutex scratch_mutex_;
  std::unique_ptr<ScratchFolder> scratch_;  // Made when first asked for, so that readers write nothing.
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_folder_store(disk::Disk& disk, const Path& root) {
  TRY(disk.create_folders(root));
  ScratchFolder::remove_dead(disk, root / kScratch);
  return std::make_unique<FolderStore>(disk, root);
}

}  // namespace pinflow::objects
