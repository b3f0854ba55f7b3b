#include "disk/memory_disk.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "disk/internal/os_error.h"
#include "disk/internal/temporary_name.h"

namespace pinflow::disk {

namespace {

using internal::Node;
using internal::NodePtr;
using internal::os_error;

std::unexpected<Error> os_fail(std::string_view action, const Path& path, int error_number) {
  return fail(os_error(action, path, error_number));
}

// One spelling for each path, so that paths can be compared.
Path plain(const Path& path) {
  Path result("/");
  for (const std::string& part : internal::parts_of(path)) result /= part;
  return result;
}

Entry entry_of(std::string name, const Node& node) {
  return Entry{
      .name = std::move(name), .is_directory = node.is_directory, .size = node.bytes.size(), .modified = node.modified};
}

}  // namespace

class MemoryDisk::OpenFile final : public File {
 public:
  OpenFile(MemoryDisk& disk, NodePtr node, Path path, bool writable)
      : disk_(disk),
        generation_(disk.generation_),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable) {}

  Result<void> append(std::string_view bytes) override {
    const std::scoped_lock lock(disk_.mutex_);
    TRY(alive("write to"));
    if (!writable_) return os_fail("write to", path_, EBADF);
    if (auto allowed = disk_.step(Operation::kAppend, path_); !allowed) {
      node_->bytes += bytes.substr(0, bytes.size() / 2);
      return allowed;
    }
    return disk_.append_to(*node_, bytes, path_);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    const std::scoped_lock lock(disk_.mutex_);
    TRY(alive("read"));
    TRY(disk_.step(Operation::kRead, path_));
    if (offset >= node_->bytes.size()) return 0;
    return node_->bytes.copy(into.data(), into.size(), offset);
  }

  Result<std::uint64_t> size() const override {
    const std::scoped_lock lock(disk_.mutex_);
    TRY(alive("look at"));
    TRY(disk_.step(Operation::kDescribe, path_));
    return node_->bytes.size();
  }

  Result<void> truncate(std::uint64_t size) override {
    const std::scoped_lock lock(disk_.mutex_);
    TRY(alive("truncate"));
    TRY(disk_.step(Operation::kTruncate, path_));
    if (!writable_) return os_fail("truncate", path_, EINVAL);
    node_->truncate(size);
    disk_.touch(*node_);
    return {};
  }

  Result<void> sync() override {
    const std::scoped_lock lock(disk_.mutex_);
    TRY(alive("sync"));
    if (sync_failure_) return fail(*sync_failure_);
    auto synced = disk_.sync_node(*node_, path_);
    if (!synced) sync_failure_ = synced.error();
    return synced;
  }

 private:
  Result<void> alive(std::string_view action) const {
    if (generation_ == disk_.generation_) return {};
    return fail(
        ErrorCode::kUnavailable,
        fmt::format("cannot {} {}: the file was opened before the crash; open it again", action, path_.native()));
  }

  MemoryDisk& disk_;
  const std::uint64_t generation_;
  NodePtr node_;
  Path path_;
  bool writable_;
  std::optional<Error> sync_failure_;
};

class MemoryDisk::HeldLock final : public FolderLock {
 public:
  HeldLock(MemoryDisk& disk, Path folder) : disk_(disk), generation_(disk.generation_), folder_(std::move(folder)) {}
  ~HeldLock() override {
    const std::scoped_lock lock(disk_.mutex_);
    if (generation_ == disk_.generation_) disk_.locked_.erase(folder_);
  }

 private:
  MemoryDisk& disk_;
  const std::uint64_t generation_;
  Path folder_;
};

// The test's side.

void MemoryDisk::crash(Random& random) {
  const std::scoped_lock lock(mutex_);
  tree_.crash(random);
  ++generation_;
  plan_.clear();
  locked_.clear();
}

void MemoryDisk::fail_nth(std::optional<Operation> operation, std::uint64_t n, ErrorCode code) {
  const std::scoped_lock lock(mutex_);
  plan_.fail_nth(operation, n, code);
}

void MemoryDisk::fail_sync(const Path& path) {
  const std::scoped_lock lock(mutex_);
  plan_.fail_sync(plain(path));
}

void MemoryDisk::lose_power_at(std::uint64_t n) {
  const std::scoped_lock lock(mutex_);
  plan_.lose_power_at(n);
}

void MemoryDisk::clear_faults() {
  const std::scoped_lock lock(mutex_);
  plan_.clear();
}

void MemoryDisk::set_capacity(std::optional<ByteCount> capacity) {
  const std::scoped_lock lock(mutex_);
  capacity_ = capacity;
}

void MemoryDisk::flip_byte(const Path& path, std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  const NodePtr node = tree_.find(path);
  CHECK(node && !node->is_directory && offset < node->bytes.size(), "there is no such byte to flip");
  node->bytes[offset] = static_cast<char>(~node->bytes[offset]);
}

std::uint64_t MemoryDisk::count(std::optional<Operation> operation) const {
  const std::scoped_lock lock(mutex_);
  return plan_.count(operation);
}

// Steps under the mutex.

Result<void> MemoryDisk::step(Operation operation, const Path& path) {
  return plan_.step(operation, plain(path));
}

Result<NodePtr> MemoryDisk::file_at(std::string_view action, const Path& path) const {
  NodePtr node = tree_.find(path);
  if (!node) return os_fail(action, path, ENOENT);
  if (node->is_directory) return os_fail(action, path, EISDIR);
  return node;
}

Result<NodePtr> MemoryDisk::folder_at(std::string_view action, const Path& path) const {
  NodePtr node = tree_.find(path);
  if (!node) return os_fail(action, path, ENOENT);
  if (!node->is_directory) return os_fail(action, path, ENOTDIR);
  return node;
}

Result<NodePtr> MemoryDisk::open_node(const Path& path, bool make) {
  TRY(step(Operation::kOpen, path));
  if (!make || tree_.find(path)) return file_at("open", path);
  const NodePtr folder = tree_.parent_of(path);
  if (!folder) return os_fail("open", path, ENOENT);
  auto node = std::make_shared<Node>();
  touch(*node);
  tree_.set_entry(folder, path.filename().native(), node, tree_.next_operation());
  return node;
}

Result<void> MemoryDisk::append_to(Node& file, std::string_view bytes, const Path& path) {
  std::size_t fitting = bytes.size();
  if (capacity_) {
    const std::uint64_t used = tree_.used_bytes();
    fitting = std::min<std::size_t>(fitting, capacity_->count() > used ? capacity_->count() - used : 0);
  }
  file.bytes += bytes.substr(0, fitting);
  touch(file);
  if (fitting < bytes.size()) return os_fail("write to", path, ENOSPC);
  return {};
}

Result<void> MemoryDisk::sync_node(Node& file, const Path& path) {
  auto allowed = step(Operation::kSync, path);
  if (allowed)
    file.synced();
  else
    file.sync_failed();
  return allowed;
}

void MemoryDisk::remove_below(const NodePtr& folder) {
  const auto entries = folder->entries;
  for (const auto& [name, node] : entries) {
    if (node->is_directory) remove_below(node);
    tree_.set_entry(folder, name, nullptr, tree_.next_operation());
  }
}

void MemoryDisk::touch(Node& node) {
  ++changes_;
  node.modified = clock_ ? clock_->now() : WallTime(std::chrono::milliseconds(changes_));
}

// The Disk.

Result<std::unique_ptr<File>> MemoryDisk::open_append(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY_ASSIGN(NodePtr node, open_node(path, true));
  return std::make_unique<OpenFile>(*this, std::move(node), path, true);
}

Result<std::unique_ptr<File>> MemoryDisk::open_read(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY_ASSIGN(NodePtr node, open_node(path, false));
  return std::make_unique<OpenFile>(*this, std::move(node), path, false);
}

Result<std::string> MemoryDisk::read_file(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY_ASSIGN(const NodePtr node, open_node(path, false));
  TRY(step(Operation::kRead, path));
  return node->bytes;
}

std::string MemoryDisk::temporary_prefix() const {
  return fmt::format("{}{}-", internal::kTemporaryPrefix, generation_);
}

Path MemoryDisk::temporary_in(const Path& folder) {
  const std::scoped_lock lock(mutex_);
  return folder / fmt::format("{}{}", temporary_prefix(), ++temporaries_);
}

Result<void> MemoryDisk::prepare(const Path& temporary, std::string_view bytes) {
  auto prepared = [&]() -> Result<void> {
    TRY_ASSIGN(const auto file, open_append(temporary));
    TRY(file->append(bytes));
    return file->sync();
  }();
  if (!prepared) (void)remove(temporary);
  return prepared;
}

Result<void> MemoryDisk::sync_new_name(const Path& path) {
  if (auto synced = sync_folder(path.parent_path()); !synced)
    return fail(ErrorCode::kUnknownOutcome,
                fmt::format("{} is written but may not survive power loss: {}", path.native(), synced.error().message));
  return {};
}

Result<void> MemoryDisk::write_file(const Path& path, std::string_view bytes) {
  const Path temporary = temporary_in(path.parent_path());
  TRY(prepare(temporary, bytes));
  if (auto renamed = rename(temporary, path); !renamed) {
    (void)remove(temporary);
    return renamed;
  }
  return sync_new_name(path);
}

Result<void> MemoryDisk::write_new_file(const Path& path, std::string_view bytes) {
  const Path temporary = temporary_in(path.parent_path());
  TRY(prepare(temporary, bytes));
  auto linked = link(temporary, path);
  (void)remove(temporary);
  TRY(std::move(linked));
  return sync_new_name(path);
}

Result<void> MemoryDisk::link(const Path& from, const Path& to) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kLink, to));
  TRY_ASSIGN(NodePtr node, file_at("create", from));
  if (tree_.find(to)) return os_fail("create", to, EEXIST);
  tree_.set_entry(tree_.parent_of(to), to.filename().native(), std::move(node), tree_.next_operation());
  return {};
}

Result<void> MemoryDisk::create_folders(const Path& path) {
  const std::scoped_lock lock(mutex_);
  Path at("/");
  for (const std::string& part : internal::parts_of(path)) {
    TRY_ASSIGN(const NodePtr folder, folder_at("create folder", at));
    const Path parent = std::exchange(at, at / part);
    if (const NodePtr there = tree_.find(at)) {
      if (!there->is_directory) return os_fail("create folder", at, EEXIST);
      continue;
    }
    TRY(step(Operation::kCreateFolder, at));
    auto made = std::make_shared<Node>();
    made->is_directory = true;
    touch(*made);
    tree_.set_entry(folder, part, made, tree_.next_operation());
    if (auto synced = step(Operation::kSyncFolder, parent); !synced) {
      tree_.set_entry(folder, part, nullptr, tree_.next_operation());
      return synced;
    }
    tree_.synced(folder);
  }
  return {};
}

Result<void> MemoryDisk::create_folders_in(const Path& parent, std::span<const std::string> names) {
  const std::scoped_lock lock(mutex_);
  TRY_ASSIGN(const NodePtr folder, folder_at("create folder in", parent));
  std::vector<std::string> made;
  const auto done = [&]() -> Result<void> {
    for (const std::string& name : names) {
      if (const NodePtr there = tree_.find(parent / name)) {
        if (!there->is_directory) return os_fail("create folder", parent / name, EEXIST);
        continue;
      }
      TRY(step(Operation::kCreateFolder, parent / name));
      auto node = std::make_shared<Node>();
      node->is_directory = true;
      touch(*node);
      tree_.set_entry(folder, name, node, tree_.next_operation());
      made.push_back(name);
    }
    return step(Operation::kSyncFolder, parent);
  }();
  if (!done) {
    for (const std::string& name : made) tree_.set_entry(folder, name, nullptr, tree_.next_operation());
    return done;
  }
  tree_.synced(folder);
  return {};
}

Result<std::vector<Entry>> MemoryDisk::list(const Path& folder, const NameFilter& wanted) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kList, folder));
  TRY_ASSIGN(const NodePtr node, folder_at("list", folder));
  std::vector<Entry> entries;
  for (const auto& [name, child] : node->entries)
    if (!internal::is_temporary(name) && (!wanted || wanted(name))) entries.push_back(entry_of(name, *child));
  return entries;
}

Result<Entry> MemoryDisk::describe(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kDescribe, path));
  const NodePtr node = tree_.find(path);
  if (!node) return os_fail("look at", path, ENOENT);
  return entry_of(plain(path).filename().native(), *node);
}

Result<void> MemoryDisk::rename(const Path& from, const Path& to) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kRename, to));
  const std::string action = fmt::format("rename {} to", from.native());
  NodePtr node = tree_.find(from);
  const NodePtr there = tree_.find(to);
  const NodePtr folder = tree_.parent_of(to);
  if (!node || !folder) return os_fail(action, to, ENOENT);
  if (node == there) return {};
  if (there && there->is_directory && !node->is_directory) return os_fail(action, to, EISDIR);
  if (there && !there->is_directory && node->is_directory) return os_fail(action, to, ENOTDIR);
  if (there && !there->entries.empty()) return os_fail(action, to, ENOTEMPTY);
  for (Path up = plain(to); up != up.root_path(); up = up.parent_path())
    if (node->is_directory && up == plain(from)) return os_fail(action, to, EINVAL);
  const std::uint64_t operation = tree_.next_operation();
  tree_.set_entry(tree_.parent_of(from), plain(from).filename().native(), nullptr, operation);
  tree_.set_entry(folder, plain(to).filename().native(), std::move(node), operation);
  return {};
}

Result<void> MemoryDisk::remove(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kRemove, path));
  const NodePtr node = tree_.find(path);
  if (!node) return {};
  if (node->is_directory) return os_fail("remove", path, EISDIR);
  tree_.set_entry(tree_.parent_of(path), path.filename().native(), nullptr, tree_.next_operation());
  return {};
}

Result<void> MemoryDisk::remove_tree(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kRemove, path));
  const NodePtr node = tree_.find(path);
  if (!node) return {};
  if (node->is_directory) remove_below(node);
  const Path at = plain(path);
  if (at.has_filename()) tree_.set_entry(tree_.parent_of(at), at.filename().native(), nullptr, tree_.next_operation());
  return {};
}

Result<void> MemoryDisk::sync_file(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY_ASSIGN(const NodePtr node, file_at("open", path));
  return sync_node(*node, path);
}

Result<void> MemoryDisk::sync_folder(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kSyncFolder, path));
  TRY_ASSIGN(const NodePtr node, folder_at("sync", path));
  tree_.synced(node);
  return {};
}

Result<std::unique_ptr<FolderLock>> MemoryDisk::lock_folder(const Path& folder) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kLock, folder));
  TRY_ASSIGN(const NodePtr node, folder_at("lock", folder));
  Path key = plain(folder);
  if (locked_.contains(key))
    return fail(ErrorCode::kConflict, internal::lock_conflict(folder.native(), std::to_string(::getpid())));
  NodePtr file = tree_.find(key / internal::kLockName);
  if (!file) {
    file = std::make_shared<Node>();
    tree_.set_entry(node, std::string(internal::kLockName), file, tree_.next_operation());
  }
  file->truncate(0);
  file->bytes = fmt::format("{}\n", ::getpid());
  touch(*file);
  const auto entries = node->entries;
  for (const auto& [name, leftover] : entries)
    if (internal::is_temporary(name) && !name.starts_with(temporary_prefix()))
      tree_.set_entry(node, name, nullptr, tree_.next_operation());
  locked_.insert(key);
  return std::make_unique<HeldLock>(*this, std::move(key));
}

Result<ByteCount> MemoryDisk::free_space(const Path& path) {
  const std::scoped_lock lock(mutex_);
  TRY(step(Operation::kDescribe, path));
  if (!tree_.find(path)) return os_fail("ask for the free space of", path, ENOENT);
  constexpr ByteCount kLarge{std::uint64_t{1} << 40};
  const std::uint64_t size = capacity_.value_or(kLarge).count();
  return ByteCount(size - std::min(size, tree_.used_bytes()));
}

}  // namespace pinflow::disk
