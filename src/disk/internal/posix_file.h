#pragma once

#include <cerrno>
#include <optional>
#include <sys/stat.h>
#include <sys/types.h>
#include <utility>

#include "base/descriptor.h"
#include "disk/disk.h"

namespace pinflow::disk::internal {

// The error of a system call that has just failed.
std::unexpected<Error> os_fail(std::string_view action, const Path& path, int error_number = errno);

// Repeats a call that a signal cut short.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Opens `name` below an open folder (or AT_FDCWD). `shown` is the path for the message, `action` its verb.
Result<Descriptor> open_at(int folder, const Path& name, int flags, std::string_view action, const Path& shown);
Result<Descriptor> open_folder(const Path& path, std::string_view action);
// The current folder, where a relative path of one part has no parent.
Path or_here(Path folder);

Result<void> write_all(int fd, std::string_view bytes, const Path& path);
// Reads until `into` is full or the file ends.
Result<std::size_t> read_all(int fd, std::uint64_t offset, std::span<char> into, const Path& path);
Result<struct stat> status_of(int fd, const Path& path);

// A File on a descriptor.
class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, Path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> append(std::string_view bytes) override;
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;
  Result<std::uint64_t> size() const override;
  Result<void> truncate(std::uint64_t size) override;
  Result<void> sync() override;

 private:
  Descriptor fd_;
  Path path_;
  // The kernel reports lost pages once and then forgets them, so a failure is kept and given again.
  std::optional<Error> sync_failure_;
};

}  // namespace pinflow::disk::internal
