#include "disk/internal/os_error.h"

#include <cerrno>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace pinflow::disk::internal {

namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
    case EISDIR:
    case ENOTEMPTY:
      return ErrorCode::kConflict;
    case EBADF:  // Open for reading only.
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
      return ErrorCode::kInvalid;
    case EIO:
      return ErrorCode::kCorrupt;
    default:
      return ErrorCode::kUnavailable;
  }
}

std::string mend_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "; free space on this disk, or move the data folder to a larger one";
    case EDQUOT:
      return "; raise the quota of this user, or free space";
    case EROFS:
      return "; mount the file system writable, or choose another folder";
    case EACCES:
    case EPERM:
      return fmt::format("; give user id {} the right to it, or choose another folder", ::geteuid());
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    case EIO:
      return "; the device reports damage: look into the kernel log, and restore the file from a copy";
    case ENOTDIR:
      return "; a part of the path is a file where a folder is needed";
    case EISDIR:
      return "; a folder has this name";
    case ENAMETOOLONG:
      return "; choose a shorter path";
    case EXDEV:
      return "; both paths must lie on one file system";
    default:
      return {};
  }
}

}  // namespace

Error os_error(std::string_view action, const Path& path, int error_number) {
  return Error{code_of(error_number),
               fmt::format("cannot {} {}: {}{}", action, path.native(), std::generic_category().message(error_number),
                           mend_for(error_number))};
}

}  // namespace pinflow::disk::internal
