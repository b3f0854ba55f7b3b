#include "disk/internal/posix_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "disk/internal/os_error.h"

namespace pinflow::disk::internal {

constexpr mode_t kFileMode = 0666;  // The user's umask decides.

std::unexpected<Error> os_fail(std::string_view action, const Path& path, int error_number) {
  return fail(os_error(action, path, error_number));
}

Result<Descriptor> open_at(int folder, const Path& name, int flags, std::string_view action, const Path& shown) {
  const int fd = uninterrupted([&] { return ::openat(folder, name.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (fd == -1) return os_fail(action, shown);
  return Descriptor(fd);
}

Path or_here(Path folder) {
  return folder.empty() ? Path(".") : std::move(folder);
}

Result<Descriptor> open_folder(const Path& path, std::string_view action) {
  return open_at(AT_FDCWD, or_here(path), O_RDONLY | O_DIRECTORY, action, path);
}

Result<void> write_all(int fd, std::string_view bytes, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (written == -1) return os_fail("write to", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::size_t> read_all(int fd, std::uint64_t offset, std::span<char> into, const Path& path) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = uninterrupted(
        [&] { return ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done)); });
    if (got == -1) return os_fail("read", path);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<struct stat> status_of(int fd, const Path& path) {
  struct stat status{};
  if (::fstat(fd, &status) == -1) return os_fail("look at", path);
  return status;
}

Result<void> PosixFile::append(std::string_view bytes) {
  return write_all(fd_.get(), bytes, path_);
}

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, std::span<char> into) const {
  return read_all(fd_.get(), offset, into, path_);
}

Result<std::uint64_t> PosixFile::size() const {
  TRY_ASSIGN(const struct stat status, status_of(fd_.get(), path_));
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) == -1)
    return os_fail("truncate", path_);
  return {};
}

Result<void> PosixFile::sync() {
  if (sync_failure_) return fail(*sync_failure_);
  if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) == -1) {
    sync_failure_ = os_error("sync", path_, errno);
    return fail(*sync_failure_);
  }
  return {};
}

}  // namespace pinflow::disk::internal
