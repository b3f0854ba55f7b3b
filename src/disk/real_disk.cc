#include "disk/real_disk.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "disk/internal/os_error.h"
#include "disk/internal/posix_file.h"
#include "disk/internal/temporary_name.h"

namespace pinflow::disk {

namespace {

using internal::open_at;
using internal::open_folder;
using internal::or_here;
using internal::os_fail;
using internal::PosixFile;
using internal::read_all;
using internal::status_of;
using internal::uninterrupted;
using internal::write_all;

constexpr mode_t kFolderMode = 0777;  // The user's umask decides.

Entry entry_of(std::string name, const struct stat& status) {
  const auto time = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  const bool is_directory = S_ISDIR(status.st_mode);
  return Entry{.name = std::move(name),
               .is_directory = is_directory,
               .size = is_directory ? 0 : static_cast<std::uint64_t>(status.st_size),
               .modified = WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(time))};
}

class RealFolderLock final : public FolderLock {
 public:
  explicit RealFolderLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;  // flock(2) ends with the open file. The file stays: removing it would race with the next locker.
};

Result<void> sync_descriptor(const Descriptor& fd, const Path& path) {
  if (uninterrupted([&] { return ::fsync(fd.get()); }) == -1) return os_fail("sync", path);
  return {};
}

// The name is in place but may not survive power loss: neither a success nor a failure.
Result<void> sync_new_name(const Descriptor& folder, const Path& path) {
  if (auto synced = sync_descriptor(folder, path.parent_path()); !synced)
    return fail(ErrorCode::kUnknownOutcome,
                fmt::format("{} is written but may not survive power loss: {}", path.native(), synced.error().message));
  return {};
}

// A written and synced file under a temporary name, removed where it is not renamed away.
class PreparedFile final {
 public:
  PreparedFile(const Descriptor& folder, std::string name) : folder_(folder), name_(std::move(name)) {}
  PreparedFile(const PreparedFile&) = delete;
  PreparedFile& operator=(const PreparedFile&) = delete;
  ~PreparedFile() {
    if (!name_.empty()) ::unlinkat(folder_.get(), name_.c_str(), 0);
  }
  Result<void> write(std::string_view bytes, const Path& path) {
    TRY_ASSIGN(const Descriptor fd, open_at(folder_.get(), name_, O_WRONLY | O_CREAT | O_EXCL, "create", path));
    struct stat replaced{};
    // What takes a file's place is for the eyes that the file was for, before it has any bytes.
    if (::fstatat(folder_.get(), path.filename().c_str(), &replaced, 0) == 0 &&
        ::fchmod(fd.get(), replaced.st_mode & 0777) == -1)
      return os_fail("keep the rights of", path);
    TRY(write_all(fd.get(), bytes, path));
    return sync_descriptor(fd, path);
  }
  const char* name() const { return name_.c_str(); }
  void renamed() { name_.clear(); }

 private:
  const Descriptor& folder_;
  std::string name_;
};

Result<std::string> last_part(const Path& path) {
  std::string name = path.filename().native();
  if (name.empty() || name == "." || name == "..")
    return fail(ErrorCode::kInvalid,
                fmt::format("cannot write {}: the path does not end in a file name", path.native()));
  return name;
}

class RealDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open_append(const Path& path) override {
    TRY_ASSIGN(Descriptor fd, open_at(AT_FDCWD, path, O_RDWR | O_APPEND | O_CREAT, "open", path));
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  Result<std::unique_ptr<File>> open_read(const Path& path) override {
    TRY_ASSIGN(Descriptor fd, open_for_reading(path));
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  Result<std::string> read_file(const Path& path) override {
    TRY_ASSIGN(const Descriptor fd, open_for_reading(path));
    TRY_ASSIGN(const struct stat status, status_of(fd.get(), path));
    std::string bytes;
    std::size_t done = 0;
    // One byte more than the size, so that the last read proves the end, also of a file that grows meanwhile.
    std::size_t wanted = static_cast<std::size_t>(status.st_size) + 1;
    while (true) {
      bytes.resize(wanted);
      TRY_ASSIGN(const std::size_t got, read_all(fd.get(), done, std::span(bytes).subspan(done), path));
      done += got;
      if (done < wanted) break;
      wanted *= 2;
    }
    bytes.resize(done);
    return bytes;
  }

  Result<void> write_file(const Path& path, std::string_view bytes) override {
    TRY_ASSIGN(const std::string name, last_part(path));
    TRY_ASSIGN(const Descriptor folder, open_folder(path.parent_path(), "open"));
    PreparedFile prepared(folder, temporary_name());
    TRY(prepared.write(bytes, path));
    if (::renameat(folder.get(), prepared.name(), folder.get(), name.c_str()) == -1) return os_fail("replace", path);
    prepared.renamed();
    return sync_new_name(folder, path);
  }

  Result<void> write_new_file(const Path& path, std::string_view bytes) override {
    TRY_ASSIGN(const std::string name, last_part(path));
    TRY_ASSIGN(const Descriptor folder, open_folder(path.parent_path(), "open"));
    {
      PreparedFile prepared(folder, temporary_name());
      TRY(prepared.write(bytes, path));
      if (::linkat(folder.get(), prepared.name(), folder.get(), name.c_str(), 0) == -1) return os_fail("create", path);
    }  // The temporary name goes before the sync, so that one sync settles both.
    return sync_new_name(folder, path);
  }

  Result<void> create_folders(const Path& path) override;
  Result<void> create_folders_in(const Path& parent, std::span<const std::string> names) override;
  Result<std::vector<Entry>> list(const Path& folder, const NameFilter& wanted) override;

  Result<Entry> describe(const Path& path) override {
    struct stat status{};
    if (::stat(path.c_str(), &status) == -1) return os_fail("look at", path);
    return entry_of((path.has_filename() ? path : path.parent_path()).filename().native(), status);
  }

  Result<void> rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) == -1) return os_fail(fmt::format("rename {} to", from.native()), to);
    return {};
  }

  Result<void> remove(const Path& path) override {
    if (::unlink(path.c_str()) == -1 && errno != ENOENT) return os_fail("remove", path);
    return {};
  }

  Result<void> remove_tree(const Path& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return os_fail("remove", path, error.value());
    return {};
  }

  Result<void> sync_file(const Path& path) override {
    TRY_ASSIGN(const Descriptor fd, open_for_reading(path));
    return sync_descriptor(fd, path);
  }

  Result<void> sync_folder(const Path& path) override {
    TRY_ASSIGN(const Descriptor fd, open_folder(path, "sync"));
    return sync_descriptor(fd, path);
  }

  Result<std::unique_ptr<FolderLock>> lock_folder(const Path& folder) override;

  Result<ByteCount> free_space(const Path& path) override {
    struct statvfs status{};
    if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) == -1)
      return os_fail("ask for the free space of", path);
    return ByteCount(std::uint64_t{status.f_bavail} * status.f_frsize);
  }

 private:
  static Result<Descriptor> open_for_reading(const Path& path) {
    TRY_ASSIGN(Descriptor fd, open_at(AT_FDCWD, path, O_RDONLY, "open", path));
    TRY_ASSIGN(const struct stat status, status_of(fd.get(), path));
    if (S_ISDIR(status.st_mode)) return os_fail("read", path, EISDIR);
    return fd;
  }

  // Unlike that of any other process: a forked child shares the seed, another container may have the same
  // process id.
  std::string temporary_name() { return fmt::format("{}{}-{}", temporary_prefix_, ::getpid(), ++temporaries_); }

  const std::string temporary_prefix_ = fmt::format("{}{:016x}-", internal::kTemporaryPrefix, entropy_seed());
  std::atomic<std::uint64_t> temporaries_{0};
  std::mutex folders_;  // Held while folders are made, so that nobody builds on one whose name is not yet durable.
};

Result<void> sync_names(const Path& parent) {
  TRY_ASSIGN(const Descriptor folder, open_folder(parent, "sync"));
  return sync_descriptor(folder, parent);
}

Result<void> make_folder(const Path& path) {
  if (::mkdir(path.c_str(), kFolderMode) == -1 && errno != EEXIST) return os_fail("create folder", path);
  auto synced = sync_names(or_here(path.parent_path()));
  // A folder left behind would look durable to the next caller.
  if (!synced) ::rmdir(path.c_str());
  return synced;
}

Result<void> RealDisk::create_folders(const Path& path) {
  const std::scoped_lock lock(folders_);
  std::vector<Path> missing;
  Path at = path.lexically_normal();
  if (!at.has_filename()) at = at.parent_path();
  while (!at.empty()) {
    struct stat status{};
    if (::stat(at.c_str(), &status) == 0) {
      if (!S_ISDIR(status.st_mode)) return os_fail("create folder", at, EEXIST);
      break;
    }
    if (errno == ENOTDIR) {
      missing.clear();  // The file lies further up: found there.
    } else if (errno != ENOENT) {
      return os_fail("create folder", at);
    }
    missing.push_back(at);
    at = at.parent_path();
  }
  for (; !missing.empty(); missing.pop_back()) TRY(make_folder(missing.back()));
  return {};
}

Result<void> RealDisk::create_folders_in(const Path& parent, std::span<const std::string> names) {
  const std::scoped_lock lock(folders_);
  std::vector<Path> made;
  const auto done = [&]() -> Result<void> {
    for (const std::string& name : names) {
      const Path path = parent / name;
      if (::mkdir(path.c_str(), kFolderMode) == 0) {
        made.push_back(path);
        continue;
      }
      struct stat status{};
      if (errno != EEXIST || ::stat(path.c_str(), &status) == -1 || !S_ISDIR(status.st_mode))
        return os_fail("create folder", path);
    }
    return sync_names(parent);
  }();
  // Folders left behind would look durable to the next caller.
  if (!done)
    for (const Path& path : made) ::rmdir(path.c_str());
  return done;
}

Result<std::vector<Entry>> RealDisk::list(const Path& folder, const NameFilter& wanted) {
  TRY_ASSIGN(const Descriptor fd, open_folder(folder, "list"));
  // fdopendir takes the descriptor for its own, fstatat needs one that stays.
  const int copy = uninterrupted([&] { return ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0); });
  if (copy == -1) return os_fail("list", folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) {
    const int error_number = errno;
    ::close(copy);
    return os_fail("list", folder, error_number);
  }
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* item = ::readdir(stream.get());
    if (item == nullptr) {
      if (errno != 0) return os_fail("list", folder);
      break;
    }
    const std::string_view name = item->d_name;
    if (name == "." || name == ".." || internal::is_temporary(name) || (wanted && !wanted(name))) continue;
    struct stat status{};
    if (::fstatat(fd.get(), item->d_name, &status, 0) == -1) {
      if (errno == ENOENT) continue;  // Removed since, or a link to nothing.
      return os_fail("look at", folder / name);
    }
    entries.push_back(entry_of(std::string(name), status));
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

std::string holder_of(const Descriptor& lock, const Path& path) {
  char text[32];
  const auto got = read_all(lock.get(), 0, text, path);
  std::string_view holder(text, got.value_or(0));
  holder = holder.substr(0, holder.find_first_not_of("0123456789"));
  return std::string(holder);
}

// Temporary files of a writer that died; the one writer of the folder is now the caller, whose own are
// `living`.
void remove_leftovers(const Path& folder, std::string_view living) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().native();
    if (internal::is_temporary(name) && !name.starts_with(living)) ::unlink(at->path().c_str());
  }
}

Result<std::unique_ptr<FolderLock>> RealDisk::lock_folder(const Path& folder) {
  const Path path = folder / internal::kLockName;
  while (true) {
    TRY_ASSIGN(Descriptor fd, open_at(AT_FDCWD, path, O_RDWR | O_CREAT, "lock", path));
    if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) == -1) {
      if (errno != EWOULDBLOCK) return os_fail("lock", path);
      return fail(ErrorCode::kConflict, internal::lock_conflict(folder.native(), holder_of(fd, path)));
    }
    // Somebody may have removed the folder between opening and locking; then we hold a file that nobody else
    // sees.
    struct stat ours{}, named{};
    if (::fstat(fd.get(), &ours) == -1) return os_fail("lock", path);
    if (::stat(path.c_str(), &named) == -1 || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev) continue;

    // The content only serves the message of a second opener: a full disk must not keep anyone from opening.
    const std::string holder = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) == 0) (void)write_all(fd.get(), holder, path);
    remove_leftovers(folder, temporary_prefix_);
    return std::make_unique<RealFolderLock>(std::move(fd));
  }
}

}  // namespace

std::unique_ptr<Disk> make_real_disk() {
  return std::make_unique<RealDisk>();
}

}  // namespace pinflow::disk
